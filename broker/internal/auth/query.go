package auth

import (
	"net/url"
	"strings"

	"aivault/broker/policy"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A query strategy sends the secret in a query parameter.
type query struct {
	name  string // needs no escape
	value template
}

func newQuery(params []vault.Param) (Strategy, error) {
	p, err := onlyParam(KindQuery, KindMultiQuery, params)
	if err != nil {
		return nil, err
	}
	value, err := parseQuery(p)
	if err == nil && len(value.placeholders) == 0 {
		err = errNoPlaceholder("the query parameter " + p.Name)
	}
	if err != nil {
		return nil, err
	}
	return query{name: p.Name, value: value}, nil
}

// parseQuery checks the name of a query parameter and reads its template,
// which may lack a placeholder.
func parseQuery(p vault.Param) (template, error) {
	if p.Name == "" || len(p.Name) > 128 {
		return template{}, invalid("the name of the query parameter is empty or longer than 128 bytes")
	}
	for _, c := range []byte(p.Name) {
		if !isAlnum(c) && strings.IndexByte("-._~", c) < 0 {
			return template{}, invalid("the name of the query parameter has a character that would need an escape").
				WithHint("names have letters, digits, dashes, dots and underscores")
		}
	}
	if !policy.MayManageQuery(p.Name) {
		return template{}, invalid("the query parameter %s overrides the method, and cannot carry authentication", p.Name)
	}
	return parseTemplate("the query parameter "+p.Name, p.Value)
}

func (q query) Managed() Managed { return Managed{Query: []string{q.name}} }

func (q query) fits(placeholders []string) error { return needs(placeholders, q.value.placeholders...) }

func (q query) check(values Values) error { return q.value.check(values, checkTrimmed) }

// Apply appends to the query, whose bytes stay as they are.
func (q query) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	if err := q.check(values); err != nil {
		return nil, err
	}
	rendered := q.value.render(values)
	addPair(m.URL, q.name, escapeQuery(string(rendered)))
	return append(q.value.used(values), opaque.New(rendered)), nil
}

// escapeQuery escapes a space as %20, which is understood by those too who take
// a plus sign for a plus.
func escapeQuery(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// addPair appends to the query a name and a value that are escaped.
func addPair(u *url.URL, name, value string) {
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += name + "=" + value
}

// Preview leaves the brackets around the names bare, so that they can be read.
func (q query) Preview(m *Message, names map[string]string) error {
	addPair(m.URL, q.name, string(q.value.render(standIns(names))))
	return nil
}
