package oauth_test

import (
	"net/url"
	"strings"
	"testing"

	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
)

func TestConsentURL(t *testing.T) {
	t.Parallel()
	params := [][2]string{
		{"response_type", "code"},
		{"client_id", "a b+c"},
		{"redirect_uri", "http://127.0.0.1:4711/callback"},
		{"scope", "https://x.test/a b.c"},
		{"state", "s~-._é"},
	}
	const query = "response_type=code&client_id=a%20b%2Bc&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback" +
		"&scope=https%3A%2F%2Fx.test%2Fa%20b.c&state=s~-._%C3%A9"
	for in, want := range map[string]string{
		"https://auth.example.com/authorize":          "https://auth.example.com/authorize?" + query,
		"https://auth.example.com":                    "https://auth.example.com?" + query,
		"https://auth.example.com/authorize?":         "https://auth.example.com/authorize?" + query,
		"https://auth.example.com/a?tenant=%2F+x&p=q": "https://auth.example.com/a?tenant=%2F+x&p=q&" + query,
		"https://localhost:8443/a":                    "https://localhost:8443/a?" + query,
	} {
		got, err := oauth.ConsentURL(in, params)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v\nwant %s", in, got, err, want)
			continue
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range params {
			if u.Query().Get(p[0]) != p[1] {
				t.Errorf("%s reads as %q", p[0], u.Query().Get(p[0]))
			}
		}
	}
}

// TestConsentURLOfRFC6749 is the example of section 4.1.1.
func TestConsentURLOfRFC6749(t *testing.T) {
	t.Parallel()
	got, err := oauth.ConsentURL("https://server.example.com/authorize", [][2]string{
		{"response_type", "code"}, {"client_id", "s6BhdRkqt3"}, {"state", "xyz"}, {"redirect_uri", "https://client.example.com/cb"},
	})
	want := "https://server.example.com/authorize?response_type=code&client_id=s6BhdRkqt3&state=xyz" +
		"&redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb"
	if want = strings.ReplaceAll(want, "%2E", "."); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestConsentURLRefuses(t *testing.T) {
	t.Parallel()
	state := [2]string{"state", "s"}
	for _, test := range []struct {
		name, url string
		params    [][2]string
	}{
		{"http", "http://auth.example.com/a", nil},
		{"http on loopback", "http://127.0.0.1:8080/a", nil},
		{"no scheme", "auth.example.com/a", nil},
		{"script", "javascript:alert(1)", nil},
		{"fragment", "https://auth.example.com/a#b", nil},
		{"user", "https://u:p@auth.example.com/a", nil},
		{"malformed query", "https://auth.example.com/a?b=%zz", nil},
		{"line break", "https://auth.example.com/a\nb", nil},
		{"twice", "https://auth.example.com/a", [][2]string{state, {"x", "y"}, state}},
		{"in the query already", "https://auth.example.com/a?st%61te=evil", [][2]string{state}},
		{"no name", "https://auth.example.com/a", [][2]string{{"", "x"}}},
	} {
		if got, err := oauth.ConsentURL(test.url, test.params); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: got %s, %v", test.name, got, err)
		}
	}
}
