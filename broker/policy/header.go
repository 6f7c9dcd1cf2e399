package policy

import (
	"net/textproto"
	"strings"
	"unicode/utf8"

	"aivault/keys/fault"
)

// Limits of the headers of one request, as its caller gave them.
const (
	maxHeaders     = 100
	maxHeaderName  = 128      // bytes
	maxHeaderBytes = 32 << 10 // names and values together
)

// ParseHeaderFlag reads a header as it is written on the command line,
// "Name: value" or "Name=value"; the sign that comes first counts. Whether the
// header is allowed is for [Decide]. The text may be a secret that was put in
// the wrong place, so no error repeats it.
func ParseHeaderFlag(s string) (Header, error) {
	from := 0
	if strings.HasPrefix(s, ":") {
		from = 1 // a pseudo header of HTTP/2, refused by that name
	}
	at := strings.IndexAny(s[from:], ":=")
	if at < 0 {
		return Header{}, fault.New(fault.InvalidRequest, "a header has neither a colon nor an equals sign").
			WithHint("write --header 'Name: value'")
	}
	h := Header{Name: trimBlank(s[:from+at]), Value: trimBlank(s[from+at+1:])}
	if err := checkHeaderShapes([]Header{h}); err != nil {
		return Header{}, err
	}
	return h, nil
}

// ParseHeaderName returns the canonical form of a header name that a
// capability lists, or an error if no capability may: see [Decide] for the
// classes that are refused.
func ParseHeaderName(s string) (string, error) {
	if err := checkHeaderShapes([]Header{{Name: s}}); err != nil {
		return "", err
	}
	var buf [maxHeaderName]byte
	if c := classify(fold(buf[:0], s)); c.refused && !c.listable {
		return "", c.refuse(s)
	}
	return textproto.CanonicalMIMEHeaderKey(s), nil
}

// checkHeaderShapes refuses headers that are too many, too large, or not
// headers at all. Names are tokens of RFC 9110, section 5.6.2; values are
// UTF-8 without control characters other than TAB.
func checkHeaderShapes(headers []Header) error {
	total := 0
	for _, h := range headers {
		total += len(h.Name) + len(h.Value)
	}
	if len(headers) > maxHeaders || total > maxHeaderBytes {
		return fault.New(fault.RequestTooLarge, "the request has more than %d headers or %d bytes of them", maxHeaders, maxHeaderBytes)
	}
	for i, h := range headers {
		if len(h.Name) > maxHeaderName {
			return fault.New(fault.RequestTooLarge, "the name of header %d is longer than %d bytes", i+1, maxHeaderName)
		}
		if strings.HasPrefix(h.Name, ":") {
			return fault.New(fault.PolicyViolation, "header %d is a pseudo header of HTTP/2, which belongs to the request line", i+1).
				WithHint("leave it out")
		}
		if !isToken(h.Name) {
			return fault.New(fault.InvalidRequest, "the name of header %d is not a word that HTTP allows", i+1).
				WithHint("names have letters, digits and dashes; write --header 'Name: value'")
		}
		if !isHeaderValue(h.Value) {
			return fault.New(fault.InvalidRequest, "the value of the header %s has a line break, another control character, or is not UTF-8", h.Name)
		}
	}
	return nil
}

func isHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// filterHeaders returns the headers that are sent, in canonical form, or an
// error if one of them is not allowed. The headers have passed
// checkHeaderShapes.
func (r Rule) filterHeaders(headers []Header) ([]Header, error) {
	if len(headers) == 0 {
		return nil, nil
	}
	kept := make([]Header, 0, len(headers))
	var buf [maxHeaderName]byte
	for i, h := range headers {
		class := classify(fold(buf[:0], h.Name))
		listed := containsName(r.Headers, h.Name)
		switch {
		case class.refused && !(class.listable && listed):
			return nil, class.refuse(h.Name)
		case containsName(r.ManagedHeaders, h.Name):
			return nil, fault.New(fault.PolicyViolation, "the header %s is set by the broker", h.Name).
				WithHint("leave it out: the credential brings it")
		case repeats(headers[:i], h.Name):
			return nil, fault.New(fault.PolicyViolation, "the header %s is given twice, or in two spellings", h.Name)
		case class.dropped:
			continue
		case len(r.Headers) > 0 && !listed:
			return nil, fault.New(fault.PolicyViolation, "the capability does not allow the header %s", h.Name).
				WithHint("it allows %s", strings.Join(r.Headers, ", "))
		}
		kept = append(kept, Header{textproto.CanonicalMIMEHeaderKey(h.Name), trimBlank(h.Value)})
	}
	return kept, nil
}

func repeats(earlier []Header, name string) bool {
	for _, h := range earlier {
		if sameName(h.Name, name) {
			return true
		}
	}
	return false
}

func containsName(list []string, name string) bool {
	for _, s := range list {
		if sameName(s, name) {
			return true
		}
	}
	return false
}

// sameName reports whether two header names are one to a server behind CGI,
// where all that is no letter or digit becomes an underscore.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if foldByte(a[i]) != foldByte(b[i]) {
			return false
		}
	}
	return true
}

// fold appends the folded name to dst: lower case, and a dash for all that is
// no letter or digit.
func fold(dst []byte, name string) []byte {
	for i := range len(name) {
		dst = append(dst, foldByte(name[i]))
	}
	return dst
}

func foldByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case isAlnum(c):
		return c
	}
	return '-'
}

// trimBlank removes the optional white space of RFC 9110, section 5.6.3.
func trimBlank(s string) string { return strings.Trim(s, " \t") }
