package auth

import (
	"net/url"
	"strings"

	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

const paramPrefix = "prefix"

// A pathPrefix strategy puts the secret before the path, as the Telegram Bot
// API has it: /bot123:secret/getMe.
type pathPrefix struct {
	value template // in the canonical form of package policy
}

func newPath(params []vault.Param) (Strategy, error) {
	if len(params) != 1 || params[0].Name != paramPrefix {
		return nil, invalid("authentication by path takes one parameter, %s", paramPrefix)
	}
	value, err := parseSecretTemplate("the path", params[0].Value)
	if err != nil {
		return nil, err
	}
	if len(value.placeholders) != 1 {
		return nil, invalid("the template of the path has %d placeholders instead of one", len(value.placeholders))
	}
	sample := value.literals[0] + "x" + value.literals[1]
	canonical, err := policy.ParsePrefix(sample)
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.InvalidRequest, err, "the template of the path is not the beginning of a path")
	case canonical != sample:
		return nil, invalid("the template of the path has an escape that is not needed, or in lower case")
	case value.literals[0] == "/":
		// Otherwise every path of a caller would begin as the prefix does.
		return nil, invalid("the template of the path has nothing before the secret but a slash").
			WithHint("write /bot{{%s}} or /key/{{%s}}", Placeholder, Placeholder)
	case strings.HasSuffix(sample, "/"):
		return nil, invalid("the template of the path ends in a slash, and the path begins with one").
			WithHint("leave out the last slash")
	}
	return pathPrefix{value}, nil
}

func (p pathPrefix) Managed() Managed { return Managed{Path: p.value.literals[0]} }

func (p pathPrefix) fits(placeholders []string) error {
	return needs(placeholders, p.value.placeholders...)
}

// check keeps the secret within its segment (case 20), and to characters that
// stand for themselves in every path: another one could be escaped on the way.
func (p pathPrefix) check(values Values) error {
	if err := p.value.check(values, checkSegment); err != nil {
		return err
	}
	rendered := p.value.render(values)
	defer clear(rendered)
	if canonical, err := policy.ParsePrefix(string(rendered)); err != nil || canonical != string(rendered) {
		return invalid("the secret for {{%s}} gives no path that can be sent", p.value.placeholders[0])
	}
	return nil
}

// checkSegment lets pass what RFC 3986, section 3.3, allows bare in a segment,
// without the semicolon, which begins a matrix parameter.
func checkSegment(what string, value []byte) error {
	if len(value) == 0 {
		return invalid("%s is empty", what)
	}
	for _, c := range value {
		if !isAlnum(c) && strings.IndexByte("-._~!$&'()*+,=:@", c) < 0 {
			return invalid("%s has a character that cannot be in a path as it is", what).
				WithHint("in a path a secret has letters, digits and -._~:, and no slash, space or line break")
		}
	}
	if strings.Contains(string(value), "..") {
		return invalid("%s has two dots in a row, which cannot be in a path", what)
	}
	return nil
}

func (p pathPrefix) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	if err := p.check(values); err != nil {
		return nil, err
	}
	rendered := p.value.render(values)
	decoded, err := url.PathUnescape(string(rendered))
	if err != nil {
		clear(rendered)
		return nil, fault.New(fault.Internal, "a path that was checked cannot be decoded")
	}
	// RawPath first: EscapedPath looks at both.
	m.URL.RawPath = string(rendered) + m.URL.EscapedPath()
	m.URL.Path = decoded + m.URL.Path
	return append(p.value.used(values), opaque.New(rendered)), nil
}

// Preview leaves the brackets around the name bare in RawPath, so that it can
// be read there. EscapedPath would escape them.
func (p pathPrefix) Preview(m *Message, names map[string]string) error {
	rendered := string(p.value.render(standIns(names)))
	m.URL.RawPath = rendered + m.URL.EscapedPath()
	m.URL.Path = rendered + m.URL.Path
	return nil
}
