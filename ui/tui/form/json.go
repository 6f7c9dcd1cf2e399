package form

import (
	"encoding/json"
	"errors"

	"aivault/keys/fault"
)

// JSON is a Validate of an Area: the text is one value of JSON, or empty. What
// is wrong is told with its line and column.
func JSON(b []byte) error {
	if len(b) == 0 || json.Valid(b) {
		return nil
	}
	var v json.RawMessage
	err := json.Unmarshal(b, &v)
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fault.New(fault.InvalidRequest, "this is not JSON")
	}
	at := min(int(syntax.Offset), len(b))
	if syntax.Error() != atEnd { // then the last byte that was read is the wrong one
		at = max(at-1, 0)
	}
	line, column := place(b, at)
	return fault.New(fault.InvalidRequest, "not JSON: line %d, column %d: %s", line, column, syntax.Error())
}

// atEnd is what package json says of a text that stops too early.
const atEnd = "unexpected end of JSON input"
