package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// neutral returns text in which nothing reads as a tag: the < of what would be
// one is written &lt;.
func neutral(text string) string {
	if !strings.ContainsAny(text, angles) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		size := utf8.RuneLen(r)
		if strings.ContainsRune(angles, r) && readsAsTag(text[i+size:]) {
			b.WriteString("&lt;")
		} else {
			b.WriteString(text[i : i+size])
		}
	}
	return b.String()
}

// angles are the characters that read as <: itself, and its wide, small and
// quoting likes.
const angles = "<\uff1c\ufe64\u2039\u3008\u27e8\u2329"

// readsAsTag reports whether text goes on as a tag does behind its <: begin or
// end, as a word of its own.
func readsAsTag(text string) bool {
	r, rest := visible(text)
	for r == '/' {
		r, rest = visible(rest)
	}
	switch r {
	case 'b':
		return readsOn(rest, "egin")
	case 'e':
		return readsOn(rest, "nd")
	}
	return false
}

// readsOn reports whether text begins with what is left of a word, and the word
// ends there.
func readsOn(text, word string) bool {
	for _, want := range word {
		var r rune
		if r, text = visible(text); r != want {
			return false
		}
	}
	next, _ := utf8.DecodeRuneInString(text)
	return text == "" || !unicode.IsLetter(next) && !unicode.IsDigit(next) && next != '_' && next != '-' || isInvisible(next)
}

// visible returns the first visible character of text, a letter in lower case
// and a wide one as it is in ASCII, and what follows it; 0 if there is none.
func visible(text string) (r rune, rest string) {
	for i, r := range text {
		if isInvisible(r) {
			continue
		}
		rest = text[i+utf8.RuneLen(r):]
		switch {
		case r == '\u2044' || r == '\u2215' || r == '\u29f8':
			return '/', rest
		case '\uff01' <= r && r <= '\uff5e':
			r -= '\uff01' - '!'
		}
		return unicode.ToLower(r), rest
	}
	return 0, ""
}

// isInvisible reports whether a reader does not see r, or sees it as part of
// the character before it.
func isInvisible(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7f
	}
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2800' ||
		unicode.In(r, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// fold returns what a name has in common with those that read like it.
func fold(name string) string {
	var b strings.Builder
	for r, rest := visible(name); r != 0; r, rest = visible(rest) {
		b.WriteRune(r)
	}
	return b.String()
}

// label returns a key as it stands in a tag: on one line, and unable to end
// the tag. It is not empty.
func label(key string) string {
	name := strings.ReplaceAll(oneLine(key), "<", "&lt;")
	return neutral(strings.ReplaceAll(name, ">", "&gt;"))
}

// title returns a key as it stands in a heading.
func title(key string) string {
	words := strings.FieldsFunc(oneLine(key), func(r rune) bool { return r == '_' || r == '-' })
	for i, word := range words {
		r, size := utf8.DecodeRuneInString(word)
		words[i] = string(unicode.ToUpper(r)) + word[size:]
	}
	if len(words) == 0 {
		return oneLine(key)
	}
	return neutral(strings.Join(words, " "))
}

// oneLine returns a key without line breaks, control characters and what does
// not show; two quotes for a key of which nothing remains.
func oneLine(key string) string {
	key = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case ' ' <= r && r < 0x7f:
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return -1
		}
		return r
	}, key))
	if key == "" {
		return `""`
	}
	return key
}
