package auth

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"

	"aivault/broker/internal/strictjson"
	"aivault/keys/opaque"
)

// An object is a secret that is a JSON object. Fields that nobody asks for are
// left alone: others may have their own in it.
type object struct {
	leaves map[string]strictjson.Leaf // by folded name
	form   string                     // for hints
}

// parseObject reads a JSON object; form is how it should look. A field that is
// there twice is named in the error if it is a wanted one: the name of another
// may be a secret in the wrong place.
func parseObject(secret []byte, form string, wanted ...string) (*object, error) {
	list, err := strictjson.Flatten(secret, foldField)
	if twice, ok := errors.AsType[*strictjson.Twice](err); ok {
		for _, name := range wanted {
			if foldField(name) == twice.Path {
				return nil, invalid("the secret has the field %s twice, or in two spellings", name)
			}
		}
		return nil, invalid("the secret has a field twice, or in two spellings").WithHint("store it as %s", form)
	}
	if err != nil {
		return nil, invalid("the secret is no JSON object: %v", err).WithHint("store it as %s", form)
	}
	o := &object{leaves: make(map[string]strictjson.Leaf, len(list)), form: form}
	for _, leaf := range list {
		o.leaves[leaf.Path] = leaf
	}
	return o, nil
}

// foldField makes one name of the spellings of a field: apiKey, api_key,
// API-KEY. Of letters only those of ASCII have a case here.
func foldField(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

// nothingBut refuses an object that has other fields with text, numbers or bools
// than those named.
func (o *object) nothingBut(names []string) error {
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[foldField(name)] = true
	}
	for _, path := range slices.Sorted(maps.Keys(o.leaves)) {
		if !known[path] {
			return invalid("the secret has %s, which no template uses", fieldName(path)).
				WithHint("store it as %s, or use the field with {{...}}", o.form)
		}
	}
	return nil
}

// fieldName names a field, unless it could be a secret that was put in the wrong
// place: those have digits.
func fieldName(path string) string {
	if len(path) > 40 || strings.Trim(path, "abcdefghijklmnopqrstuvwxyz.") != "" {
		return "another field"
	}
	return "the field " + path
}

// scalar returns a copy of a field that is text, a number or a bool.
func (o *object) scalar(name string) (opaque.Bytes, error) {
	leaf, ok := o.leaves[foldField(name)]
	if !ok {
		return nil, invalid("the secret has no field %s", name).WithHint("store it as %s", o.form)
	}
	return opaque.Clone(leaf.Value), nil
}

// text returns a copy of a field that is text and not empty. Other names under
// which it may be there follow the first one.
func (o *object) text(name string, others ...string) (opaque.Bytes, error) {
	value, err := o.optional(name, others...)
	if err == nil && value.Len() == 0 {
		err = invalid("the secret has no field %s, or an empty one", name).WithHint("store it as %s", o.form)
	}
	return value, err
}

// optional is text for a field that may be missing or empty: it returns nil
// then.
func (o *object) optional(name string, others ...string) (opaque.Bytes, error) {
	var found *strictjson.Leaf
	for _, n := range append([]string{name}, others...) {
		leaf, ok := o.leaves[foldField(n)]
		switch {
		case !ok:
		case found != nil:
			return nil, invalid("the secret has the field %s twice, or in two spellings", name)
		case !leaf.Text:
			return nil, invalid("the field %s of the secret is not text", name)
		default:
			found = &leaf
		}
	}
	if found == nil || len(found.Value) == 0 {
		return nil, nil
	}
	return opaque.Clone(found.Value), nil
}

// clear overwrites all values with zeros.
func (o *object) clear() {
	for _, leaf := range o.leaves {
		clear(leaf.Value)
	}
}

// isObject reports whether a secret looks like a JSON object.
func isObject(secret []byte) bool {
	text := bytes.TrimLeft(secret, " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}
