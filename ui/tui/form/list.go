package form

import (
	"slices"
	"strings"

	"aivault/ui/tui/theme"
)

// A List is a line of several words, with spaces or commas between them.
type List struct {
	Text
	Each func(word string) error // what is wrong with a word; nil: nothing ever
}

// NewList returns a field with words in it.
func NewList(th *theme.Theme, label string, words ...string) *List {
	l := &List{Text: *NewText(th, label, strings.Join(words, " "))}
	l.from = func(value string) int { return strings.LastIndexFunc(value, separates) + 1 }
	return l
}

func separates(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }

// Words are the words, each once, in the order in which they were typed.
func (l *List) Words() []string {
	var out []string
	for _, word := range strings.FieldsFunc(l.Value(), separates) {
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// SetWords puts words into the field, which is then not dirty.
func (l *List) SetWords(words ...string) { l.SetValue(strings.Join(words, " ")) }

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
