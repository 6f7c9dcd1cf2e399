package broker_test

import (
	"testing"

	"aivault/broker"
	"aivault/vault"
)

func TestSuggestion(t *testing.T) {
	t.Parallel()
	allow := func(methods, paths []string) broker.Capability {
		return broker.Capability{Allow: vault.Allow{Methods: methods, Paths: paths}}
	}
	for name, c := range map[string]struct {
		in           broker.Description
		method, path string
	}{
		"the example": {
			broker.Description{Capability: allow([]string{"GET"}, []string{"/v1"}), Method: "GET", Path: "/v1", Example: "GET /v1/items?limit=1"},
			"GET", "/v1/items?limit=1",
		},
		"the defaults": {
			broker.Description{Capability: allow([]string{"GET", "PUT"}, []string{"/v1", "/v2"}), Method: "PUT", Path: "/v2"},
			"PUT", "/v2",
		},
		"POST before others": {broker.Description{Capability: allow([]string{"DELETE", "POST"}, []string{"/v1"})}, "POST", "/v1"},
		"the first of all":   {broker.Description{Capability: allow([]string{"DELETE", "GET"}, []string{"/v1", "/v2"})}, "DELETE", "/v1"},
	} {
		if method, path := c.in.Suggestion(); method != c.method || path != c.path {
			t.Errorf("%s: %s %s, want %s %s", name, method, path, c.method, c.path)
		}
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{200: "OK", 404: "Not Found", 599: ""} {
		if got := (&broker.Answer{Status: status}).Reason(); got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}
