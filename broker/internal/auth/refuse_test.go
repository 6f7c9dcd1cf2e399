package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/vault"
)

// Case 81 for the strategy, case 94 for kinds that are not there.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  vault.Auth
		says string
	}{
		{"no placeholder", config("header", "x-key", "Bearer"), "header x-key has no placeholder"},
		{"two of them", config("header", "x-key", "{{secret}}{{secret}}"), "{{secret}} twice"},
		{"not closed", config("header", "x-key", "{{secret"), "not closed"},
		{"not open", config("header", "x-key", "{{secret}}}}"), "not open"},
		{"empty", config("header", "x-key", "{{}}"), "wrong name"},
		{"spaces", config("header", "x-key", "{{ secret }}"), "wrong name"},
		{"nested", config("header", "x-key", "{{{{secret}}}}"), "wrong name"},
		{"CRLF", config("header", "x-key", "Bearer {{secret}}\r\nX: y"), "line break"},
		{"NUL", config("header", "x-key", "\x00{{secret}}"), "line break"},
		{"space at the end", config("header", "x-key", "{{secret}} "), "begins or ends with a space"},
		{"long template", config("header", "x-key", "{{secret}}"+strings.Repeat("x", 1024)), "longer than"},
		{"no name", config("header", "", "{{secret}}"), "empty"},
		{"no token", config("header", "x key", "{{secret}}"), "not a word"},
		{"pseudo", config("header", ":authority", "{{secret}}"), "not a word"},
		{"CRLF in the name", config("header", "x\r\ny", "{{secret}}"), "not a word"},
		{"host", config("header", "Host", "{{secret}}"), "the header Host cannot"},
		{"hop-by-hop", config("header", "transfer_encoding", "{{secret}}"), "cannot carry"},
		{"proxy", config("header", "Proxy-Authorization", "{{secret}}"), "cannot carry"},
		{"content", config("header", "Content-Length", "{{secret}}"), "cannot carry"},
		{"forwarding", config("header", "X-Forwarded-Host", "{{secret}}"), "cannot carry"},
		{"two headers", config("header", "a", "{{a}}", "b", "{{b}}"), "2 parameters"},
		{"no header", config("header"), "0 parameters"},
		{"no parameter name", config("query", "", "{{secret}}"), "empty"},
		{"parameter with &", config("query", "a&b", "{{secret}}"), "escape"},
		{"parameter without placeholder", config("query", "key", "k"), "query parameter key has no placeholder"},
		{"two parameters", config("query", "a", "{{a}}", "b", "{{b}}"), "2 parameters"},
		{"basic with one part", config("basic", "password", "{{secret}}"), "needs both"},
		{"basic with another part", config("basic", "username", "a", "token", "{{secret}}"), `"token"`},
		{"basic with a part twice", config("basic", "username", "a", "username", "{{secret}}"), `"username"`},
		{"basic without placeholder", config("basic", "username", "a", "password", "b"), "no placeholder"},
		{"basic with a colon", config("basic", "username", "a:b", "password", "{{secret}}"), "colon"},
		{"two parameters with a dash", config("multi-query", "a-b", "{{a}}", "a_b", "{{b}}"), "name a_b twice"},
		{"o-auth2", config("o-auth2"), `"o-auth2" is no kind`},
		{"unknown", config("digest"), `"digest" is no kind`},
		{"other case", config("Header", "x-key", "{{secret}}"), `"Header" is no kind`},
		{"none", config(""), `"" is no kind`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.New(test.cfg)
			if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
			if strings.Contains(test.says, "no kind") && !strings.Contains(fault.HintOf(err), "header, query, path, basic, multi-header, multi-query, oauth2, aws-sigv4, hmac or mtls") {
				t.Errorf("the hint %q does not list the kinds", fault.HintOf(err))
			}
		})
	}
}

// Case 81 for the secret: what cannot travel is refused by Check and by Apply,
// which leaves the request alone.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	word := brokertest.Word(t)
	bearer := config("header", "authorization", "Bearer {{secret}}")
	two := config("basic", "username", "{{username}}", "password", "{{password}}")
	tests := []struct {
		name   string
		cfg    vault.Auth
		values auth.Values
		says   string
	}{
		{"newline at the end", bearer, values("secret", word+"\n"), "secret for {{secret}} has a line break"},
		{"CRLF within", bearer, values("secret", "a\r\nX: "+word), "line break"},
		{"NUL", bearer, values("secret", word+"\x00"), "control character"},
		{"DEL", bearer, values("secret", word+"\x7f"), "control character"},
		{"space before", bearer, values("secret", " "+word), "begins or ends with a space"},
		{"tab after", bearer, values("secret", word+"\t"), "begins or ends with a space"},
		{"empty", bearer, values("secret", ""), "is empty"},
		{"missing", bearer, values("other", word), "no secret for {{secret}}"},
		{"query with a newline", config("query", "key", "{{secret}}"), values("secret", word+"\n"), "line break"},
		{"query with a space", config("query", "key", "{{secret}}"), values("secret", word+" "), "space"},
		{"user with a colon", two, values("username", "a:"+word, "password", "p"), "user name has a colon"},
		{"user with a newline", two, values("username", word+"\n", "password", "p"), "{{username}} has a line break"},
		{"password with a newline", two, values("username", "u", "password", word+"\n"), "{{password}} has a line break"},
		{"no password", two, values("username", word), "{{password}}"},
		{"no pair", config("basic"), values("secret", word), "no colon"},
		{"pair with a newline", config("basic"), values("secret", "u:"+word+"\n"), "password has a line break"},
		{"pair missing", config("basic"), values("password", word), "no secret for {{secret}}"},
		{"JSON user with a colon", config("basic"), values("secret", `{"username":"a:b","password":"`+word+`"}`), "colon"},
		{"JSON without password", config("basic"), values("secret", `{"username":"`+word+`"}`), "no JSON object of username and password"},
		{"JSON with two users", config("basic"), values("secret", `{"username":"u","userName":"`+word+`","password":"p"}`), "no JSON object"},
		{"JSON with more", config("basic"), values("secret", `{"username":"u","password":"p","`+word+`":1}`), "no JSON object"},
		{"JSON twice", config("basic"), values("secret", `{"username":"u","password":"p","password":"`+word+`"}`), "no JSON object"},
		{"JSON with numbers", config("basic"), values("secret", `{"username":"u","password":1}`), "no JSON object"},
		{"broken JSON", config("basic"), values("secret", `{"username":"`+word), "no JSON object"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := auth.Check(test.cfg, test.values)
			if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("error %v, want %q", err, test.says)
			}
			brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), word)

			s, err := auth.New(test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequest(http.MethodGet, "https://api.test/x?y", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Apply(&auth.Message{Request: req}, test.values); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("Apply: %v", err)
			}
			if len(req.Header) != 0 || req.URL.RawQuery != "y" {
				t.Error("Apply changed the request")
			}
		})
	}
}

func TestCheckUnknownKind(t *testing.T) {
	t.Parallel()
	if err := auth.Check(config("digest"), values("secret", "x")); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("error %v", err)
	}
}
