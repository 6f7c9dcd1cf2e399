package policy_test

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

// files is the capability that the numbered cases speak of, unless they say
// otherwise.
var files = policy.Rule{Methods: []string{"GET", "POST"}, Paths: []string{"/v1/files"}}

func decideTarget(rule policy.Rule, target string) (policy.Canonical, error) {
	return policy.Decide(rule, policy.Request{Method: "GET", Target: target})
}

// The numbers are those of the list of attacks: section, then case.
func TestTargetAllowed(t *testing.T) {
	places := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/v1/places:searchText"}}
	slack := policy.Rule{Methods: []string{"GET"}, RawPaths: []string{"/api/chat."}}
	all := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/"}}
	slashes := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/v1/files"}, EncodedSlash: true}
	most := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/v1/files"}, Except: []string{"/v1/files/keys"}}
	for _, tc := range []struct {
		name   string
		rule   policy.Rule
		target string
		want   string // empty: the target itself
	}{
		{"3.1/2 the prefix itself", files, "/v1/files", ""},
		{"3.1/2 trailing slash", files, "/v1/files/", ""},
		{"3.1/2 below", files, "/v1/files/a", ""},
		{"3.1/2 with a query", files, "/v1/files?x=1", ""},
		{"3.1/2 deeper, trailing slash", files, "/v1/files/a/b/", ""},
		{"3.1/16 custom verb by its own entry", places, "/v1/places:searchText", ""},
		{"3.1/16 raw prefix", slack, "/api/chat.postMessage", ""},
		{"3.1/17 the prefix / means everything", all, "/anything/at/all", ""},
		{"3.1/17 the path / itself", all, "/", ""},
		{"upper-case escapes", files, "/v1/files/a%2cb%c3%a9", "/v1/files/a%2Cb%C3%A9"},
		{"escapes of unreserved characters", files, "/v1/%66iles/%7e%41%30%2D", "/v1/files/~A0-"},
		{"reserved characters stay as they are", files, "/v1/files/a:b@c!$&'()*+,=d", ""},
		{"escaped reserved characters stay escaped", files, "/v1/files/%3Fa%3Db%26", ""},
		{"escaped semicolon in a name", files, "/v1/files/a%3Bb", ""},
		{"dots within a name", files, "/v1/files/main...feature/.hidden/a..", ""},
		{"3.1/5 a slash in a name, where the capability takes it", slashes, "/v1/files/a%2fb", "/v1/files/a%2Fb"},
		{"beside what is excepted", most, "/v1/files/keyset", ""},
		{"a name that continues what is excepted", most, "/v1/files/keys.txt", ""},
		{"lone question mark", files, "/v1/files?", "/v1/files"},
		{"question mark in the query", files, "/v1/files?a=?/", ""},
		{"query bytes stay as they are", files, "/v1/files?a=%2f+%2F&b[]=1&c", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := tc.want
			if want == "" {
				want = tc.target
			}
			got, err := decideTarget(tc.rule, tc.target)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if got.Target() != want {
				t.Errorf("got %q, want %q", got.Target(), want)
			}
		})
	}
}

func TestPathRefused(t *testing.T) {
	places := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/v1/places"}}
	nothing := policy.Rule{Methods: []string{"GET"}, Paths: []string{""}, RawPaths: []string{""}}
	slashes := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/v1/files"}, Except: []string{"/v1/files/a/keys"}, EncodedSlash: true}
	const (
		bad    = fault.InvalidRequest
		beyond = fault.PolicyViolation
		large  = fault.RequestTooLarge
	)
	for _, tc := range []struct {
		name   string
		rule   policy.Rule
		want   fault.Code
		target string
	}{
		{"3.1/1 not at a segment", files, beyond, "/v1/filesystem"},
		{"3.1/1 not at a segment, dash", files, beyond, "/v1/files-x"},
		{"3.1/1 shorter than the prefix", files, beyond, "/v1"},
		{"3.1/3 dot dot", files, bad, "/v1/files/../admin"},
		{"3.1/3 dot", files, bad, "/v1/files/./x"},
		{"3.1/3 trailing dot dot", files, bad, "/v1/files/.."},
		{"3.1/3 trailing dot", files, bad, "/v1/files/."},
		{"3.1/4 encoded dots", files, bad, "/v1/files/%2e%2e/admin"},
		{"3.1/4 half encoded", files, bad, "/v1/files/%2E./admin"},
		{"3.1/4 other half encoded", files, bad, "/v1/files/.%2e/admin"},
		{"3.1/5 encoded slash", files, bad, "/v1/files/..%2fadmin"},
		{"3.1/5 encoded slash, upper case", files, bad, "/v1/files/..%2Fadmin"},
		{"3.1/5 encoded slash that is allowed, with dots", slashes, bad, "/v1/files/a%2F..%2Fb"},
		{"3.1/5 encoded slash that is allowed, with encoded dots", slashes, bad, "/v1/files/a%2F%2e%2e%2Fb"},
		{"3.1/5 encoded slash that is allowed, twice", slashes, bad, "/v1/files/a%2F%2Fb"},
		{"3.1/5 encoded slash that is allowed, at the beginning", slashes, bad, "/v1/files/%2Fb"},
		{"3.1/5 encoded slash that is allowed, at the end", slashes, bad, "/v1/files/b%2F"},
		{"3.1/5 encoded slash that is allowed, encoded again", slashes, bad, "/v1/files/a%252Fb"},
		{"3.1/5 encoded slash instead of that of the prefix", slashes, beyond, "/v1/files%2Fa"},
		{"3.1/5 encoded backslash where a slash is allowed", slashes, bad, "/v1/files/a%5Cb"},
		{"excepted", slashes, beyond, "/v1/files/a/keys"},
		{"excepted, below", slashes, beyond, "/v1/files/a/keys/b"},
		{"excepted, in another case", slashes, beyond, "/v1/files/A/KEYS"},
		{"excepted, by an encoded slash", slashes, beyond, "/v1/files/a%2Fkeys"},
		{"excepted, before an encoded slash", slashes, beyond, "/v1/files/a/keys%2Fb"},
		{"excepted, with a verb", slashes, beyond, "/v1/files/a/keys:rotate"},
		{"3.1/6 backslash", files, bad, `/v1/files\..\..\admin`},
		{"3.1/6 encoded backslash", files, bad, "/v1/files/..%5cadmin"},
		{"3.1/7 tab", files, bad, "/v1/files/a\tb"},
		{"3.1/7 CR", files, bad, "/v1/files/a\rb"},
		{"3.1/7 LF", files, bad, "/v1/files/a\nb"},
		{"3.1/7 NUL", files, bad, "/v1/files/a\x00b"},
		{"3.1/7 DEL", files, bad, "/v1/files/a\x7fb"},
		{"3.1/7 space", files, bad, "/v1/files/a b"},
		{"3.1/7 non-ASCII", files, bad, "/v1/files/é"},
		{"3.1/7 high byte", files, bad, "/v1/files/\x80"},
		{"3.1/7 encoded NUL", files, bad, "/v1/files/a%00b"},
		{"3.1/7 encoded LF", files, bad, "/v1/files/a%0ab"},
		{"3.1/7 encoded CR", files, bad, "/v1/files/a%0db"},
		{"3.1/7 encoded DEL", files, bad, "/v1/files/a%7fb"},
		{"3.1/7 encoded tab", files, bad, "/v1/files/a%09b"},
		{"3.1/7 encoded C1 control", files, bad, "/v1/files/a%C2%85b"},
		{"3.1/8 double encoding", files, bad, "/v1/files/%252e%252e%252fadmin"},
		{"3.1/8 encoded percent", files, bad, "/v1/files/100%25"},
		{"3.1/9 dots before a semicolon", files, bad, "/v1/files/..;/admin"},
		{"3.1/9 dot before a semicolon", files, bad, "/v1/files/.;/admin"},
		{"3.1/9 dots before an encoded semicolon", files, bad, "/v1/files/..%3b/admin"},
		{"3.1/9 parameter, then dots", files, bad, "/v1/files;x=/.."},
		{"3.1/9 nothing before a semicolon", files, bad, "/v1/files/;/"},
		{"3.1/9 matrix parameter", files, beyond, "/v1/files/a;v=1"},
		{"3.1/10 two slashes first", files, bad, "//evil.test/x"},
		{"3.1/10 two slashes within", files, bad, "/v1//files"},
		{"3.1/10 slashes only", files, bad, "///"},
		{"3.1/10 two slashes last", files, bad, "/v1/files//"},
		{"3.1/11 absolute form", files, bad, "http://evil.test/v1/files"},
		{"3.1/11 authority form", files, bad, "evil.test/v1"},
		{"3.1/11 asterisk form", files, bad, "*"},
		{"3.1/11 empty", files, bad, ""},
		{"3.1/11 no slash", files, bad, "v1/files"},
		{"3.1/11 query alone", files, bad, "?a=1"},
		{"3.1/12 fragment", files, bad, "/v1/files#/x"},
		{"3.1/12 encoded hash", files, bad, "/v1/files%23/x"},
		{"3.1/12 fragment after the query", files, bad, "/v1/files?a#b"},
		{"3.1/15 case", files, beyond, "/V1/Files"},
		{"3.1/16 custom verb is not a segment", places, beyond, "/v1/places:searchText"},
		{"3.1/17 empty prefix admits nothing", nothing, beyond, "/v1/files"},
		{"3.1/18 long path", files, large, "/v1/files/" + strings.Repeat("a", 100<<10)},
		{"3.1/18 many segments", files, large, "/v1/files" + strings.Repeat("/a", 10_000)},
		{"broken escape", files, bad, "/v1/files/%2"},
		{"escape without digits", files, bad, "/v1/files/%zz"},
		{"IIS escape", files, bad, "/v1/files/%u002e"},
		{"overlong slash", files, bad, "/v1/files/..%c0%afadmin"},
		{"overlong dots", files, bad, "/v1/files/%c0%ae%c0%ae/admin"},
		{"not UTF-8", files, bad, "/v1/files/%e9"},
		{"dots and a space", files, bad, "/v1/files/..%20/admin"},
		{"three dots", files, bad, "/v1/files/.../admin"},
		{"characters for percent-encoding", files, bad, "/v1/files/a|b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := decideTarget(tc.rule, tc.target)
			if code := fault.CodeOf(err); code != tc.want {
				t.Errorf("got %q (%v), want code %q", got.Target(), err, tc.want)
			}
		})
	}
}

func TestParsePrefix(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
		code           fault.Code
	}{
		{name: "3.1/17 everything", in: "/", want: "/"},
		{name: "plain", in: "/v1/files", want: "/v1/files"},
		{name: "raw", in: "/api/chat.", want: "/api/chat."},
		{name: "one form", in: "/%61%2c", want: "/a%2C"},
		{name: "3.1/17 empty", in: "", code: fault.InvalidRequest},
		{name: "3.1/17 without a slash", in: "v1", code: fault.InvalidRequest},
		{name: "with a query", in: "/v1?x", code: fault.InvalidRequest},
		{name: "with dots", in: "/v1/../", code: fault.InvalidRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := policy.ParsePrefix(tc.in)
			if got != tc.want || fault.CodeOf(err) != tc.code {
				t.Errorf("got %q, %v; want %q, code %q", got, err, tc.want, tc.code)
			}
		})
	}
}

// FuzzTarget compares with net/url, which is what will send the request: what
// is accepted is sent byte for byte, and names what it seems to name.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{
		"/v1/files?x=1", "/v1/files/%2e%2e/a", "/a%2Cb%c3%a9/", "/..;/", "//x", "/a%00", "/%66?a[]=%2f&;",
		"/a%3Bb", "/a:b@c!$&'()*+,=", "/%3F", "/a?b?c", "/...", "/ ", "*", "/x%25%32%65",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		p, query, err := policy.ParseTarget(target)
		if err != nil {
			return
		}
		sent := policy.Canonical{Path: p, RawQuery: query}.Target()
		u, err := url.ParseRequestURI(sent)
		if err != nil {
			t.Fatalf("net/url refuses %q: %v", sent, err)
		}
		if u.EscapedPath() != p || u.RawQuery != query || u.Host != "" || u.RequestURI() != sent {
			t.Fatalf("net/url would send %q for %q", u.RequestURI(), sent)
		}
		req, err := http.NewRequest("GET", "https://api.test"+sent, nil)
		if err != nil || req.URL.RequestURI() != sent || req.URL.Host != "api.test" {
			t.Fatalf("net/http would send another request for %q: %v", sent, err)
		}
		if clean := path.Clean(u.Path); clean != strings.TrimSuffix(u.Path, "/") && u.Path != "/" {
			t.Fatalf("%q decodes to %q, which cleans to %q", p, u.Path, clean)
		}
		if again, q, err := policy.ParseTarget(sent); again != p || q != query || err != nil {
			t.Fatalf("the canonical form of %q is %q (%v)", sent, again, err)
		}
		// A server that decodes once more must not find a path of its own.
		if twice, err := url.PathUnescape(u.Path); err == nil && twice != u.Path {
			t.Fatalf("%q decodes twice, to %q", p, twice)
		}
	})
}

// FuzzEncodedSlash: what an encoded slash makes of a path stays below the prefix
// for a server that takes it for a bare one.
func FuzzEncodedSlash(f *testing.F) {
	rule := policy.Rule{Methods: []string{"GET"}, Paths: []string{"/v1/files"}, Except: []string{"/v1/files/keys"}, EncodedSlash: true}
	for _, target := range []string{"/v1/files/a%2Fb", "/v1/files/a%2f..%2fb", "/v1/files%2fa", "/v1/files/keys%2Fa", "/v1/files/%2e%2e%2Fx?y=%2F"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		got, err := decideTarget(rule, target)
		if err != nil {
			return
		}
		decoded, err := url.PathUnescape(got.Path)
		if err != nil {
			t.Fatal(err)
		}
		if clean := path.Clean(decoded); clean != strings.TrimSuffix(decoded, "/") {
			t.Fatalf("%q decodes to %q, which cleans to %q", got.Path, decoded, clean)
		}
		if decoded != "/v1/files" && !strings.HasPrefix(decoded, "/v1/files/") {
			t.Fatalf("%q decodes to %q, which is not below the prefix", got.Path, decoded)
		}
		if rest, ok := strings.CutPrefix(strings.ToLower(decoded), "/v1/files/keys"); ok && (rest == "" || rest[0] == '/') {
			t.Fatalf("%q decodes to %q, which is excepted", got.Path, decoded)
		}
		if again, err := decideTarget(rule, got.Target()); err != nil || again.Target() != got.Target() {
			t.Fatalf("the canonical form of %q is %q (%v)", got.Target(), again.Target(), err)
		}
	})
}
