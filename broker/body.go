package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
	"unicode"
	"unicode/utf8"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

// Limits of a multipart body, as its caller gave it.
const (
	maxParts    = 256
	maxPartName = 256 // bytes of a field's or file's name, or of a media type
)

// A payload is the body of a call, as it is sent, and what can be said of it
// before anything else is known: it may be long, and is looked at once.
type payload struct {
	body    []byte // nil: none
	kind    string // the media type that the broker gives it; empty: the caller's to say
	size    int64  // what counts for limits: of a multipart body, names and contents
	json    bool   // it is a JSON object or array
	refusal error  // of package policy
}

// encodeBody returns the body of a call. Whoever sends parts does not choose
// what stands between them: the boundary is random, 240 bits of it, so that no
// part can end itself early (case 61).
func encodeBody(call *Call) (payload, error) {
	switch {
	case len(call.Parts) > 0 && call.Body != nil:
		return payload{}, fault.New(fault.InvalidRequest, "the call has both a body and parts of a multipart body").WithHint("give one of them")
	case len(call.Parts) == 0:
		p := payload{body: call.Body, size: int64(len(call.Body)), json: isJSON(call.Body)}
		p.refusal = policy.CheckBody(contentType(call, p.json), p.body)
		return p, nil
	case len(call.Parts) > maxParts:
		return payload{}, fault.New(fault.RequestTooLarge, "the multipart body has more than %d parts", maxParts)
	}
	var p payload
	seen := map[string]bool{}
	for i, part := range call.Parts {
		if err := part.check(i); err != nil {
			return payload{}, err
		}
		if seen[part.Field] {
			return payload{}, fault.New(fault.InvalidRequest, "the multipart field %q is given twice", part.Field)
		}
		seen[part.Field] = true
		if p.refusal == nil {
			p.refusal = policy.CheckField(part.Field)
		}
		p.size += int64(len(part.Field) + len(part.File) + len(part.Data))
	}
	var buf bytes.Buffer
	buf.Grow(int(p.size) + 256*len(call.Parts))
	w := multipart.NewWriter(&buf)
	for _, part := range call.Parts {
		dst, err := w.CreatePart(part.header())
		if err == nil {
			_, err = dst.Write(part.Data)
		}
		if err != nil {
			return payload{}, fault.Wrap(fault.Internal, err, "writing the multipart body")
		}
	}
	if err := w.Close(); err != nil {
		return payload{}, fault.Wrap(fault.Internal, err, "writing the multipart body")
	}
	p.body, p.kind = buf.Bytes(), w.FormDataContentType()
	return p, nil
}

// contentType returns the type that a body is sent with: the caller's, or none.
func contentType(call *Call, isJSON bool) string {
	for _, h := range call.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			return h.Value
		}
	}
	if isJSON {
		return "application/json"
	}
	return ""
}

// isJSON reports whether a body is a JSON object or array. A lone number or
// string is JSON too, but more likely meant as text.
func isJSON(body []byte) bool {
	text := bytes.TrimLeft(body, " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[') && json.Valid(text)
}

// check refuses names that could be read as more than a name.
func (p *Part) check(i int) error {
	for _, name := range [...]string{p.Field, p.File, p.MediaType} {
		switch {
		case len(name) > maxPartName:
			return fault.New(fault.InvalidRequest, "a name or the media type of part %d of the multipart body is longer than %d bytes", i+1, maxPartName)
		case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
			return fault.New(fault.InvalidRequest, "a name or the media type of part %d of the multipart body has a line break, another control character, or is not UTF-8", i+1)
		}
	}
	if p.Field == "" {
		return fault.New(fault.InvalidRequest, "part %d of the multipart body has no field name", i+1)
	}
	if p.MediaType != "" {
		if _, _, err := mime.ParseMediaType(p.MediaType); err != nil || p.File == "" {
			return fault.New(fault.InvalidRequest, "part %d of the multipart body has a media type that is none, or is not a file's", i+1)
		}
	}
	return nil
}

// header is that of RFC 7578, section 4. Quotes in names are escaped as
// browsers do it (HTML, section 4.10.21.8).
func (p *Part) header() textproto.MIMEHeader {
	quote := strings.NewReplacer(`"`, "%22").Replace
	disposition := fmt.Sprintf(`form-data; name="%s"`, quote(p.Field))
	h := textproto.MIMEHeader{}
	if p.File != "" {
		disposition += fmt.Sprintf(`; filename="%s"`, quote(p.File))
		kind := p.MediaType
		if kind == "" {
			kind = "application/octet-stream"
		}
		h.Set("Content-Type", kind)
	}
	h.Set("Content-Disposition", disposition)
	return h
}
