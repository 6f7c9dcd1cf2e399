package strictjson

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// A Leaf is a value within a JSON object that is no object, array or null.
type Leaf struct {
	Path  string // the folded keys that lead to it, with dots between them
	Value []byte // what a string says; a number or a bool as it is written
	Text  bool   // it is a string
}

// Twice is the error for two members of an object that have one name when
// folded. Its text leaves the name out.
type Twice struct {
	Path string // as in Leaf
}

func (*Twice) Error() string { return "the JSON has a key twice, or in two spellings" }

// Flatten returns the leaves of an object and of the objects in it, in their
// order. Arrays, with what is in them, and nulls are left out. Keys are
// compared as fold returns them, at all depths: what leads to two values is a
// *Twice. Any other error is a fault.InvalidRequest that names a position, and
// neither a key nor a value.
func Flatten(data []byte, fold func(key string) string) ([]Leaf, error) {
	if err := checkText(data); err != nil {
		return nil, err
	}
	f := flattener{walker: walker{dec: json.NewDecoder(bytes.NewReader(data))}, fold: fold, seen: make(map[string]bool)}
	f.dec.UseNumber()
	token, err := f.next()
	if err != nil {
		return nil, err
	}
	if token != json.Delim('{') {
		return nil, invalid("the JSON is no object")
	}
	if err := f.members("", false, 1); err != nil {
		return nil, err
	}
	return f.leaves, nil
}

type flattener struct {
	walker
	fold   func(string) string
	seen   map[string]bool // paths
	leaves []Leaf
}

// members reads an object from after its opening brace on. Below an array
// nothing is a leaf.
func (f *flattener) members(prefix string, dropped bool, depth int) error {
	for f.dec.More() {
		token, err := f.next()
		if err != nil {
			return err
		}
		key, _ := token.(string) // the grammar allows nothing else
		path := prefix + f.fold(key)
		if f.seen[path] {
			return &Twice{path}
		}
		f.seen[path] = true
		if err := f.value(path, dropped, depth); err != nil {
			return err
		}
	}
	_, err := f.next() // the closing brace
	return err
}

func (f *flattener) value(path string, dropped bool, depth int) error {
	token, err := f.next()
	if err != nil {
		return err
	}
	var value []byte
	text := false
	switch t := token.(type) {
	case json.Delim:
		if depth == MaxDepth {
			return invalid("the JSON nests deeper than %d levels at byte %d", MaxDepth, f.dec.InputOffset())
		}
		if t == '{' {
			return f.members(path+".", dropped, depth+1)
		}
		for i := 0; f.dec.More(); i++ {
			if err := f.value(path+"["+strconv.Itoa(i)+"]", true, depth+1); err != nil {
				return err
			}
		}
		_, err := f.next() // the closing bracket
		return err
	case string:
		value, text = []byte(t), true
	case json.Number:
		value = []byte(t)
	case bool:
		value = strconv.AppendBool(nil, t)
	default: // null
		return nil
	}
	if !dropped {
		f.leaves = append(f.leaves, Leaf{Path: path, Value: value, Text: text})
	}
	return nil
}
