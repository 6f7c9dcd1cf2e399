package broker

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Suggestion returns a method and a path that the capability allows, to begin
// with: those of its example, if it has one.
func (d *Description) Suggestion() (method, path string) {
	if method, path, ok := strings.Cut(d.Example, " "); ok {
		return method, path
	}
	method, path = d.Method, d.Path
	if method == "" && slices.Contains(d.Allow.Methods, http.MethodPost) {
		method = http.MethodPost
	}
	if method == "" && len(d.Allow.Methods) > 0 {
		method = d.Allow.Methods[0]
	}
	if path == "" && len(d.Allow.Paths) > 0 {
		path = d.Allow.Paths[0]
	}
	return method, path
}

// ExampleCall returns a call that the capability allows, to begin with: that of
// [Description.Suggestion], with the body of the example. The files among its
// parts have names, and nothing in them.
func (d *Description) ExampleCall() Call {
	c := Call{Capability: d.ID}
	c.Method, c.Path = d.Suggestion()
	for _, p := range d.ExampleParts {
		field, value, _ := strings.Cut(p, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			c.Parts = append(c.Parts, Part{Field: field, File: file})
		} else {
			c.Parts = append(c.Parts, Part{Field: field, Data: []byte(value)})
		}
	}
	if d.ExampleBody == "" {
		return c
	}
	c.Body = []byte(d.ExampleBody)
	if !json.Valid(c.Body) {
		c.Headers = []Header{{"Content-Type", "application/x-www-form-urlencoded"}}
	}
	return c
}

// Reason returns what the status of an answer means, in the words of RFC 9110,
// section 15; empty for one that it does not know. What the service itself
// called it is not kept.
func (a *Answer) Reason() string { return http.StatusText(a.Status) }
