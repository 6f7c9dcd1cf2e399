package strictjson

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// A walker goes through the tokens of a document that is known to be valid.
type walker struct {
	dec *json.Decoder
}

// value reads one value that is to be decoded into t, or into something that
// prescribes no keys if t is nil.
func (w *walker) value(t reflect.Type, depth int) error {
	token, err := w.next()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == MaxDepth {
		return invalid("the JSON nests deeper than %d levels at byte %d", MaxDepth, w.dec.InputOffset())
	}
	t = target(t)
	if open == '[' {
		err = w.array(t, depth+1)
	} else {
		err = w.object(t, depth+1)
	}
	if err != nil {
		return err
	}
	_, err = w.next() // the closing bracket
	return err
}

func (w *walker) next() (json.Token, error) {
	token, err := w.dec.Token()
	if err != nil {
		return nil, invalid("the JSON is broken at byte %d", w.dec.InputOffset())
	}
	return token, nil
}

func (w *walker) array(t reflect.Type, depth int) error {
	var element reflect.Type
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		element = t.Elem()
	}
	for w.dec.More() {
		if err := w.value(element, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) object(t reflect.Type, depth int) error {
	var known map[string]reflect.Type
	var element reflect.Type
	if t != nil && t.Kind() == reflect.Struct {
		known = fields(t)
	} else if t != nil && t.Kind() == reflect.Map {
		element = t.Elem()
	}
	seen := make(map[string]bool)
	for w.dec.More() {
		token, err := w.next()
		if err != nil {
			return err
		}
		key, _ := token.(string) // the grammar allows nothing else
		if seen[key] {
			return invalid("the JSON has the key %s twice, again at byte %d", strconv.Quote(shorten(key)), w.dec.InputOffset())
		}
		seen[key] = true
		of := element
		if known != nil {
			var ok bool
			if of, ok = known[key]; !ok {
				return unknownKey(key, known)
			}
		}
		if err := w.value(of, depth); err != nil {
			return err
		}
	}
	return nil
}

// unknownKey says which key was meant if only the case is wrong.
func unknownKey(key string, known map[string]reflect.Type) error {
	for name := range known {
		if strings.EqualFold(name, key) {
			return invalid("the JSON has the key %s, which is written %s", strconv.Quote(shorten(key)), strconv.Quote(name))
		}
	}
	return invalid("the JSON has the unknown key %s", strconv.Quote(shorten(key)))
}

// target returns what a pointer type points to. A type that decodes itself, or
// an interface, prescribes no keys.
func target(t reflect.Type) reflect.Type {
	for t != nil {
		if t.Kind() == reflect.Interface || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			return nil
		}
		if t.Kind() != reflect.Pointer {
			return t
		}
		t = t.Elem()
	}
	return nil
}

// fields returns the keys that encoding/json knows for a struct type.
func fields(t reflect.Type) map[string]reflect.Type {
	known := make(map[string]reflect.Type)
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" || f.Anonymous && tag == "" {
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		known[tag] = f.Type
	}
	return known
}
