package attack_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

// forms returns a secret in all the encodings in which an answer could repeat
// it, by itself and between other text.
func forms(secret string) []string {
	var out []string
	for _, form := range brokertest.Forms(secret) {
		out = append(out, string(form))
	}
	return append(out, strings.ToUpper(secret), strings.ToLower(secret))
}

// within returns encodings of text that the secret is only a part of.
func within(secret string) []string {
	var out []string
	for _, text := range []string{"user:" + secret, secret + ":pass", "u:" + secret + ":p", `{"key":"` + secret + `"}`} {
		b := []byte(text)
		std := base64.StdEncoding.EncodeToString(b)
		out = append(out, std, url.QueryEscape(std), base64.RawURLEncoding.EncodeToString(b), hex.EncodeToString(b), url.QueryEscape(text))
	}
	return out
}

// leaving are headers of an answer that leave the broker.
func leaving() []string {
	return []string{
		"Etag", "Link", "Location", "X-Request-Id", "Warning", "Content-Disposition", "X-Ratelimit-Limit", "Retry-After", "X-Page-Next", "Cache-Control",
	}
}

// staying are headers of an answer that do not.
func staying() []string {
	return []string{
		"Set-Cookie", "Set-Cookie2", "Www-Authenticate", "Proxy-Authenticate", "Authorization", "X-Api-Key", "X-Echo", "X-Auth-Token",
		"X-Amz-Security-Token", "X-Ratelimit-Session", "Server", "Refresh", "Alt-Svc", "Strict-Transport-Security", "Access-Control-Allow-Origin",
	}
}

// authentications are those whose secret travels, each with a world for it.
func authentications() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"bearer": func(*testing.T, *world) {},
		"query":  func(t *testing.T, w *world) { w.queryAuth(t, "key") },
		"basic": func(t *testing.T, w *world) {
			pair := "user:" + w.secret.value
			s := w.putValue(t, "PAIR", pair)
			w.instead(t, broker.NewCredential{Auth: &vault.Auth{Kind: "basic"}, Secret: s.id})
			w.carries = headerOf("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		},
	}
}

// instead replaces the base credential.
func (w *world) instead(t *testing.T, n broker.NewCredential) {
	t.Helper()
	if _, err := w.broker.DeleteCredential(context.Background(), credential); err != nil {
		t.Fatal(err)
	}
	w.credential(t, n)
}

func TestCase065Echoes(t *testing.T) {
	t.Parallel()
	for name, authenticate := range authentications() {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " HTTP/2 ", http2), func(t *testing.T) {
				t.Parallel()
				w := newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}, HTTP2: http2}))
				authenticate(t, w)
				all := append(forms(w.secret.value), within(w.secret.value)...)
				w.up.Handle(func(rw http.ResponseWriter, _ *http.Request) { echo(rw, all) })
				for _, call := range []broker.Call{get(prefix), post("made-up")} {
					_, answer := w.allow(t, call)
					w.echoed(t, answer, len(all))
				}
			})
		}
	}
}

// echo answers 401 with each text in the body, in a trailer, and in each of the
// headers.
func echo(w http.ResponseWriter, texts []string) {
	for i, text := range texts {
		for _, name := range append(leaving(), staying()...) {
			w.Header().Add(name, "a="+text)
		}
		if i < 10 { // net/http takes no trailer beyond 4 KiB
			w.Header().Add(http.TrailerPrefix+"X-Request-Id", text)
			w.Header().Add(http.TrailerPrefix+"X-Late", text)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	for _, text := range texts {
		_, _ = io.WriteString(w, "before "+text+" after\n")
	}
}

// echoed checks that the texts of echo were replaced, and nothing else.
func (w *world) echoed(t *testing.T, answer *broker.Answer, n int) {
	t.Helper()
	for line := range strings.Lines(string(answer.Body)) {
		if !strings.HasPrefix(line, "before ") || !strings.HasSuffix(line, " after\n") || strings.Count(line, "[REDACTED]") != 1 {
			t.Errorf("a line of %d bytes is not what it should be", len(line))
		}
	}
	if got := strings.Count(string(answer.Body), "\n"); got != n {
		t.Errorf("%d lines, want %d", got, n)
	}
	for _, name := range leaving() {
		values := answer.Header[name]
		if len(values) != n {
			t.Errorf("%s came %d times, want %d", name, len(values), n)
		}
		for _, v := range values {
			if !strings.HasPrefix(v, "a=") || strings.Count(v, "[REDACTED]") != 1 {
				t.Errorf("%s has %d bytes of something else", name, len(v))
			}
		}
	}
	for _, name := range append(staying(), "X-Late") {
		if answer.Header.Get(name) != "" {
			t.Errorf("%s left the broker", name)
		}
	}
	all := strings.ToLower(fmt.Sprintf("%v%s", answer, answer.Body))
	if strings.Contains(all, strings.ToLower(w.secret.value)) {
		t.Error("the secret shows in another case")
	}
	if want := n * (1 + len(leaving())); answer.Redactions != want || answer.Status != http.StatusUnauthorized {
		t.Errorf("status %d with %d redactions, want %d", answer.Status, answer.Redactions, want)
	}
}

// What stands where HTTP allows any text, and in names.
func TestCase065StatusTextAndNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	word := brokertest.Word(t)
	s := w.putValue(t, "WORD", word)
	w.instead(t, broker.NewCredential{Secret: s.id})
	w.carries = bearerOf(s)
	w.up.Handle(func(rw http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, "HTTP/1.1 103 "+word+"\r\nLink: "+word+"\r\n\r\n"+
			"HTTP/1.1 404 "+word+"\r\nTransfer-Encoding: chunked\r\nContent-Type: text/"+word+"; charset="+word+"\r\nX-Page-"+word+": 1\r\nVary: "+word+"\r\n\r\n"+
			"2; "+word+"\r\nno\r\n0\r\nEtag: "+word+"\r\nX-"+word+": 1\r\n\r\n")
	})
	_, answer := w.allow(t, get(prefix))
	if answer.Status != http.StatusNotFound || string(answer.Body) != "no" || answer.Header.Get("Vary") != "[REDACTED]" {
		t.Errorf("status %d, body of %d bytes, Vary %d", answer.Status, len(answer.Body), len(answer.Header.Get("Vary")))
	}
	if all := strings.ToLower(fmt.Sprintf("%+v", answer)); strings.Contains(all, strings.ToLower(word)) {
		t.Error("the secret shows in another case")
	}
}

// The control: an answer that repeats nothing is left as it is.
func TestCase065NothingToHide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := brokertest.Canary(t)
	body := strings.Join(append(forms(other), within(other)...), "\n") + w.secret.value[:len(w.secret.value)-1] + "\x00"
	w.up.Reply(http.StatusOK, http.Header{"Etag": {other}}, []byte(body))
	_, answer := w.allow(t, get(prefix))
	if string(answer.Body) != body || answer.Header.Get("Etag") != other || answer.Redactions != 0 {
		t.Errorf("%d bytes of %d, %d redactions", len(answer.Body), len(body), answer.Redactions)
	}
}

func TestCase068InvalidUTF8(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	around := []string{"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\x00", "\xf8\x88\x80\x80\x80", "\ufeff"}
	var body, want string
	for i, a := range around {
		body += a + w.secret.value + around[len(around)-1-i]
		want += a + "[REDACTED]" + around[len(around)-1-i]
	}
	w.up.Reply(http.StatusOK, http.Header{"Content-Type": {"application/json"}, "Etag": {"\xff" + w.secret.value + "\xc3"}}, []byte(body))
	_, answer := w.allow(t, get(prefix))
	if string(answer.Body) != want || answer.Header.Get("Etag") != "\xff[REDACTED]\xc3" {
		t.Errorf("the body is %q, the header %q", answer.Body, answer.Header.Get("Etag"))
	}
	to := &catcher{}
	if r := w.stream(t, get(prefix), to); r.err != nil || to.body.String() != want {
		t.Errorf("as a stream: %v, %q", r.err, to.body.String())
	}
}

func TestCase077ShortSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(t, "an empty secret", fault.InvalidRequest, func() error {
		_, err := w.vault.CreateSecret(context.Background(), vault.NewSecret{Name: "EMPTY", Scope: vault.GlobalScope(), Value: proof(stored{})})
		return err
	})
	for i, test := range []struct{ value, body, want string }{
		{"k3y", `{"key":"k3y","monk3y":"k3ys","K3Y":1}`, `{"key":"[REDACTED]","monk3y":"k3ys","K3Y":1}`},
		{"pin-77", "pin-77 pin-771 xpin-77 (pin-77)", "[REDACTED] pin-771 xpin-77 ([REDACTED])"},
		{"7", "7 77 7.7", "[REDACTED] 77 [REDACTED].[REDACTED]"},
		{"1234567", "/1234567?12345678", "/[REDACTED]?12345678"},
		{"12345678", "/12345678?123456789", "/[REDACTED]?[REDACTED]9"},
	} {
		s := w.putValue(t, fmt.Sprint("SHORT", i), test.value)
		w.instead(t, broker.NewCredential{Secret: s.id, Auth: param("header", "x-key")})
		w.up.Reply(http.StatusOK, nil, []byte(test.body))
		if answer := w.answered(t, get(prefix)).answer; string(answer.Body) != test.want {
			t.Errorf("%s: %s, want %s", test.value, answer.Body, test.want)
		}
	}
}

func TestCase080HeadersOfTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	header := http.Header{}
	for _, name := range append(leaving(), staying()...) {
		header[name] = []string{"value"}
	}
	header.Set("Location", "/elsewhere?key="+url.QueryEscape(w.secret.value)+"&a=1")
	w.up.Reply(http.StatusFound, header, nil)
	_, answer := w.allow(t, get(prefix))
	got := answer.Header.Clone()
	for _, name := range append(leaving(), "Date") {
		if got.Get(name) == "" {
			t.Errorf("%s did not leave", name)
		}
		got.Del(name)
	}
	if len(got) > 0 {
		t.Errorf("headers left that must not: %v", got)
	}
	if l := answer.Header.Get("Location"); l != "/elsewhere?key=[REDACTED]&a=1" {
		t.Errorf("Location has %d bytes", len(l))
	}
}
