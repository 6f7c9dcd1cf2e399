package auth

import (
	"net/url"
	"strings"

	"aivault/keys/opaque"
	"aivault/vault"
)

// A query strategy sends the secret in a query parameter.
type query struct {
	name  string // needs no escape
	value template
}

func newQuery(params []vault.Param) (Strategy, error) {
	p, err := onlyParam(KindQuery, "multi-query", params)
	if err != nil {
		return nil, err
	}
	if p.Name == "" || len(p.Name) > 128 {
		return nil, invalid("the name of the query parameter is empty or longer than 128 bytes")
	}
	for _, c := range []byte(p.Name) {
		if !isAlnum(c) && strings.IndexByte("-._~", c) < 0 {
			return nil, invalid("the name of the query parameter has a character that would need an escape").
				WithHint("names have letters, digits, dashes, dots and underscores")
		}
	}
	value, err := parseSecretTemplate("the query parameter "+p.Name, p.Value)
	if err != nil {
		return nil, err
	}
	return query{name: p.Name, value: value}, nil
}

func (q query) Managed() Managed { return Managed{Query: []string{q.name}} }

func (q query) check(values Values) error { return q.value.check(values, checkTrimmed) }

// Apply appends to the query, whose bytes stay as they are.
func (q query) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	if err := q.check(values); err != nil {
		return nil, err
	}
	rendered := q.value.render(values)
	// A space as %20 is understood by those who take a plus sign for a plus.
	pair := q.name + "=" + strings.ReplaceAll(url.QueryEscape(string(rendered)), "+", "%20")
	if m.URL.RawQuery != "" {
		pair = m.URL.RawQuery + "&" + pair
	}
	m.URL.RawQuery = pair
	return append(q.value.used(values), opaque.New(rendered)), nil
}

// Preview leaves the brackets around the names bare, so that they can be read.
func (q query) Preview(m *Message, names map[string]string) error {
	pair := q.name + "=" + string(q.value.render(standIns(names)))
	if m.URL.RawQuery != "" {
		pair = m.URL.RawQuery + "&" + pair
	}
	m.URL.RawQuery = pair
	return nil
}
