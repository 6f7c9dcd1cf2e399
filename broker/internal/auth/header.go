package auth

import (
	"net/textproto"
	"strings"

	"aivault/broker/policy"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A header strategy sends the secret in a header.
type header struct {
	name  string // canonical
	value template
}

func newHeader(params []vault.Param) (Strategy, error) {
	p, err := onlyParam(KindHeader, KindMultiHeader, params)
	if err != nil {
		return nil, err
	}
	value, err := parseHeader(p)
	if err == nil && len(value.placeholders) == 0 {
		err = errNoPlaceholder("the header " + p.Name)
	}
	if err != nil {
		return nil, err
	}
	return header{name: textproto.CanonicalMIMEHeaderKey(p.Name), value: value}, nil
}

// parseHeader checks the name of a header and reads its template, which may
// lack a placeholder.
func parseHeader(p vault.Param) (template, error) {
	if err := checkHeaderName(p.Name); err != nil {
		return template{}, err
	}
	if strings.Trim(p.Value, " \t") != p.Value {
		return template{}, invalid("the template of the header %s begins or ends with a space", p.Name)
	}
	return parseTemplate("the header "+p.Name, p.Value)
}

// checkHeaderName refuses what is no name (RFC 9110, section 5.6.2), and
// headers that are about the message and not about who sends it: they frame
// the request, or choose what it is and where it goes.
func checkHeaderName(name string) error {
	const mark = "!#$%&'*+-.^_`|~"
	if name == "" || len(name) > 128 {
		return invalid("the name of the authentication header is empty or longer than 128 bytes")
	}
	for _, c := range []byte(name) {
		if !isAlnum(c) && strings.IndexByte(mark, c) < 0 {
			return invalid("the name of the authentication header is not a word that HTTP allows").
				WithHint("names have letters, digits and dashes")
		}
	}
	// A server behind CGI does not tell an underscore from a dash.
	lower := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	switch lower {
	case "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
		"accept-encoding", "cookie", "set-cookie", "via", "forwarded", "range", "user-agent":
	default:
		if !hasAnyPrefix(lower, "content-", "proxy-", "sec-", "x-forwarded-", "x-aivault-") && policy.MayManageHeader(name) {
			return nil
		}
	}
	return invalid("the header %s cannot carry authentication", name).
		WithHint("most services take authorization or x-api-key")
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func (h header) Managed() Managed { return Managed{Headers: []string{h.name}} }

func (h header) fits(placeholders []string) error {
	return needs(placeholders, h.value.placeholders...)
}

func (h header) check(values Values) error { return h.value.check(values, checkTrimmed) }

func (h header) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	if err := h.check(values); err != nil {
		return nil, err
	}
	rendered := h.value.render(values)
	m.Header[h.name] = []string{string(rendered)}
	return append(h.value.used(values), opaque.New(rendered)), nil
}

func (h header) Preview(m *Message, names map[string]string) error {
	_, err := h.Apply(m, standIns(names))
	return err
}
