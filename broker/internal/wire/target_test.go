package wire_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// Case 19: what cannot be sent as it was judged is not sent.
func TestCase19Target(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s)
	auth := func(change func(*http.Request)) wire.Request {
		r := get("/a")
		r.RawQuery = "x=1"
		r.Authenticate = func(req *http.Request) error { change(req); return nil }
		return r
	}
	for name, r := range map[string]wire.Request{
		"a space":             get("/a b"),
		"a bad escape":        get("/a%zz"),
		"a question mark":     get("/a?b"),
		"no slash":            get("a"),
		"two slashes":         get("//evil.test/a"),
		"non-ASCII":           get("/\u00e9"),
		"auth moves the path": auth(func(r *http.Request) { r.URL.Path = "/b" }),
		"auth longer path":    auth(func(r *http.Request) { r.URL.Path += "b" }),
		"auth edits query":    auth(func(r *http.Request) { r.URL.RawQuery = "x=2" }),
		"auth glues to query": auth(func(r *http.Request) { r.URL.RawQuery += "2" }),
		"auth moves the host": auth(func(r *http.Request) { r.URL.Host = "evil.test" }),
		"auth edits Host":     auth(func(r *http.Request) { r.Host = "evil.test" }),
		"auth drops TLS":      auth(func(r *http.Request) { r.URL.Scheme = "http" }),
		"auth edits method":   auth(func(r *http.Request) { r.Method = "DELETE" }),
	} {
		if _, err := c.Do(t.Context(), r); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: error %v, want one of code internal", name, err)
		}
	}
	refusal := fault.New(fault.InvalidRequest, "the secret cannot travel")
	r := get("/a")
	r.Authenticate = func(*http.Request) error { return refusal }
	if _, err := c.Do(t.Context(), r); !errors.Is(err, refusal) {
		t.Errorf("error %v, want that of the authentication", err)
	}
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}

	r = auth(func(r *http.Request) { r.URL.RawQuery += "&key=k" })
	do(t, c, r)
	r.RawQuery = ""
	r.Authenticate = func(req *http.Request) error { req.URL.RawQuery = "key=k"; return nil }
	do(t, c, r)
	var got []string
	for _, r := range s.Requests() {
		got = append(got, r.URI)
	}
	if want := []string{"/a?x=1&key=k", "/a?key=k"}; !slices.Equal(got, want) {
		t.Errorf("targets %q, want %q", got, want)
	}
}

// Case 20: an authentication that may put something before the path may do
// that and nothing else.
func TestCase20PathAuth(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s)
	before := func(raw, plain string) wire.Request {
		r := get("/a%2Cb")
		r.RawQuery = "x=1"
		r.AuthPath = true
		r.Authenticate = func(req *http.Request) error {
			req.URL.RawPath, req.URL.Path = raw+req.URL.RawPath, plain+req.URL.Path
			return nil
		}
		return r
	}
	same := func(prefix string) wire.Request { return before(prefix, prefix) }
	change := func(f func(*http.Request)) wire.Request {
		r := same("/bot1:made-up")
		r.Authenticate = func(req *http.Request) error { f(req); return nil }
		return r
	}
	unasked := same("/bot1:made-up")
	unasked.AuthPath = false
	for name, r := range map[string]wire.Request{
		"not asked for":          unasked,
		"no slash":               same("bot"),
		"only a slash":           same("/"),
		"slash at the end":       same("/bot/"),
		"another host":           same("//evil.test"),
		"empty segment":          same("/bot//x"),
		"a step up":              same("/bot/.."),
		"a step up with a name":  same("/../admin"),
		"a step nowhere":         same("/./bot"),
		"a step up, parameter":   same("/bot/..;x"),
		"only a parameter":       same("/;x"),
		"encoded step up":        before("/bot/%2e%2e", "/bot/.."),
		"encoded step up, upper": before("/bot/.%2E", "/bot/.."),
		"encoded slash":          before("/bot%2Fx", "/bot/x"),
		"encoded backslash":      before("/bot%5Cx", "/bot\\x"),
		"a question mark":        same("/bot?x"),
		"encoded question mark":  before("/bot%3Fx", "/bot?x"),
		"a fragment":             same("/bot#x"),
		"encoded percent":        before("/bot%252e", "/bot%2e"),
		"a raw backslash":        same("/bot\\x"),
		"behind the path":        change(func(r *http.Request) { r.URL.RawPath, r.URL.Path = r.URL.RawPath+"/x", r.URL.Path+"/x" }),
		"instead of the path":    change(func(r *http.Request) { r.URL.RawPath, r.URL.Path = "/bot", "/bot" }),
		"in the query":           change(func(r *http.Request) { r.URL.RawQuery += "&key=k" }),
		"another query":          change(func(r *http.Request) { r.URL.RawQuery = "x=2" }),
		"no query":               change(func(r *http.Request) { r.URL.RawQuery = "" }),
		"opaque":                 change(func(r *http.Request) { r.URL.Opaque = "//evil.test/a%2Cb" }),
		"the host":               change(func(r *http.Request) { r.URL.Host = "evil.test" }),
	} {
		if _, err := c.Do(t.Context(), r); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: error %v, want one of code internal", name, err)
		}
	}
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}
	for _, r := range []wire.Request{same(""), same("/bot1:made-up"), same("/v1/bot1:made-up"), before("/b%20t", "/b t")} {
		do(t, c, r)
	}
	var got []string
	for _, r := range s.Requests() {
		got = append(got, r.URI)
	}
	want := []string{"/a%2Cb?x=1", "/bot1:made-up/a%2Cb?x=1", "/v1/bot1:made-up/a%2Cb?x=1", "/b%20t/a%2Cb?x=1"}
	if !slices.Equal(got, want) {
		t.Errorf("targets %q, want %q", got, want)
	}
}
