package broker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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

func TestExampleCall(t *testing.T) {
	t.Parallel()
	post := broker.Description{Capability: broker.Capability{ID: "acme/items"}, Example: "POST /v1/items"}
	for body, want := range map[string]broker.Call{
		"":        {},
		`{"a":1}`: {Body: []byte(`{"a":1}`)},
		"a=1&b=2": {Body: []byte("a=1&b=2"), Headers: []broker.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}},
	} {
		d := post
		d.ExampleBody = body
		want.Capability, want.Method, want.Path = "acme/items", "POST", "/v1/items"
		if diff := cmp.Diff(d.ExampleCall(), want); diff != "" {
			t.Errorf("%q (-got +want)\n%s", body, diff)
		}
	}
	post.ExampleParts = []string{"purpose=batch", "file=@in.jsonl"}
	parts := []broker.Part{{Field: "purpose", Data: []byte("batch")}, {Field: "file", File: "in.jsonl"}}
	if diff := cmp.Diff(post.ExampleCall().Parts, parts); diff != "" {
		t.Errorf("parts (-got +want)\n%s", diff)
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
