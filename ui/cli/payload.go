package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"aivault/keys/fault"
)

// A payload is what --request and --request-file hold: an envelope, or the bare
// request that would be in one.
type payload struct {
	Capability string
	Credential string
	Request    payloadRequest
}

type payloadRequest struct {
	Method       string          `json:"method"`
	Path         string          `json:"path"`
	Headers      []payloadHeader `json:"headers"`
	Body         *string         `json:"body"`
	BodyFilePath *string         `json:"bodyFilePath"`
}

type payloadHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const payloadHint = `a payload is {"method":...,"path":...,"headers":[{"name":...,"value":...}],"body":...}, or {"capability":...,"request":{...}}`

// parsePayload reads a payload so that it has one meaning or none: a key that
// is unknown, repeated, or in another case is refused, and so is text that is
// not UTF-8. Errors name keys, never values. A url is refused as a violation of
// policy, as its sender believes to have a choice that there is not.
func parsePayload(data []byte) (payload, error) {
	invalid := func(format string, args ...any) (payload, error) {
		return payload{}, fault.New(fault.InvalidRequest, "the payload "+format, args...).WithHint("%s", payloadHint)
	}
	if !utf8.Valid(data) {
		return invalid("is not UTF-8")
	}
	if err := checkPayload(data); err != nil {
		return payload{}, err
	}
	var outer struct {
		Capability string          `json:"capability"`
		Credential *string         `json:"credential"`
		Request    json.RawMessage `json:"request"`
	}
	inner := data
	if json.Unmarshal(data, &outer) == nil && (outer.Request != nil || outer.Capability != "" || outer.Credential != nil) {
		if err := decodeStrictly(data, &outer); err != nil {
			return invalid("has keys beside those of an envelope, or one of the wrong type")
		}
		inner = outer.Request
	}
	p := payload{Capability: outer.Capability}
	if outer.Credential != nil {
		if p.Credential = *outer.Credential; p.Credential == "" {
			return invalid("has an empty credential")
		}
	}
	if err := decodeStrictly(inner, &p.Request); err != nil {
		return invalid("has no request, or one with a key of the wrong type or place")
	}
	r := p.Request
	switch {
	case r.Method == "" || r.Path == "":
		return invalid("needs a method and a path")
	case r.Body != nil && r.BodyFilePath != nil:
		return invalid("has both body and bodyFilePath")
	case slices.ContainsFunc(r.Headers, func(h payloadHeader) bool { return h.Name == "" }):
		return invalid("has a header without a name")
	}
	return p, nil
}

func decodeStrictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// maxDepth is how deep a payload may be nested; a well-formed one is less.
const maxDepth = 8

// checkPayload checks what encoding/json lets pass: keys that are repeated or
// written in another case, and text after the end.
func checkPayload(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := checkPayloadValue(dec, maxDepth); err != nil {
		if e, ok := errors.AsType[*fault.Error](err); ok {
			return e
		}
		return fault.New(fault.InvalidRequest, "the payload is not JSON").WithHint("%s", payloadHint)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.InvalidRequest, "the payload goes on after its end").WithHint("%s", payloadHint)
	}
	return nil
}

func checkPayloadValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == 0 {
		return fault.New(fault.InvalidRequest, "the payload is nested too deeply").WithHint("%s", payloadHint)
	}
	var seen []string
	for dec.More() {
		if open == '{' {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			if err := checkPayloadKey(name, seen); err != nil {
				return err
			}
			seen = append(seen, name)
		}
		if err := checkPayloadValue(dec, depth-1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// checkPayloadKey checks a key of an object that had the earlier ones.
func checkPayloadKey(name string, earlier []string) error {
	switch name {
	case "capability", "credential", "request", "method", "path", "headers", "name", "value", "body", "bodyFilePath":
		if slices.Contains(earlier, name) {
			return fault.New(fault.InvalidRequest, "the payload has the key %q twice", name)
		}
		return nil
	case "url":
		return fault.New(fault.PolicyViolation, "the payload has a url").WithHint("the host is the credential's; give a path instead")
	case "multipart", "multipartFiles":
		return fault.New(fault.InvalidRequest, "a multipart body is not supported yet").WithHint("give body or bodyFilePath")
	}
	return fault.New(fault.InvalidRequest, "the payload has an unknown key %.40q", name).WithHint("%s", payloadHint)
}
