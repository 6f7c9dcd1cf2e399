package auth

import (
	"slices"
	"strings"

	"aivault/keys/opaque"
	"aivault/vault"
)

// maxTemplate is the length of the longest template, in bytes.
const maxTemplate = 1024

// A template is text with placeholders in it: literals and placeholders in
// turn, beginning and ending with a literal.
type template struct {
	literals     []string
	placeholders []string // one less than literals
}

// parseTemplate reads a template. The field names it in errors.
func parseTemplate(field, text string) (template, error) {
	if len(text) > maxTemplate {
		return template{}, invalid("the template of %s is longer than %d bytes", field, maxTemplate)
	}
	var t template
	for rest := text; ; {
		literal, after, found := strings.Cut(rest, "{{")
		if strings.Contains(literal, "}}") {
			return template{}, invalid("the template of %s closes a placeholder that is not open", field)
		}
		if checkText("", []byte(literal)) != nil {
			return template{}, invalid("the template of %s has a line break or another control character", field)
		}
		t.literals = append(t.literals, literal)
		if !found {
			return t, nil
		}
		name, after, found := strings.Cut(after, "}}")
		switch {
		case !found:
			return template{}, invalid("the template of %s has a placeholder that is not closed", field).
				WithHint("write {{%s}}", Placeholder)
		case !isPlaceholder(name):
			return template{}, invalid("the template of %s has a placeholder with a wrong name", field).
				WithHint("names have letters, digits and underscores, and dots for fields of fields: {{%s}}", Placeholder)
		}
		if slices.Contains(t.placeholders, name) {
			return template{}, invalid("the template of %s has {{%s}} twice", field, name).
				WithHint("write it once")
		}
		t.placeholders = append(t.placeholders, name)
		rest = after
	}
}

// parseSecretTemplate reads a template that must have a placeholder.
func parseSecretTemplate(field, text string) (template, error) {
	t, err := parseTemplate(field, text)
	if err == nil && len(t.placeholders) == 0 {
		return template{}, errNoPlaceholder(field)
	}
	return t, err
}

func errNoPlaceholder(field string) error {
	return invalid("the template of %s has no placeholder", field).
		WithHint("write {{%s}} where the secret goes", Placeholder)
}

func isPlaceholder(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return len(name) <= 64 && !slices.ContainsFunc(strings.Split(name, "."), func(part string) bool {
		return part == "" || strings.Trim(part, letters) != ""
	})
}

// check has every value that the template uses checked. An error names the
// placeholder.
func (t template) check(values Values, one func(what string, value []byte) error) error {
	for _, name := range t.placeholders {
		value, ok := values[name]
		if !ok {
			return errMissing(name)
		}
		if err := one("the secret for {{"+name+"}}", value.Reveal()); err != nil {
			return err
		}
	}
	return nil
}

// render returns the text with the values in place of their placeholders, in a
// buffer of its own that no append has left copies of.
func (t template) render(values Values) []byte {
	size := 0
	for i, literal := range t.literals {
		size += len(literal)
		if i < len(t.placeholders) {
			size += values[t.placeholders[i]].Len()
		}
	}
	out := make([]byte, 0, size)
	for i, literal := range t.literals {
		out = append(out, literal...)
		if i < len(t.placeholders) {
			out = append(out, values[t.placeholders[i]].Reveal()...)
		}
	}
	return out
}

// used returns the values that the template uses.
func (t template) used(values Values) []opaque.Bytes {
	list := make([]opaque.Bytes, 0, len(t.placeholders)+1)
	for _, name := range t.placeholders {
		list = append(list, values[name])
	}
	return list
}

// onlyParam returns the only parameter of a kind that takes one.
func onlyParam(kind, other string, params []vault.Param) (vault.Param, error) {
	if len(params) == 1 {
		return params[0], nil
	}
	err := invalid("authentication by %s has %d parameters instead of one", kind, len(params))
	if len(params) > 1 {
		err = err.WithHint("use %s", other)
	}
	return vault.Param{}, err
}

// standIns are values for Preview: the name of each secret in angle brackets.
func standIns(names map[string]string) Values {
	values := make(Values, len(names))
	for placeholder, name := range names {
		values[placeholder] = opaque.New([]byte("<" + name + ">"))
	}
	return values
}
