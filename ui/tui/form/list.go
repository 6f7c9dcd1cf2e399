package form

import (
	"slices"
	"strings"

	"aivault/ui/tui/theme"
)

// A List is a line of several words, with spaces or commas between them. One
// that has such a character itself stands in double quotes, in which "" is one
// of them.
type List struct {
	Text
	Each func(word string) error // what is wrong with a word; nil: nothing ever
}

// NewList returns a field with words in it.
func NewList(th *theme.Theme, label string, words ...string) *List {
	l := &List{Text: *NewText(th, label, joined(words))}
	l.from = func(value string) int { return strings.LastIndexFunc(value, separates) + 1 }
	return l
}

func separates(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }

// Words are the words, each once, in the order in which they were typed.
func (l *List) Words() []string {
	var out []string
	for rest := strings.TrimLeftFunc(l.Value(), separates); rest != ""; rest = strings.TrimLeftFunc(rest, separates) {
		var word string
		if word, rest = firstWord(rest); word != "" && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// firstWord cuts the first word off. A quote that nothing closes goes to the
// end.
func firstWord(s string) (word, rest string) {
	if s[0] != '"' {
		if i := strings.IndexFunc(s, separates); i >= 0 {
			return s[:i], s[i:]
		}
		return s, ""
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
		case strings.HasPrefix(s[i:], `""`):
			i++
		default:
			return strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:]
		}
	}
	return strings.ReplaceAll(s[1:], `""`, `"`), ""
}

// joined is the line that has these words.
func joined(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; strings.ContainsFunc(w, separates) || strings.HasPrefix(w, `"`) {
			out[i] = `"` + strings.ReplaceAll(w, `"`, `""`) + `"`
		}
	}
	return strings.Join(out, " ")
}

// SetWords puts words into the field, which is then not dirty.
func (l *List) SetWords(words ...string) { l.SetValue(joined(words)) }

// Check is Validate of the whole line, and Each of each word.
func (l *List) Check() error {
	if err := l.Text.Check(); err != nil || l.Each == nil {
		return err
	}
	for _, word := range l.Words() {
		if err := l.Each(word); err != nil {
			return err
		}
	}
	return nil
}
