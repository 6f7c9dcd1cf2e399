package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

func TestDecide(t *testing.T) {
	rule := policy.Rule{
		Methods:        []string{"GET", "POST"},
		Paths:          []string{"/v1/files"},
		ManagedHeaders: []string{"authorization"},
		ManagedQuery:   []string{"key"},
	}
	got, err := policy.Decide(rule, policy.Request{
		Method:  "post",
		Target:  "/v1/files/%61?limit=2",
		Headers: []policy.Header{{Name: "content-type", Value: " text/plain "}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := policy.Canonical{
		Method: "POST", Path: "/v1/files/a", RawQuery: "limit=2",
		Headers: []policy.Header{{Name: "Content-Type", Value: "text/plain"}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
	if _, err := policy.Decide(policy.Rule{}, policy.Request{Method: "GET", Target: "/"}); fault.CodeOf(err) != fault.PolicyViolation {
		t.Errorf("the zero rule: got %v, want a policy violation", err)
	}
}

func TestMethods(t *testing.T) {
	any := func(method string) policy.Rule {
		return policy.Rule{Methods: []string{strings.ToUpper(method)}, Paths: []string{"/"}}
	}
	for _, tc := range []struct {
		name, method string
		rule         policy.Rule
		want         fault.Code
	}{
		{"allowed", "GET", files, ""},
		{"lower case", "get", files, ""},
		{"unusual", "PROPFIND", any("PROPFIND"), ""},
		{"not allowed", "DELETE", files, fault.PolicyViolation},
		{"HEAD is not GET", "HEAD", files, fault.PolicyViolation},
		{"CONNECT", "CONNECT", any("CONNECT"), fault.PolicyViolation},
		{"TRACE", "trace", any("TRACE"), fault.PolicyViolation},
		{"TRACK", "TRACK", any("TRACK"), fault.PolicyViolation},
		{"empty", "", any(""), fault.InvalidRequest},
		{"space", "GET /", any("GET /"), fault.InvalidRequest},
		{"line break", "GET\r\n", any("GET\r\n"), fault.InvalidRequest},
		{"non-ASCII", "GÉT", any("GÉT"), fault.InvalidRequest},
		{"long", strings.Repeat("A", 33), any(strings.Repeat("A", 33)), fault.InvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Decide(tc.rule, policy.Request{Method: tc.method, Target: "/v1/files"})
			if code := fault.CodeOf(err); code != tc.want {
				t.Errorf("got %v, want code %q", err, tc.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	rule := func(methods string, paths ...string) policy.Rule {
		return policy.Rule{Methods: strings.Fields(methods), Paths: paths}
	}
	raw := policy.Rule{Methods: []string{"POST"}, RawPaths: []string{"/api/chat."}}
	for _, tc := range []struct {
		name         string
		rule         policy.Rule
		method, path string
		body         bool
		wantMethod   string
		wantPath     string
		wantHint     string // of the error, if one is wanted
	}{
		{name: "the only ones", rule: rule("PUT", "/v1/x"), wantMethod: "PUT", wantPath: "/v1/x"},
		{name: "with a body", rule: rule("GET POST", "/v1/x"), body: true, wantMethod: "POST", wantPath: "/v1/x"},
		{name: "without a body", rule: rule("GET POST", "/v1/x"), wantMethod: "GET", wantPath: "/v1/x"},
		{name: "given", rule: rule("GET POST", "/v1/x"), method: "delete", path: "/y", wantMethod: "delete", wantPath: "/y"},
		{name: "no POST for a body", rule: rule("PUT PATCH", "/v1/x"), body: true, wantHint: "give --method with one of PUT, PATCH"},
		{name: "no GET without one", rule: rule("POST DELETE", "/v1/x"), wantHint: "give --method with one of POST, DELETE"},
		{name: "two paths", rule: rule("GET", "/a", "/b"), wantHint: "give --path with one under /a, /b"},
		{name: "raw prefix", rule: raw, wantHint: "give --path with one under /api/chat...."},
		{name: "no rule", wantHint: "give --method with one of "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			method, path, err := policy.Choose(tc.rule, tc.method, tc.path, tc.body)
			if method != tc.wantMethod || path != tc.wantPath || fault.HintOf(err) != tc.wantHint {
				t.Errorf("got %q %q, %v (%s); want %q %q, %q", method, path, err, fault.HintOf(err), tc.wantMethod, tc.wantPath, tc.wantHint)
			}
			if err != nil && fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("code %q", fault.CodeOf(err))
			}
		})
	}
}

// A decision allocates only what it returns: the headers.
func TestDecideAllocates(t *testing.T) {
	rule, req := typical()
	if n := testing.AllocsPerRun(100, func() { _, _ = policy.Decide(rule, req) }); n > 1 {
		t.Errorf("%v allocations, want at most 1", n)
	}
	req.Headers = nil
	if n := testing.AllocsPerRun(100, func() { _, _ = policy.Decide(rule, req) }); n > 0 {
		t.Errorf("%v allocations without headers, want none", n)
	}
}

func typical() (policy.Rule, policy.Request) {
	rule := policy.Rule{
		Methods:        []string{"DELETE", "GET", "POST"},
		Paths:          []string{"/v1/assistants", "/v1/threads"},
		ManagedHeaders: []string{"authorization"},
		ManagedQuery:   []string{"api_key"},
	}
	return rule, policy.Request{
		Method: "POST",
		Target: "/v1/threads/thread_abc123/messages?limit=20&order=desc",
		Headers: []policy.Header{
			{Name: "Content-Type", Value: "application/json"},
			{Name: "Accept", Value: "application/json"},
			{Name: "Idempotency-Key", Value: "3f2a"},
		},
	}
}

func BenchmarkDecide(b *testing.B) {
	rule, req := typical()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Decide(rule, req); err != nil {
			b.Fatal(err)
		}
	}
}

// The path of case 3.1/18, at the limit of what is read at all.
func BenchmarkDecideLongPath(b *testing.B) {
	req := policy.Request{Method: "GET", Target: "/v1/files" + strings.Repeat("/%41", 2000)}
	b.ReportAllocs()
	b.SetBytes(int64(len(req.Target)))
	for b.Loop() {
		if _, err := policy.Decide(files, req); err != nil {
			b.Fatal(err)
		}
	}
}

// A method is a word: no asterisk passes for all of them.
func TestParseMethod(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"get": "GET", "Version-Control": "VERSION-CONTROL"} {
		if got, err := policy.ParseMethod(text); got != want || err != nil {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "*", "GET*", "GE T", "GET,POST", "GET\r\n", "-", "G\u212aT", "M3", strings.Repeat("A", 33)} {
		if got, err := policy.ParseMethod(text); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"connect", "TRACE", "Track"} {
		if _, err := policy.ParseMethod(text); fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("%s: %v", text, err)
		}
	}
}
