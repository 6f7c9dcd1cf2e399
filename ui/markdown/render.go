package markdown

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// item is the name of tags where there is no key.
const item = "item"

// A writer renders values.
type writer struct {
	out           bytes.Buffer
	exclude, wrap map[string]bool
	tags          []tag           // those that are open, the innermost last
	open          map[string]bool // how they read
	depth         int
}

type tag struct {
	name  string
	reads string // the name folded
}

func newWriter(o Options) *writer {
	return &writer{exclude: set(o.Exclude), wrap: set(o.Wrap), open: map[string]bool{}}
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// begin writes a begin tag and ends the line. Its name reads as that of no tag
// that is open.
func (w *writer) begin(key string) {
	t := tag{name: label(key)}
	t.reads = fold(t.name)
	if w.open[t.reads] {
		n := 2
		for w.open[t.reads+strconv.Itoa(n)] {
			n++
		}
		t.name += " " + strconv.Itoa(n)
		t.reads += strconv.Itoa(n)
	}
	w.tags = append(w.tags, t)
	w.open[t.reads] = true
	w.out.WriteString("<begin " + t.name + ">\n")
}

// end writes the end tag of the innermost tag on a new line.
func (w *writer) end() {
	last := len(w.tags) - 1
	t := w.tags[last]
	w.tags = w.tags[:last]
	delete(w.open, t.reads)
	w.out.WriteString("\n</end " + t.name + ">")
}

// top renders a value that is the whole answer.
func (w *writer) top(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		w.topText(v)
		return nil
	}
	return w.value(v, item)
}

// topText renders text that is the whole answer. Where nothing is around it,
// it has nothing to close.
func (w *writer) topText(text string) {
	switch {
	case isBlank(text):
		w.out.WriteString(none)
	case len(w.tags) > 0:
		w.out.WriteString(neutral(text))
	default:
		w.out.WriteString(text)
	}
}

// member renders a value of an object.
func (w *writer) member(v any, key string) error {
	switch v := v.(type) {
	case map[string]any:
		if len(w.keys(v)) > 0 {
			return w.inTags(v, key)
		}
	case []any:
		if len(v) > 0 && onlyObjects(v) {
			return w.inTags(v, key)
		}
	case string:
		if w.wrap[key] && !isBlank(v) {
			return w.inTags(v, key)
		}
	}
	return w.value(v, key)
}

// inTags renders a value in tags that have its key.
func (w *writer) inTags(v any, key string) error {
	w.begin(key)
	err := w.value(v, key)
	w.end()
	return err
}

// value renders a value without tags around the whole.
func (w *writer) value(v any, key string) error {
	if !isNested(v) {
		w.out.WriteString(neutral(scalar(v)))
		return nil
	}
	if w.depth == MaxDepth {
		return errDepth()
	}
	w.depth++
	defer func() { w.depth-- }()
	if v, ok := v.(map[string]any); ok {
		return w.object(v)
	}
	return w.array(v.([]any), key)
}

// keys returns the keys of an object that are not left out, in order.
func (w *writer) keys(v map[string]any) []string {
	keys := slices.Sorted(maps.Keys(v))
	return slices.DeleteFunc(keys, func(key string) bool { return w.exclude[key] })
}

func (w *writer) object(v map[string]any) error {
	keys := w.keys(v)
	if len(keys) == 0 {
		w.out.WriteString(none)
	}
	for i, key := range keys {
		if i > 0 {
			w.out.WriteString("\n\n")
		}
		w.out.WriteString("# " + title(key) + "\n\n")
		if err := w.member(v[key], key); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) array(v []any, key string) error {
	objects := onlyObjects(v)
	for i, element := range v {
		switch {
		case i == 0:
		case objects || isNested(element) || isNested(v[i-1]):
			w.out.WriteString("\n\n")
		default:
			w.out.WriteString("\n")
		}
		var err error
		switch {
		case objects:
			err = w.value(element, key)
		case isNested(element):
			err = w.inTags(element, key)
		default:
			w.bullet(element)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bullet renders an element that is neither array nor object. The lines of a
// text stay within the bullet.
func (w *writer) bullet(v any) {
	text := strings.ReplaceAll(neutral(scalar(v)), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	w.out.WriteString("  - " + strings.ReplaceAll(text, "\n", "\n    "))
}

// scalar returns the text of a value that is no array and no object, or an
// empty one.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		if !isBlank(v) {
			return v
		}
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return none
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// isNested reports whether v is an array or object with something in it.
func isNested(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

func onlyObjects(v []any) bool {
	return !slices.ContainsFunc(v, func(element any) bool {
		_, ok := element.(map[string]any)
		return !ok
	})
}
