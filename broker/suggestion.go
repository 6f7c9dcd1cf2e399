package broker

import (
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

// Reason returns what the status of an answer means, in the words of RFC 9110,
// section 15; empty for one that it does not know. What the service itself
// called it is not kept.
func (a *Answer) Reason() string { return http.StatusText(a.Status) }
