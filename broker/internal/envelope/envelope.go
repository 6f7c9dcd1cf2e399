// Package envelope reads the JSON payloads that callers hand to an invocation
// (--request and --request-file).
//
// A payload is either a bare request,
//
//	{"method": "POST", "path": "/v1/x", "headers": [{"name": "Accept", "value": "*/*"}], "body": "..."}
//
// or an envelope around one,
//
//	{"capability": "openai/models", "credential": "openai", "request": {...}}
//
// In the place of "body" there may be "bodyFilePath", or the fields and files of
// a multipart body: "multipart": {"purpose": "fine-tune"} and "multipartFiles":
// [{"field": "file", "path": "data.jsonl"}].
//
// It comes from code that nobody trusts, so it is read by package strictjson:
// it has one meaning or none. A payload never says where a request goes. A
// "url" is refused as a violation of policy even where it would name the right
// host, as its sender believes to have a choice that there is not.
package envelope

import (
	"encoding/json"
	"maps"
	"slices"

	"aivault/broker/internal/strictjson"
	"aivault/keys/fault"
)

// MaxSize is the length of the longest payload, in bytes.
const MaxSize = 16 << 20

// An Envelope is a payload. Marshalled by encoding/json, it is one that
// [Decode] reads back.
type Envelope struct {
	Capability string  `json:"capability,omitempty"` // empty: the one that the command line names
	Credential string  `json:"credential,omitempty"` // empty: the broker chooses
	Request    Request `json:"request"`
}

// A Request is what a payload asks for. Whether it is allowed is for package
// policy.
type Request struct {
	Method  string   `json:"method"`            // not empty
	Path    string   `json:"path"`              // not empty; with the query
	Headers []Header `json:"headers,omitempty"` // in the order of the payload

	// At most one body: text, a file of the caller's for its process to open,
	// or fields and files of a multipart body.
	Body         *string           `json:"body,omitempty"` // nil: none
	BodyFilePath string            `json:"bodyFilePath,omitempty"`
	Fields       map[string]string `json:"multipart,omitempty"` // no empty name
	Files        []File            `json:"multipartFiles,omitempty"`
}

// A File is a file of a multipart body, for the caller's process to open.
type File struct {
	Field string `json:"field"` // not empty
	Path  string `json:"path"`  // not empty
}

// A Header is one header of a request.
type Header struct {
	Name  string `json:"name"` // not empty
	Value string `json:"value"`
}

// payload has the keys of an envelope and those of a bare request. Pointers
// and raw messages tell a key that is absent.
type payload struct {
	Capability *string  `json:"capability"`
	Credential *string  `json:"credential"`
	Request    *request `json:"request"`
	request
}

type request struct {
	Method         *string            `json:"method"`
	Path           *string            `json:"path"`
	Headers        []header           `json:"headers"`
	Body           *string            `json:"body"`
	BodyFilePath   *string            `json:"bodyFilePath"`
	URL            json.RawMessage    `json:"url"`
	Multipart      map[string]*string `json:"multipart"`
	MultipartFiles []file             `json:"multipartFiles"`
}

type header struct {
	Name  *string `json:"name"`
	Value *string `json:"value"`
}

type file struct {
	Field *string `json:"field"`
	Path  *string `json:"path"`
}

// Decode reads a payload. A "url" in it is a fault.PolicyViolation, one longer
// than MaxSize a fault.RequestTooLarge, everything else that is wrong a
// fault.InvalidRequest, which names the key or the position and no value.
func Decode(data []byte) (Envelope, error) {
	if len(data) > MaxSize {
		return Envelope{}, fault.New(fault.RequestTooLarge, "the request payload is longer than %d bytes", MaxSize).
			WithHint("put a large body into a file and name it by --body-file-path")
	}
	var p payload
	if err := strictjson.Unmarshal(data, &p); err != nil {
		return Envelope{}, fault.Wrap(fault.InvalidRequest, err, "reading the request payload").
			WithHint(`a payload is {"method":...,"path":...,"headers":[{"name":...,"value":...}],"body":...}, or {"capability":...,"request":{...}}`)
	}
	if p.URL != nil || p.Request != nil && p.Request.URL != nil {
		return Envelope{}, fault.New(fault.PolicyViolation, `the request payload has the key "url"`).
			WithHint(`the host is the credential's; give "path" instead`)
	}
	inner := &p.request
	if p.Capability != nil || p.Credential != nil || p.Request != nil {
		if key := inner.anyKey(); key != "" {
			return Envelope{}, invalid("the request payload has the key %q beside those of an envelope", key).
				WithHint(`put it into "request"`)
		}
		if p.Request == nil {
			return Envelope{}, invalid(`the envelope has no "request"`)
		}
		inner = p.Request
	}
	if p.Credential != nil && *p.Credential == "" {
		return Envelope{}, invalid(`the "credential" of the envelope is empty`).WithHint("leave it out to have one chosen")
	}
	r, err := inner.check()
	if err != nil {
		return Envelope{}, err
	}
	return Envelope{Capability: text(p.Capability), Credential: text(p.Credential), Request: r}, nil
}

// anyKey returns a key that the request has, or the empty string.
func (r *request) anyKey() string {
	switch {
	case r.Method != nil:
		return "method"
	case r.Path != nil:
		return "path"
	case r.Headers != nil:
		return "headers"
	case r.Body != nil:
		return "body"
	case r.BodyFilePath != nil:
		return "bodyFilePath"
	case r.Multipart != nil:
		return "multipart"
	case r.MultipartFiles != nil:
		return "multipartFiles"
	}
	return ""
}

// check returns the request if it is complete and of one kind of body.
func (r *request) check() (Request, error) {
	switch {
	case text(r.Method) == "":
		return Request{}, invalid(`the request payload has no "method"`)
	case text(r.Path) == "":
		return Request{}, invalid(`the request payload has no "path"`)
	}
	out := Request{Method: *r.Method, Path: *r.Path, Body: r.Body, BodyFilePath: text(r.BodyFilePath)}
	for i, h := range r.Headers {
		if text(h.Name) == "" || h.Value == nil {
			return Request{}, invalid(`header %d of the request payload needs a "name" and a "value"`, i+1)
		}
		out.Headers = append(out.Headers, Header{Name: *h.Name, Value: *h.Value})
	}
	return out, r.checkBody(&out)
}

// checkBody checks that there is one body at most, and fills in the parts of a
// multipart one.
func (r *request) checkBody(out *Request) error {
	multipart := r.Multipart != nil || r.MultipartFiles != nil
	switch {
	case r.Body != nil && r.BodyFilePath != nil:
		return invalid(`the request payload has both "body" and "bodyFilePath"`).WithHint("give one of them")
	case multipart && (r.Body != nil || r.BodyFilePath != nil):
		return invalid(`the request payload has both a multipart body and another one`).WithHint("give one of them")
	case r.BodyFilePath != nil && *r.BodyFilePath == "":
		return invalid(`the "bodyFilePath" of the request payload is empty`)
	case multipart && len(r.Multipart)+len(r.MultipartFiles) == 0:
		return invalid(`the multipart body of the request payload has neither a field nor a file`)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Multipart)) {
		value := r.Multipart[name]
		if name == "" || value == nil {
			return invalid(`each key of "multipart" needs a name and a text`)
		}
		if out.Fields == nil {
			out.Fields = map[string]string{}
		}
		out.Fields[name] = *value
	}
	for i, f := range r.MultipartFiles {
		if text(f.Field) == "" || text(f.Path) == "" {
			return invalid(`file %d of the request payload needs a "field" and a "path"`, i+1)
		}
		out.Files = append(out.Files, File{Field: *f.Field, Path: *f.Path})
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...)
}
