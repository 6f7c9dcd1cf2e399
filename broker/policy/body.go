package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"

	"aivault/keys/fault"
)

// maxPart is how much is looked at of what could be the name of a part, in
// bytes; a longer one is none.
const maxPart = 64

// CheckBody refuses a body with a parameter by which frameworks take a POST for
// something else, such as _method: in a form, where the convention comes from,
// and among the members of a JSON object, where some look for it too. A body
// without a type is a form to some servers, and one of a malformed type may be
// anything.
func CheckBody(contentType string, body []byte) error {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(trimBlank(kind))
	form, multipart, object := strings.Contains(kind, "urlencoded"), strings.Contains(kind, "multipart/"), strings.Contains(kind, "json")
	if first, second, _ := strings.Cut(kind, "/"); !isToken(first) || !isToken(second) {
		form, multipart, object = true, true, true
	}
	if form || multipart || object {
		if err := checkCharset(contentType); err != nil {
			return err
		}
	}
	if form {
		if err := checkForm(string(body)); err != nil {
			return err
		}
	}
	if multipart {
		if err := checkPartNames(body); err != nil {
			return err
		}
	}
	if object {
		return checkMembers(body)
	}
	return nil
}

// CheckField refuses a form's field that overrides the method.
func CheckField(name string) error {
	if overridesMethod(name) {
		return fault.New(fault.PolicyViolation, "the body has a parameter that overrides the method").
			WithHint("give --method instead")
	}
	return nil
}

// checkForm decides on the names of a form as it is in URLs. Servers differ on
// whether a semicolon ends a pair.
func checkForm(form string) error {
	for pair := range strings.FieldsFuncSeq(form, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(pair, "=")
		if err := checkEncoded(name); err != nil {
			return err
		}
	}
	return nil
}

// checkEncoded decides on a name that may have escapes.
func checkEncoded(name string) error {
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return CheckField(name)
}

// checkPartNames decides on the names of a multipart body that the caller put
// together. Readers of such bodies forgive much, each something else, so that
// everything counts which could be the name of a part.
func checkPartNames(body []byte) error {
	lower := bytes.ToLower(body)
	for {
		_, rest, found := bytes.Cut(lower, []byte("name"))
		if !found {
			return nil
		}
		lower = rest
		rest, found = bytes.CutPrefix(bytes.TrimLeft(bytes.TrimPrefix(rest, []byte("*")), " \t"), []byte("="))
		if !found {
			continue
		}
		rest = bytes.TrimLeft(rest[:min(len(rest), maxPart)], " \t\"'")
		if !bytes.Contains(rest, []byte("method")) && bytes.IndexByte(rest, '%') < 0 {
			continue // most are none, and there may be many
		}
		if end := bytes.IndexAny(rest, "\";\r\n"); end >= 0 {
			rest = rest[:end]
		}
		name := strings.Trim(string(rest), " \t'")
		value := name[strings.LastIndexByte(name, '\'')+1:] // RFC 8187, as in UTF-8'en'name
		if err := cmp.Or(checkEncoded(name), checkEncoded(value)); err != nil {
			return err
		}
	}
}

// checkCharset refuses a body whose parameters some servers would read in a
// charset in which other bytes stand for their names.
func checkCharset(contentType string) error {
	_, params, _ := strings.Cut(contentType, ";")
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(trimBlank(name), "charset") {
			continue
		}
		switch strings.ToLower(strings.Trim(value, " \t\"'")) {
		case "", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252":
		default:
			return errCharset()
		}
	}
	return nil
}

func errCharset() error {
	return fault.New(fault.PolicyViolation, "the body is in a charset in which its parameters cannot be read").
		WithHint("send it in UTF-8")
}

// checkMembers decides on the names of a JSON object's members. A byte order
// mark before it is none of it to many readers (RFC 8259, section 8.1), and
// JSON has no zero bytes but in UTF-16 and UTF-32.
func checkMembers(body []byte) error {
	const marks = "\x00\xfe\xff" // of UTF-16 and UTF-32
	if head := bytes.TrimLeft(body, marks+" \t\r\n"); bytes.HasPrefix(head, []byte("{")) && bytes.IndexByte(body, 0) >= 0 {
		return errCharset()
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	in := json.NewDecoder(bytes.NewReader(body))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return checkQuoted(body[in.InputOffset():])
		}
		if text, ok := name.(string); ok {
			if err := CheckField(text); err != nil {
				return err
			}
		}
		var value json.RawMessage
		if in.Decode(&value) != nil {
			return checkQuoted(body[in.InputOffset():])
		}
	}
	return nil
}

// checkQuoted decides on whatever stands in quotes in text that is no JSON, but
// to a lenient reader.
func checkQuoted(text []byte) error {
	text = text[:bytes.LastIndexByte(text, '"')+1] // what follows is in none
	for piece := range bytes.SplitSeq(text, []byte(`"`)) {
		if len(piece) > maxPart {
			continue
		}
		name := string(piece)
		if strings.Contains(name, `\`) && json.Unmarshal([]byte(`"`+name+`"`), &name) != nil {
			continue
		}
		if err := CheckField(name); err != nil {
			return err
		}
	}
	return nil
}
