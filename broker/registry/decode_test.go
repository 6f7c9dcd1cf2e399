package registry_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
	"aivault/keys/fault"
)

// small is a provider that is right. The cases break it.
const small = `{
  "id": "acme", "name": "Acme", "docs_url": "https://acme.test/docs", "verified_on": "2026-11-23",
  "hosts": ["api.acme.test"],
  "headers": [{"name": "Acme-Version", "value": "1"}],
  "credentials": [
    {"id": "", "secrets": [{"placeholder": "secret", "name": "ACME_KEY"}],
     "auth": {"kind": "query", "params": [{"name": "key", "value": "{{secret}}"}]}},
    {"id": "pair", "secrets": [{"placeholder": "username", "name": "ACME_USER"}, {"placeholder": "password", "name": "ACME_PASS"}],
     "auth": {"kind": "basic", "params": [{"name": "username", "value": "{{username}}"}, {"name": "password", "value": "{{password}}"}]},
     "capabilities": ["acme/items"]},
    {"id": "both", "secrets": [{"placeholder": "secret", "name": "ACME_BOTH"}], "auth": {"kind": "basic"}}
  ],
  "capabilities": [
    {"id": "acme/items", "description": "Items", "methods": ["GET"], "paths": ["/v1/items"]},
    {"id": "acme/verbs", "description": "Verbs", "hosts": ["api.acme.test"], "methods": ["POST"], "raw_paths": ["/v1/do."]}
  ]
}`

func TestDecode(t *testing.T) {
	got, err := registry.Decode([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	want := &registry.Provider{
		ID: "acme", Name: "Acme", DocsURL: "https://acme.test/docs", VerifiedOn: "2026-11-23",
		Hosts:   []string{"api.acme.test"},
		Headers: []registry.Header{{Name: "Acme-Version", Value: "1"}},
		Credentials: []registry.Credential{
			{
				Secrets: []registry.SecretSlot{{Placeholder: "secret", Name: "ACME_KEY"}},
				Auth:    registry.Auth{Kind: "query", Params: []registry.Param{{Name: "key", Value: "{{secret}}"}}},
			},
			{
				ID:      "pair",
				Secrets: []registry.SecretSlot{{Placeholder: "username", Name: "ACME_USER"}, {Placeholder: "password", Name: "ACME_PASS"}},
				Auth: registry.Auth{Kind: "basic", Params: []registry.Param{
					{Name: "username", Value: "{{username}}"}, {Name: "password", Value: "{{password}}"},
				}},
				Capabilities: []string{"acme/items"},
			},
			{ID: "both", Secrets: []registry.SecretSlot{{Placeholder: "secret", Name: "ACME_BOTH"}}, Auth: registry.Auth{Kind: "basic"}},
		},
		Capabilities: []registry.Capability{
			{ID: "acme/items", Description: "Items", Hosts: []string{"api.acme.test"}, Methods: []string{"GET"}, Paths: []string{"/v1/items"}},
			{ID: "acme/verbs", Description: "Verbs", Hosts: []string{"api.acme.test"}, Methods: []string{"POST"}, RawPaths: []string{"/v1/do."}},
		},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tc := range []struct{ name, old, new string }{
		{"unknown key", `"name": "Acme"`, `"name": "Acme", "logo": ""`},
		{"unknown key within", `"description": "Items"`, `"description": "Items", "scopes": []`},
		{"repeated key", `"name": "Acme"`, `"name": "Acme", "name": "Other"`},
		{"repeated key, escaped", `"name": "Acme"`, `"name": "Acme", "n\u0061me": "Other"`},
		{"key in another case", `"name": "Acme"`, `"Name": "Acme"`},
		{"key with a long s", `"hosts"`, `"hoſts"`},
		{"null", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test"], "notes": null`},
		{"half a surrogate pair", `"Acme"`, `"\ud800"`},
		{"bad UTF-8", `"Acme"`, "\"\xff\""},
		{"wrong type", `"Acme"`, `7`},
		{"cut short", `"raw_paths": ["/v1/do."]}`, ``},
		{"deep", `"Acme"`, strings.Repeat("[", 10) + strings.Repeat("]", 10)},

		{"id in upper case", `"id": "acme"`, `"id": "Acme"`},
		{"no name", `"Acme"`, `""`},
		{"docs over http", `https://acme.test/docs`, `http://acme.test/docs`},
		{"no date", `2026-11-23`, `2026-13-01`},
		{"no hosts", `"hosts": ["api.acme.test"]`, `"hosts": []`},
		{"host with a port", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test:8443"]`},
		{"host that is an address", `"hosts": ["api.acme.test"]`, `"hosts": ["127.0.0.1"]`},
		{"wildcard of a whole zone", `"hosts": ["api.acme.test"]`, `"hosts": ["*.test"]`},
		{"wildcard within", `"hosts": ["api.acme.test"]`, `"hosts": ["api.*.acme.test"]`},
		{"wildcard of a part", `"hosts": ["api.acme.test"]`, `"hosts": ["*-api.acme.test"]`},
		{"wildcard of everything", `"hosts": ["api.acme.test"]`, `"hosts": ["*"]`},
		{"host under a wildcard", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test", "*.acme.test"]`},
		{"other host instead of none", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test"], "other_hosts": [{"host": "eu.acme.test", "instead_of": "us.acme.test", "description": "Europe"}]`},
		{"other host without a word", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test"], "other_hosts": [{"host": "eu.acme.test", "instead_of": "api.acme.test", "description": ""}]`},
		{"other host that is one already", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test"], "other_hosts": [{"host": "api.acme.test", "instead_of": "api.acme.test", "description": "Europe"}]`},
		{"other host that is an address", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test"], "other_hosts": [{"host": "10.0.0.1", "instead_of": "api.acme.test", "description": "Europe"}]`},
		{"host twice", `"hosts": ["api.acme.test"]`, `"hosts": ["api.acme.test", "api.acme.test"]`},
		{"header value with a line break", `"value": "1"`, `"value": "1\n"`},
		{"header name with a space", `Acme-Version`, `Acme Version`},

		{"no primary credential", `{"id": "",`, `{"id": "first",`},
		{"two primary credentials", `"id": "pair"`, `"id": ""`},
		{"credential id taken by scopes", `"id": "pair"`, `"id": "ws"`},
		{"credential id twice", `"id": "both"`, `"id": "pair"`},
		{"credential id with a colon", `"id": "both"`, `"id": "a:b"`},
		{"no secrets", `"secrets": [{"placeholder": "secret", "name": "ACME_BOTH"}]`, `"secrets": []`},
		{"secret name in lower case", `ACME_BOTH`, `acme_both`},
		{"empty placeholder", `{"placeholder": "secret", "name": "ACME_BOTH"}`, `{"placeholder": "", "name": "ACME_BOTH"}`},
		{"placeholder twice", `"placeholder": "username"`, `"placeholder": "password"`},
		{"unknown kind", `"kind": "query"`, `"kind": "oauth"`},
		{"no kind", `"kind": "query"`, `"kind": ""`},
		{"query with two parameters", `{"name": "key", "value": "{{secret}}"}`, `{"name": "key", "value": "{{secret}}"}, {"name": "k", "value": "x"}`},
		{"secret that no template uses", `"value": "{{secret}}"`, `"value": "constant"`},
		{"template without its secret", `"value": "{{secret}}"`, `"value": "{{secret}}{{other}}"`},
		{"template left open", `"value": "{{secret}}"`, `"value": "{{secret}}{{"`},
		{"template closed twice", `"value": "{{secret}}"`, `"value": "{{secret}}}}"`},
		{"basic with one part", `{"name": "username", "value": "{{username}}"}, `, ``},
		{"basic without a user", `{"name": "username", "value": "{{username}}"}`, `{"name": "username", "value": ""}`},
		{"query without a value", `"value": "{{secret}}"`, `"value": ""`},
		{"basic with two secrets and no parts", `{"placeholder": "secret", "name": "ACME_BOTH"}`, `{"placeholder": "secret", "name": "ACME_BOTH"}, {"placeholder": "more", "name": "ACME_MORE"}`},
		{"credential for no capability", `"capabilities": ["acme/items"]`, `"capabilities": []`},
		{"credential for an unknown capability", `"capabilities": ["acme/items"]`, `"capabilities": ["acme/none"]`},

		{"capability of another provider", `"id": "acme/items"`, `"id": "other/items"`},
		{"capability without a name", `"id": "acme/items"`, `"id": "acme/"`},
		{"capabilities out of order", `"id": "acme/items"`, `"id": "acme/zebras"`},
		{"no description", `"Items"`, `""`},
		{"no methods", `["GET"]`, `[]`},
		{"method in lower case", `["GET"]`, `["get"]`},
		{"method twice", `["GET"]`, `["GET", "GET"]`},
		{"no paths", `"paths": ["/v1/items"]`, `"paths": []`},
		{"path without a slash", `"/v1/items"`, `"v1/items"`},
		{"path with dots", `"/v1/items"`, `"/v1/../items"`},
		{"path with an escape", `"/v1/items"`, `"/v1/%69tems"`},
		{"path with a query", `"/v1/items"`, `"/v1/items?x"`},
		{"path with an empty segment", `"/v1/items"`, `"/v1//items"`},
		{"whole host unmarked", `"/v1/items"`, `"/"`},
		{"whole host marked for nothing", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "whole_host": true`},
		{"raw path that is everything", `"/v1/do."`, `"/"`},
		{"foreign host", `"hosts": ["api.acme.test"], "methods"`, `"hosts": ["evil.test"], "methods"`},
		{"two hosts", `"hosts": ["api.acme.test"], "methods"`, `"hosts": ["api.acme.test", "api.acme.test"], "methods"`},
		{"overlap with nothing", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "overlaps": ["acme/none"]`},
		{"capability at an other host", `"hosts": ["api.acme.test"], "methods"`, `"hosts": ["eu.acme.test"], "methods"`},
		{"exception from nothing", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "except": ["/v1/other"]`},
		{"exception from all", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "except": ["/v1/items"]`},
		{"exception that is no path", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "except": ["/v1/items/../x"]`},
		{"body that is neither JSON nor a form", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "example_body": "{\"a\":"`},
		{"body of a form with a space", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "example_body": "a=b c"`},
		{"body and parts", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "example_body": "{}", "example_parts": ["a=b"]`},
		{"part without a value", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "example_parts": ["a"]`},
		{"values that look like nothing", `"name": "ACME_KEY"`, `"name": "ACME_KEY", "looks_like": [""]`},
		{"login without oauth2", `"value": "{{secret}}"}]}}`, `"value": "{{secret}}"}]}, "login": {"authorization_endpoint": "https://acme.test/authorize"}}`},
		{"malformed header", `"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "headers": ["a b"]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(small, tc.old) == 0 {
				t.Fatalf("the case changes nothing")
			}
			if p, err := registry.Decode([]byte(strings.Replace(small, tc.old, tc.new, 1))); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
	for name, data := range map[string]string{
		"nothing":         "",
		"trailing object": small + "{}",
		"trailing text":   small + "x",
		"array":           "[" + small + "]",
		"byte order mark": "\ufeff" + small,
	} {
		if _, err := registry.Decode([]byte(data)); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := registry.Decode(append([]byte(small), make([]byte, 300<<10)...)); fault.CodeOf(err) != fault.RequestTooLarge {
		t.Errorf("large: got %v", err)
	}
}

// TestDecodeMore reads what a file may have and the small one has not.
func TestDecodeMore(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer(
		`"hosts": ["api.acme.test"],
  "headers"`, `"hosts": ["api.acme.test", "*.acme.example", "login.acme.test"],
  "other_hosts": [
    {"host": "eu.acme.test", "instead_of": "api.acme.test", "description": "Europe"},
    {"host": "*.sandbox.acme.example", "instead_of": "*.acme.example", "description": "Sandboxes"}
  ],
  "headers"`,
		`"name": "ACME_KEY"`, `"name": "ACME_KEY", "looks_like": ["ak-", "test-"]`,
		`"name": "ACME_BOTH"}], "auth": {"kind": "basic"}}`, `"name": "ACME_OAUTH"}],
     "auth": {"kind": "oauth2", "params": [{"name": "grant_type", "value": "refresh_token"}, {"name": "token_endpoint", "value": "https://login.acme.test/token"}]},
     "login": {"authorization_endpoint": "https://acme.test/authorize", "scopes": ["read"], "params": [{"name": "access_type", "value": "offline"}]}},
    {"id": "json", "secrets": [{"placeholder": "secret", "name": "ACME_JSON"}],
     "auth": {"kind": "multi-header", "params": [{"name": "x-key", "value": "{{key}}"}, {"name": "x-account", "value": "{{account}}"}]}}`,
		`"paths": ["/v1/items"]`, `"paths": ["/v1/items"], "except": ["/v1/items/purge"], "encoded_slash": true, "opaque_body": true, "example_body": "a=b&c[0]=d"`,
		`"hosts": ["api.acme.test"], "methods": ["POST"]`, `"hosts": ["*.acme.example"], "methods": ["POST"], "example_parts": ["purpose=x", "file=@y.csv"]`,
	).Replace(small)
	p, err := registry.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	wantOther := []registry.OtherHost{
		{Host: "eu.acme.test", InsteadOf: "api.acme.test", Description: "Europe"},
		{Host: "*.sandbox.acme.example", InsteadOf: "*.acme.example", Description: "Sandboxes"},
	}
	wantLogin := &registry.Login{
		AuthorizationEndpoint: "https://acme.test/authorize", Scopes: []string{"read"},
		Params: []registry.Param{{Name: "access_type", Value: "offline"}},
	}
	wantCapabilities := []registry.Capability{
		{
			ID: "acme/items", Description: "Items", Hosts: []string{"api.acme.test", "eu.acme.test"}, Methods: []string{"GET"},
			Paths: []string{"/v1/items"}, Except: []string{"/v1/items/purge"}, EncodedSlash: true, OpaqueBody: true, ExampleBody: "a=b&c[0]=d",
		},
		{
			ID: "acme/verbs", Description: "Verbs", Hosts: []string{"*.acme.example", "*.sandbox.acme.example"}, Methods: []string{"POST"},
			RawPaths: []string{"/v1/do."}, ExampleParts: []string{"purpose=x", "file=@y.csv"},
		},
	}
	for _, diff := range []string{
		cmp.Diff(p.OtherHosts, wantOther),
		cmp.Diff(p.LooksLike("ACME_KEY"), []string{"ak-", "test-"}),
		cmp.Diff(p.Credentials[2].Login, wantLogin),
		cmp.Diff(p.Credentials[3].Auth.Kind, "multi-header"),
		cmp.Diff(p.Capabilities, wantCapabilities),
		cmp.Diff(p.DefaultHosts(), []string{"api.acme.test", "login.acme.test"}),
	} {
		if diff != "" {
			t.Errorf("(-got +want)\n%s", diff)
		}
	}
}

// FuzzDecode: what is accepted can be written and read again, and means the
// same then.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(strings.ReplaceAll(small, `"GET"`, `"GET", "GET"`)))
	paths, err := filepath.Glob("providers/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatalf("found no providers: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := registry.Decode(data)
		if err != nil {
			return
		}
		if _, err := registry.New(p); err != nil {
			t.Fatalf("decoded, but no registry takes it: %v", err)
		}
		for i := range p.Capabilities {
			if len(p.Capabilities[i].Hosts) == 0 {
				t.Fatalf("%s has hosts %q", p.Capabilities[i].ID, p.Capabilities[i].Hosts)
			}
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		// encoding/json writes null for what was left out, which is refused.
		again, err := registry.Decode(withoutNull(t, text))
		if err != nil {
			t.Fatalf("written as %s, it is refused: %v", text, err)
		}
		if diff := cmp.Diff(again, p); diff != "" {
			t.Fatalf("read again, it differs (-got +want)\n%s", diff)
		}
	})
}

// withoutNull removes the members of objects that are null.
func withoutNull(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	var prune func(v any)
	prune = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				prune(e)
			}
		case map[string]any:
			for key, e := range v {
				if e == nil {
					delete(v, key)
				}
				prune(e)
			}
		}
	}
	prune(v)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
