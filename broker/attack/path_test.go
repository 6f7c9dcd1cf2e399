package attack_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
)

// denyPaths has each path refused.
func denyPaths(t *testing.T, code fault.Code, paths ...string) {
	t.Helper()
	w := newWorld(t)
	for _, path := range paths {
		w.deny(t, get(path), code)
	}
	w.allow(t, get(prefix+"/a"))
}

func TestCase001SegmentBoundary(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.PolicyViolation, "/v1/filesystem", "/v1/files-x", "/v1/files.json", "/v1/file", "/v1", "/", "/v1/files%20x")
}

func TestCase002CanonicalForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, wire := range map[string]string{
		"/v1/files":              "",
		"/v1/files/":             "",
		"/v1/files/a":            "",
		"/v1/files?x=1":          "",
		"/v1/files/a:b@c/~d?e=/": "",
		"/v1/files/%2c%c3%a9":    "/v1/files/%2C%C3%A9",
		"/%761/%66iles/%7ea":     "/v1/files/~a",
		"/v1/files?":             "/v1/files",
		"/v1/files?a=%2f+%2F&b":  "",
	} {
		or(&wire, path)
		if got, answer := w.allow(t, get(path)); got.URI != wire || answer.URL != "https://"+host+wire {
			t.Errorf("%s: the upstream got %s, and the answer says %s", path, got.URI, answer.URL)
		}
	}
}

func TestCase003DotSegments(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "/v1/files/../admin", "/v1/files/./x", "/v1/files/..", "/v1/files/.", "/v1/files/.../x", "/../v1/files")
}

func TestCase004EncodedDots(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "/v1/files/%2e%2e/admin", "/v1/files/%2E./admin", "/v1/files/.%2e/admin", "/v1/files/%2e", "/v1/files/a%2eb")
}

func TestCase005EncodedSlash(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "/v1/files/..%2fadmin", "/v1/files/..%2Fadmin", "/v1/files/a%2fb", "/v1%2Ffiles")
}

func TestCase006Backslash(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, `/v1/files\..\..\admin`, "/v1/files/..%5cadmin", "/v1/files%5C..%5Cadmin", `\v1\files`)
}

func TestCase007ControlCharacters(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, c := range []string{
		"\t", "\r", "\n", "\r\nX-A: b", "\x00", "\x7f", " ", "\x80", "\xff", "é", "\u202e", "\x1b[2J",
		"%00", "%0a", "%0d", "%0D%0A", "%7f", "%09", "%1b", "%C2%85", "%ff",
	} {
		paths = append(paths, prefix+"/a"+c+"b")
	}
	denyPaths(t, fault.InvalidRequest, append(paths, " /v1/files", "/v1/files\n")...)
}

func TestCase008DoubleEncoding(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "/v1/files/%252e%252e%252fadmin", "/v1/files/%25", "/v1/files/%2525", "/v1/files/%", "/v1/files/%2", "/v1/files/%zz", "/v1/files/%u002e")
}

func TestCase009MatrixParameters(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "/v1/files/..;/admin", "/v1/files/.;/admin", "/v1/files;x=/..", "/v1/files/;/", "/v1/files/..;x=y", "/v1/files/..%3b/admin")
	denyPaths(t, fault.PolicyViolation, "/v1/files/a;v=1", "/v1/files;x", "/v1/files/a;/b")
}

func TestCase010EmptySegments(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "//evil.test/x", "/v1//files", "///", "//", "/v1/files//", "//v1/files")
}

func TestCase011OriginFormOnly(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "http://evil.test/v1/files", "https://api.test/v1/files", "evil.test/v1", "*", "v1/files", "?x=1", "@evil.test/v1/files", ":443/v1/files", "evil.test:443")
	// An empty path is the choice of the only one there is; not where there are two.
	w := newWorld(t)
	if got, _ := w.allow(t, get("")); got.URI != prefix {
		t.Errorf("no path: the upstream got %s", got.URI)
	}
	w.capability(t, broker.NewCapability{ID: "api/two", Paths: []string{"/a", "/b"}})
	w.deny(t, broker.Call{Capability: "api/two", Method: http.MethodGet}, fault.InvalidRequest)
}

func TestCase012Fragment(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.InvalidRequest, "/v1/files#/x", "/v1/files%23/x", "/v1/files/a#", "/v1/files?a#b", "#/v1/files")
}

func TestCase015CaseOfThePath(t *testing.T) {
	t.Parallel()
	denyPaths(t, fault.PolicyViolation, "/V1/Files", "/v1/FILES", "/v1/Files/a")
}

func TestCase016CustomVerbs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "slack.com")
	w.capability(t, broker.NewCapability{ID: "api/places", Paths: []string{"/v1/places"}})
	w.deny(t, broker.Call{Capability: "api/places", Method: http.MethodPost, Path: "/v1/places:searchText"}, fault.PolicyViolation)
	w.capability(t, broker.NewCapability{ID: "api/search", Paths: []string{"/v1/places:searchText"}})
	w.allow(t, broker.Call{Capability: "api/search", Method: http.MethodPost, Path: "/v1/places:searchText"})
	w.deny(t, broker.Call{Capability: "api/search", Method: http.MethodPost, Path: "/v1/places:searchTextAll"}, fault.PolicyViolation)
	w.deny(t, broker.Call{Capability: "api/search", Method: http.MethodPost, Path: "/v1/places:search"}, fault.PolicyViolation)

	// Only the registry has prefixes that end within a segment.
	w.capability(t, broker.NewCapability{ID: "api/chat", Paths: []string{"/api/chat."}})
	w.deny(t, broker.Call{Capability: "api/chat", Method: http.MethodPost, Path: "/api/chat.postMessage"}, fault.PolicyViolation)
	bot := w.put(t, "SLACK_BOT_TOKEN")
	w.carries = bearerOf(bot)
	w.allow(t, broker.Call{Capability: "slack/chat", Method: http.MethodPost, Path: "/api/chat.postMessage"})
	for _, path := range []string{"/api/chatter.x", "/api/chat", "/api/admin.users.list", "/api/Chat.postMessage"} {
		w.deny(t, broker.Call{Capability: "slack/chat", Method: http.MethodPost, Path: path}, fault.PolicyViolation)
	}
	w.deny(t, broker.Call{Capability: "slack/chat", Method: http.MethodPost, Path: "/api/chat./../admin.users.list"}, fault.InvalidRequest)
}

// Every raw prefix of the registry is one of these.
func TestCase016RawPrefixes(t *testing.T) {
	t.Parallel()
	reg := registry.Builtin()
	for _, id := range reg.Providers() {
		p, _ := reg.Provider(id)
		for _, c := range p.Capabilities {
			for _, raw := range c.RawPaths {
				if family := strings.TrimPrefix(raw, "/api/"); id != "slack" || family == raw || strings.Count(family, ".") != 1 || !strings.HasSuffix(family, ".") {
					t.Errorf("%s has the raw prefix %s", c.ID, raw)
				}
			}
		}
	}
}

func TestCase017Prefixes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"", "v1/files", "*", "/v1/../x", "/v1//x", "/v1/%2e", "/v1?x", "/v1#x", "//", "https://api.test/v1", "/v1\n"} {
		w.refuse(t, "the prefix "+path, fault.InvalidRequest, func() error {
			_, err := w.tryCapability(broker.NewCapability{ID: "api/bad", Paths: []string{path}})
			return err
		})
	}
	w.refuse(t, "no prefix", fault.InvalidRequest, func() error {
		_, err := w.tryCapability(broker.NewCapability{ID: "api/bad", Paths: []string{}})
		return err
	})
	w.capability(t, broker.NewCapability{ID: "api/all", Paths: []string{"/"}})
	for _, path := range []string{"/", "/x", "/any/thing?at=all"} {
		w.allow(t, broker.Call{Capability: "api/all", Method: http.MethodGet, Path: path})
	}
	w.deny(t, broker.Call{Capability: "api/all", Method: http.MethodGet, Path: "/x/../y"}, fault.InvalidRequest)
}

func TestCase018LongPaths(t *testing.T) {
	t.Parallel()
	long, many := prefix+"/"+strings.Repeat("a", 100<<10), prefix+strings.Repeat("/a", 10_000)
	denyPaths(t, fault.RequestTooLarge, long, many, prefix+"/"+strings.Repeat("%2c", 5<<10))

	// The longest path that passes, and all that does not, is judged in time.
	rule := policy.Rule{Methods: []string{"GET"}, Paths: []string{prefix}}
	for _, target := range []string{long, many, prefix + strings.Repeat("/a", 4<<10), prefix + strings.Repeat("/%2c", 2<<10), prefix + strings.Repeat("/..", 1<<10)} {
		best := time.Hour
		for range 10 { // others use the machine too
			start := time.Now()
			_, _ = policy.Decide(rule, policy.Request{Method: "GET", Target: target})
			best = min(best, time.Since(start))
		}
		if best > 50*time.Millisecond {
			t.Errorf("judging %d bytes takes %s", len(target), best)
		}
	}
}

func TestCase019SentAsJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.capability(t, broker.NewCapability{ID: "api/all", Paths: []string{"/"}})
	w.queryAuth(t, "key")
	// What net/url would write in another way, or read in another way.
	for _, target := range []string{
		"/", "/a!b$c&d'e(f)g*h+i,j=k:l@m", "/%21%24%26%27%28%29%2A%2B%2C%3D%3A%40", "/%3F", "/a%3Bb", "/%5B%5D", "/%7C%5E%60%22%3C%3E",
		"/%E2%82%AC/%F0%9F%98%80", "/a?x=%2f&y=a+b&z[]=%5B%5D&", "/a?x='*'", "/a?=", "/a?&&", "/a?x=?/", "/a/?x", "/-._~",
	} {
		got, _ := w.allow(t, broker.Call{Capability: "api/all", Method: http.MethodGet, Path: target})
		if got.URI != target {
			t.Errorf("%s: the upstream got %s", target, got.URI)
		}
	}
}
