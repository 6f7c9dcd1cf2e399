// Package strictjson reads JSON that may have only one meaning.
//
// encoding/json is made to be lenient: of two equal keys it takes the last, it
// takes "PATH" for "path", it ignores keys that it does not know, and it
// repairs broken UTF-8. Each of these lets two readers of one document see two
// different requests. [Unmarshal] refuses them all, together with text after
// the value and nesting that is deeper than any real document.
//
// It walks the tokens of the document once beside the Go type that the
// document is for, and leaves the decoding itself to encoding/json.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"aivault/keys/fault"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 64

// maxKey is the length up to which a key is part of an error, in bytes.
const maxKey = 64

// Unmarshal decodes data into v, a pointer as for [json.Unmarshal]. The keys
// of an object that is for a struct are exactly the names of its fields.
//
// An error is a fault.InvalidRequest. It names the position or the key that is
// wrong, and never a value.
func Unmarshal(data []byte, v any) error {
	if err := checkText(data); err != nil {
		return err
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(data))}
	w.dec.UseNumber()
	if err := w.value(reflect.TypeOf(v), 0); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // the walk has seen to it; this holds if the two ever disagree
	err := dec.Decode(v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		got, _, _ := strings.Cut(wrong.Value, " ") // a number is followed by its digits
		return invalid("the JSON has the wrong type at %s: %s instead of %s",
			place(wrong), got, kindName(wrong.Type))
	}
	if err != nil {
		return invalid("the JSON does not fit")
	}
	return nil
}

// checkText checks everything that does not depend on the type: UTF-8, escapes
// included, and the grammar of one single value.
func checkText(data []byte) error {
	if !utf8.Valid(data) {
		return invalid("the JSON is not valid UTF-8 at byte %d", firstInvalid(data))
	}
	if !json.Valid(data) {
		var ignored json.RawMessage
		err := json.Unmarshal(data, &ignored)
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return invalid("the JSON is broken, or has text after its end, at byte %d", syntax.Offset)
		}
		return invalid("the JSON is broken")
	}
	if at := loneSurrogate(data); at >= 0 {
		return invalid("the JSON has half of a surrogate pair at byte %d", at)
	}
	return nil
}

func firstInvalid(data []byte) int {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return at
}

// loneSurrogate returns the offset of the first \u escape that is half of a
// surrogate pair without the other half, which encoding/json would replace by
// U+FFFD, or -1. The data is valid JSON, so that a backslash is always part of
// an escape and each \u has its four digits.
func loneSurrogate(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++
		if data[i] != 'u' {
			continue
		}
		start := i - 1
		high := codeUnit(data[i+1:])
		i += 4
		if high < 0xd800 || high > 0xdfff {
			continue
		}
		if high >= 0xdc00 || !bytes.HasPrefix(data[i+1:], []byte(`\u`)) {
			return start
		}
		if low := codeUnit(data[i+3:]); low < 0xdc00 || low > 0xdfff {
			return start
		}
		i += 6
	}
	return -1
}

// codeUnit reads four hexadecimal digits.
func codeUnit(digits []byte) uint64 {
	n, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	if err != nil {
		return 0 // not reached: the grammar was checked
	}
	return n
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}

// place names the key that holds the wrong type. The path before it is left
// out, as Go names types in it that are not in the document.
func place(wrong *json.UnmarshalTypeError) string {
	if wrong.Field == "" {
		return "the top"
	}
	return strconv.Quote(shorten(wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:]))
}

func shorten(key string) string {
	if len(key) <= maxKey {
		return key
	}
	return key[:maxKey] + "..."
}

// kindName is what JSON calls a Go type.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	}
	return "number"
}
