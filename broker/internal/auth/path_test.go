package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/broker/policy"
	"aivault/keys/fault"
)

func TestPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, template, secret, url string
		want                        string // request target
		prefix                      string
	}{
		{"Telegram", "/bot{{secret}}", "123:ABC-x_y", "https://api.test/getMe", "/bot123:ABC-x_y/getMe", "/bot123:ABC-x_y"},
		{"root and query", "/bot{{secret}}", "1:a", "https://api.test/?b=%2F", "/bot1:a/?b=%2F", "/bot1:a"},
		{"escapes of the caller", "/bot{{secret}}", "k", "https://api.test/a%20b%3B/%C3%A9", "/botk/a%20b%3B/%C3%A9", "/botk"},
		{"escapes of its own", "/a%20b/{{secret}}/v1", "k", "https://api.test/x", "/a%20b/k/v1/x", "/a%20b/k/v1"},
		{"all that may be bare", "/k/{{secret}}", "-._~!$&'()*+,=:@", "https://api.test/x", "/k/-._~!$&'()*+,=:@/x", "/k/-._~!$&'()*+,=:@"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := message(t, http.MethodGet, test.url, nil)
			secrets := applyTo(t, config("path", "prefix", test.template), m, values("secret", test.secret))
			if got := m.URL.RequestURI(); got != test.want {
				t.Errorf("target %q, want %q", got, test.want)
			}
			// The same bytes have one reading: policy finds nothing to change.
			if path, _, err := policy.ParseTarget(m.URL.RequestURI()); err != nil || path != m.URL.EscapedPath() {
				t.Errorf("policy makes %q of it: %v", path, err)
			}
			if diff := cmp.Diff(map[string]bool{test.secret: true, test.prefix: true}, set(secrets)); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

func set(list []string) map[string]bool {
	m := make(map[string]bool)
	for _, s := range list {
		m[s] = true
	}
	return m
}

// Case 20: what the secret of a path may not be.
func TestCase020SecretInPath(t *testing.T) {
	t.Parallel()
	cfg := config("path", "prefix", "/bot{{secret}}")
	for _, bad := range []string{
		"", "a/b", "a?b", "a#b", "a%2fb", "%", `a\b`, "..", "a..b", "a b", "a\tb", "a\n", "\x00", "a;b", "\x7f",
		"\u00e9", "\xff", "[", "]", "<", `"`, "{", "|", "^", "`",
	} {
		word := brokertest.Word(t)
		secret := bad
		if secret != "" {
			secret = word + bad + word
		}
		err := auth.SecretShape(cfg, values("secret", secret)["secret"])
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: error %v", bad, err)
			continue
		}
		brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), word)
		m := message(t, http.MethodGet, "https://api.test/x?y", nil)
		if _, err := strategy(t, cfg).Apply(m, values("secret", secret)); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: Apply: %v", bad, err)
		}
		if m.URL.RequestURI() != "/x?y" {
			t.Errorf("%q: Apply changed the request", bad)
		}
	}
	// A segment of its own must not become a dot segment.
	if err := auth.SecretShape(config("path", "prefix", "/k/{{secret}}"), values("secret", ".")["secret"]); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("a dot: %v", err)
	}
}

func TestPathTemplate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ template, says string }{
		{"", "no placeholder"},
		{"/bot", "no placeholder"},
		{"/bot{{a}}{{b}}", "2 placeholders"},
		{"bot{{secret}}", "not the beginning of a path"},
		{"{{secret}}", "not the beginning of a path"},
		{"/{{secret}}", "nothing before the secret"},
		{"/{{secret}}/bot", "nothing before the secret"},
		{"//bot{{secret}}", "empty segment"},
		{"/bot{{secret}}/", "ends in a slash"},
		{"/bot{{secret}}?x=", "not the beginning of a path"},
		{"/bot#{{secret}}", "not the beginning of a path"},
		{"/../bot{{secret}}", "dots"},
		{"/bot{{secret}}/..", "dots"},
		{"/%2e%2e/bot{{secret}}", "escape %2E"},
		{"/a%2Fb{{secret}}", "escape %2F"},
		{"/a;b{{secret}}", ";"},
		{"/a b{{secret}}", "percent-encoded"},
		{"/%41b{{secret}}", "escape that is not needed"},
		{"/%c3%a9{{secret}}", "in lower case"},
		{"/bot{{secret}}" + strings.Repeat("x", 1024), "longer than"},
	} {
		_, err := auth.New(config("path", "prefix", test.template))
		if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: error %v, want %q", test.template, err, test.says)
		}
	}
	for _, params := range [][]string{{}, {"header", "/bot{{secret}}"}, {"prefix", "/a{{secret}}", "prefix", "/b{{secret}}"}} {
		if _, err := auth.New(config("path", params...)); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: error %v", params, err)
		}
	}
}
