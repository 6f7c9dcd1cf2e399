package auth

import (
	"net/textproto"
	"slices"
	"strings"

	"aivault/keys/opaque"
	"aivault/vault"
)

// A multi is what multi-header and multi-query have in common: several named
// templates. Some may be constants, not all.
type multi struct {
	names        []string
	templates    []template
	placeholders []string // of all templates, each once
}

// newMulti reads the parameters of a kind, each with parse. Names that a
// server may take for each other, in another case or with another sign between
// the words, are one name.
func newMulti(kind string, params []vault.Param, parse func(vault.Param) (template, error)) (multi, error) {
	var m multi
	for _, p := range params {
		t, err := parse(p)
		if err != nil {
			return multi{}, err
		}
		same := func(other string) bool { return foldName(other) == foldName(p.Name) }
		if slices.ContainsFunc(m.names, same) {
			return multi{}, invalid("authentication by %s has the name %s twice, or in two spellings", kind, p.Name)
		}
		m.names = append(m.names, p.Name)
		m.templates = append(m.templates, t)
		for _, name := range t.placeholders {
			if !slices.Contains(m.placeholders, name) {
				m.placeholders = append(m.placeholders, name)
			}
		}
	}
	if len(m.placeholders) == 0 {
		return multi{}, invalid("authentication by %s has no placeholder in any template", kind).
			WithHint("write {{%s}}, or {{FIELD}} for a field of a secret that is a JSON object", Placeholder)
	}
	return m, nil
}

// foldName makes one name of those that differ in case, and in what is neither
// letter nor digit.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isAlnum(byte(r)) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

// byField reports whether the placeholders are fields of the one secret there
// is: they are unless it is the only one.
func (m multi) byField(placeholders []string) bool {
	return slices.Equal(placeholders, []string{Placeholder}) && !slices.Equal(m.placeholders, placeholders)
}

func (m multi) fits(placeholders []string) error {
	if m.byField(placeholders) {
		return nil
	}
	return needs(placeholders, m.placeholders...)
}

func (m multi) check(values Values) error {
	own, err := m.resolve(values)
	own.clear()
	return err
}

// resolve returns a copy of the value of each placeholder, checked. Whoever
// calls it clears them.
func (m multi) resolve(values Values) (Values, error) {
	own := make(Values, len(m.placeholders))
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	if m.byField(names) {
		if err := m.readFields(values[Placeholder].Reveal(), own); err != nil {
			return own, err
		}
	} else {
		for _, name := range m.placeholders {
			if value, ok := values[name]; ok {
				own[name] = opaque.Clone(value.Reveal())
			}
		}
	}
	for _, t := range m.templates {
		if err := t.check(own, checkTrimmed); err != nil {
			return own, err
		}
	}
	return own, nil
}

// readFields adds the fields of a JSON object that the templates use, which are
// all that it has: one more is most likely one that was misspelt.
func (m multi) readFields(secret []byte, fields Values) error {
	o, err := parseObject(secret, `{"`+strings.Join(m.placeholders, `":"...","`)+`":"..."}`, m.placeholders...)
	if err != nil {
		return err
	}
	defer o.clear()
	for _, name := range m.placeholders {
		if fields[name], err = o.scalar(name); err != nil {
			return err
		}
	}
	return o.nothingBut(m.placeholders)
}

func (v Values) clear() {
	for _, value := range v {
		value.Clear()
	}
}

// render returns the rendered templates, and what must be redacted: values and
// whatever was rendered of them, but no constants.
func (m multi) render(values Values) (rendered []string, secrets []opaque.Bytes, err error) {
	own, err := m.resolve(values)
	if err != nil {
		own.clear()
		return nil, nil, err
	}
	for _, t := range m.templates {
		text := t.render(own)
		rendered = append(rendered, string(text))
		if len(t.placeholders) > 0 {
			secrets = append(secrets, opaque.New(text))
		}
	}
	for _, name := range m.placeholders {
		secrets = append(secrets, own[name])
	}
	return rendered, secrets, nil
}

// standIns are values for Preview: a field is <SECRET.field>.
func (m multi) standIns(names map[string]string) Values {
	placeholders := make([]string, 0, len(names))
	for name := range names {
		placeholders = append(placeholders, name)
	}
	if !m.byField(placeholders) {
		return standIns(names)
	}
	fields := make(map[string]string, len(m.placeholders))
	for _, field := range m.placeholders {
		fields[field] = names[Placeholder] + "." + field
	}
	return standIns(fields)
}

// A multiHeader strategy sends several headers.
type multiHeader struct{ multi }

func newMultiHeader(params []vault.Param) (Strategy, error) {
	m, err := newMulti(KindMultiHeader, params, parseHeader)
	if err != nil {
		return nil, err
	}
	for i, name := range m.names {
		m.names[i] = textproto.CanonicalMIMEHeaderKey(name)
	}
	return multiHeader{m}, nil
}

func (h multiHeader) Managed() Managed { return Managed{Headers: slices.Clone(h.names)} }

func (h multiHeader) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	rendered, secrets, err := h.render(values)
	if err != nil {
		return nil, err
	}
	for i, name := range h.names {
		m.Header[name] = []string{rendered[i]}
	}
	return secrets, nil
}

func (h multiHeader) Preview(m *Message, names map[string]string) error {
	values := h.standIns(names)
	for i, name := range h.names {
		m.Header[name] = []string{string(h.templates[i].render(values))}
	}
	return nil
}

// A multiQuery strategy sends several query parameters.
type multiQuery struct{ multi }

func newMultiQuery(params []vault.Param) (Strategy, error) {
	m, err := newMulti(KindMultiQuery, params, parseQuery)
	if err != nil {
		return nil, err
	}
	return multiQuery{m}, nil
}

func (q multiQuery) Managed() Managed { return Managed{Query: slices.Clone(q.names)} }

// Apply appends to the query, whose bytes stay as they are.
func (q multiQuery) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	rendered, secrets, err := q.render(values)
	if err != nil {
		return nil, err
	}
	for i, name := range q.names {
		addPair(m.URL, name, escapeQuery(rendered[i]))
	}
	return secrets, nil
}

// Preview leaves the brackets around the names bare, as that of query does.
func (q multiQuery) Preview(m *Message, names map[string]string) error {
	values := q.standIns(names)
	for i, name := range q.names {
		addPair(m.URL, name, string(q.templates[i].render(values)))
	}
	return nil
}
