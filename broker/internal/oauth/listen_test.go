package oauth_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
)

// A login is a Listener that somebody waits on.
type login struct {
	uri, host string
	result    chan result
	cancel    context.CancelFunc
}

type result struct {
	code string
	err  error
}

const state = "the-state"

func start(t testing.TB) *login {
	t.Helper()
	l, err := oauth.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	u, err := url.Parse(l.RedirectURI())
	if err != nil || u.Hostname() != "127.0.0.1" || u.Path != "/callback" || u.Scheme != "http" {
		t.Fatalf("redirect URI %s", l.RedirectURI())
	}
	run := &login{uri: l.RedirectURI(), host: u.Host, result: make(chan result, 1), cancel: cancel}
	t.Cleanup(cancel)
	go func() {
		code, err := l.Wait(ctx, state)
		run.result <- result{string(code.Reveal()), err}
	}()
	return run
}

// send writes a request as it is, and returns the answer.
func (l *login) send(t testing.TB, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", l.host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// get is the request of a browser for a target, with further header lines.
func (l *login) get(target string, lines ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: " + l.host + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
}

// navigation are the header lines of a browser that comes back from a service.
func navigation() []string {
	return []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"}
}

func (l *login) wait(t testing.TB) result {
	t.Helper()
	select {
	case r := <-l.result:
		return r
	case <-time.After(30 * time.Second):
		t.Fatal("the login does not end")
		return result{}
	}
}

// TestListener: the browser comes back, sees a page that holds nothing of its
// request, and the listener is gone.
func TestListener(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"plain": nil, "with metadata": navigation(), "after a form": append(navigation(), "Origin: null"),
	} {
		code := brokertest.Word(t) + "/+ ~"
		l := start(t)
		resp, body := l.send(t, l.get("/callback?code="+url.QueryEscape(code)+"&iss=x&state="+state, lines...))
		if resp.StatusCode != 200 || !strings.Contains(body, "You can close this window") {
			t.Fatalf("%s: %s\n%s", name, resp.Status, body)
		}
		for _, never := range []string{code, url.QueryEscape(code), state, "<script", "http", "iss", "style"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: the page has %q", name, never)
			}
		}
		for field, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		} {
			if got := resp.Header.Get(field); got != want {
				t.Errorf("%s: %s is %q", name, field, got)
			}
		}
		if r := l.wait(t); r.err != nil || r.code != code {
			t.Errorf("%s: got %q, %v", name, r.code, r.err)
		}
		if conn, err := net.Dial("tcp", l.host); err == nil {
			_ = conn.Close()
			t.Errorf("%s: it still listens", name)
		}
	}
}

// TestCase091StrangersAtTheListener: requests that no browser makes which
// comes back from the consent are refused, and the login goes on.
func TestCase091StrangersAtTheListener(t *testing.T) {
	t.Parallel()
	l := start(t)
	good := "/callback?code=c&state=" + state
	raw := func(line, host string, lines ...string) string {
		return line + "\r\nHost: " + host + "\r\n" + strings.Join(append(lines, ""), "\r\n") + "\r\n"
	}
	port := l.host[strings.IndexByte(l.host, ':'):]
	for _, test := range []struct {
		name, request string
		status        int
	}{
		{"rebound name", raw("GET "+good+" HTTP/1.1", "evil.test"+port), 421},
		{"rebound name that looks local", raw("GET "+good+" HTTP/1.1", "127.0.0.1.evil.test"+port), 421},
		{"localhost", raw("GET "+good+" HTTP/1.1", "localhost"+port), 421},
		{"no port", raw("GET "+good+" HTTP/1.1", "127.0.0.1"), 421},
		{"other port", raw("GET "+good+" HTTP/1.1", "127.0.0.1:1"), 421},
		{"no host", "GET " + good + " HTTP/1.0\r\n\r\n", 421},
		{"no host in HTTP/1.1", "GET " + good + " HTTP/1.1\r\n\r\n", 400},
		{"absolute target of another host", raw("GET http://evil.test"+good+" HTTP/1.1", l.host), 421},
		{"absolute target", raw("GET http://"+l.host+good+" HTTP/1.1", l.host), 404},
		{"other path", l.get("/?code=c&state=" + state), 404},
		{"longer path", l.get("/callback/?code=c&state=" + state), 404},
		{"escaped path", l.get("/c%61llback?code=c&state=" + state), 404},
		{"dots", l.get("/x/../callback?code=c&state=" + state), 404},
		{"double slash", l.get("//callback?code=c&state=" + state), 404},
		{"icon", l.get("/favicon.ico"), 404},
		{"POST", raw("POST "+good+" HTTP/1.1", l.host, "Content-Length: 0"), 405},
		{"HEAD", raw("HEAD "+good+" HTTP/1.1", l.host), 405},
		{"OPTIONS", raw("OPTIONS "+good+" HTTP/1.1", l.host), 405},
		{"foreign origin", l.get(good, "Origin: https://evil.test"), 403},
		{"foreign origin that navigates", l.get(good, append(navigation(), "Origin: https://evil.test")...), 403},
		{"null origin", l.get(good, "Origin: null"), 403},
		{"two origins", l.get(good, append(navigation(), "Origin: null", "Origin: null")...), 403},
		{"script", l.get(good, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty"), 403},
		{"image", l.get(good, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"), 403},
		{"frame", l.get(good, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"), 403},
		{"state twice", l.get("/callback?code=c&state=" + state + "&state=x"), 400},
		{"code twice", l.get("/callback?code=c&code=d&state=" + state), 400},
		{"broken query", l.get("/callback?code=%zz&state=" + state), 400},
		{"semicolon", l.get("/callback?code=c;state=" + state), 400},
		{"endless header", l.get(good, "X: "+strings.Repeat("x", 64<<10)), 431},
	} {
		resp, body := l.send(t, test.request)
		if resp.StatusCode != test.status {
			t.Errorf("%s: %s, want %d", test.name, resp.Status, test.status)
		}
		if strings.Contains(body, state) || strings.Contains(body, "evil") {
			t.Errorf("%s: the answer repeats the request: %s", test.name, body)
		}
	}
	if resp, _ := l.send(t, l.get(good)); resp.StatusCode != 200 {
		t.Errorf("the owner comes last: %s", resp.Status)
	}
	if r := l.wait(t); r.err != nil || r.code != "c" {
		t.Errorf("got %q, %v", r.code, r.err)
	}
}

// TestCase091WrongCallback: a callback that is not the consent to this login
// ends it, and no error repeats anything of the request.
func TestCase091WrongCallback(t *testing.T) {
	t.Parallel()
	canary := brokertest.Word(t)
	for _, test := range []struct {
		name, query, says string
		code              fault.Code
	}{
		{"wrong state", "code=CANARY&state=the-statf", "belongs to no login", fault.TokenInvalid},
		{"longer state", "code=CANARY&state=the-state0", "belongs to no login", fault.TokenInvalid},
		{"shorter state", "code=CANARY&state=the-stat", "belongs to no login", fault.TokenInvalid},
		{"empty state", "code=CANARY&state=", "belongs to no login", fault.TokenInvalid},
		{"no state", "code=CANARY", "belongs to no login", fault.TokenInvalid},
		{"nothing", "", "belongs to no login", fault.TokenInvalid},
		{"error without the state", "error=access_denied", "belongs to no login", fault.TokenInvalid},
		{"no consent", "error=access_denied&error_description=CANARY&state=the-state", "did not consent", fault.AuthFailed},
		{"error beats code", "code=CANARY&error=access_denied&state=the-state", "did not consent", fault.AuthFailed},
		{"wrong scope", "error=invalid_scope&error_uri=CANARY&state=the-state", "invalid_scope", fault.AuthFailed},
		{"service down", "error=temporarily_unavailable&state=the-state", "temporarily_unavailable", fault.AuthFailed},
		{"unknown error", "error=CANARY&state=the-state", "does not list", fault.AuthFailed},
		{"empty error", "error=&code=CANARY&state=the-state", "does not list", fault.AuthFailed},
		{"no code", "state=the-state&x=CANARY", "no code", fault.AuthFailed},
		{"code with a line break", "code=CANARY%0a&state=the-state", "no code, or one that cannot be", fault.AuthFailed},
		{"code too long", "code=CANARY" + strings.Repeat("x", 4<<10) + "&state=the-state", "no code, or one that cannot be", fault.AuthFailed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := start(t)
			resp, body := l.send(t, l.get("/callback?"+strings.ReplaceAll(test.query, "CANARY", canary)))
			if resp.StatusCode != 403 || !strings.Contains(body, "login failed") || strings.Contains(body, canary) {
				t.Errorf("%s\n%s", resp.Status, body)
			}
			r := l.wait(t)
			if r.code != "" || fault.CodeOf(r.err) != test.code || !strings.Contains(r.err.Error(), test.says) {
				t.Fatalf("got %q, %v", r.code, r.err)
			}
			if text := fmt.Sprintf("%+v %s", r.err, fault.HintOf(r.err)); strings.Contains(text, canary) || strings.Contains(text, "the-stat") {
				t.Error("the error shows a part of the request")
			}
		})
	}
}

// TestCase091ManyCallbacks: of callbacks that come at once, one is taken.
func TestCase091ManyCallbacks(t *testing.T) {
	t.Parallel()
	l := start(t)
	taken := make(chan string, 16)
	for i := range cap(taken) {
		go func() {
			code := fmt.Sprint("code-", i)
			resp, err := http.Get(l.uri + "?code=" + code + "&state=" + state)
			if err != nil { // it had closed already
				taken <- ""
				return
			}
			_ = resp.Body.Close()
			switch resp.StatusCode {
			case 200:
				taken <- code
			case 410:
				taken <- ""
			default:
				taken <- resp.Status
			}
		}()
	}
	won := ""
	for range cap(taken) {
		won += <-taken
	}
	if r := l.wait(t); r.err != nil || r.code != won {
		t.Errorf("browsers saw %q taken, the login took %q (%v)", won, r.code, r.err)
	}
}

func TestListenerCancelled(t *testing.T) {
	t.Parallel()
	l := start(t)
	idle, err := net.Dial("tcp", l.host) // as browsers open them in advance
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	l.cancel()
	if r := l.wait(t); fault.CodeOf(r.err) != fault.Canceled {
		t.Errorf("got %v", r.err)
	}
	late, err := oauth.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := late.Wait(ctx, state); fault.CodeOf(err) != fault.Timeout {
		t.Errorf("got %v", err)
	}
	closed, err := oauth.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Error(err)
	}
	if err := closed.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := closed.Wait(context.Background(), state); fault.CodeOf(err) != fault.IO {
		t.Errorf("waiting on a closed one: %v", err)
	}
	// No state at all is no state to agree on.
	none, err := oauth.Listen()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if resp, err := http.Get(none.RedirectURI() + "?code=c&state="); err == nil {
			_ = resp.Body.Close()
		}
	}()
	if code, err := none.Wait(context.Background(), ""); fault.CodeOf(err) != fault.TokenInvalid {
		t.Errorf("an empty state gives %d bytes, %v", code.Len(), err)
	}
}

// TestListenerLeaves: no goroutine, no connection and no socket is left,
// whatever strangers hold open. It runs alone.
func TestListenerLeaves(t *testing.T) {
	before, files := runtime.NumGoroutine(), openFiles(t)
	for range 3 {
		l := start(t)
		var held []net.Conn
		for _, sent := range []string{"", "GET /call", "GET /other HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"} {
			conn, err := net.Dial("tcp", l.host)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, conn)
			if _, err := io.WriteString(conn, sent); err != nil {
				t.Fatal(err)
			}
		}
		l.send(t, l.get("/callback?code=c&state="+state))
		began := time.Now()
		if r := l.wait(t); r.err != nil {
			t.Fatal(r.err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("strangers delay the login by %v", took)
		}
		for _, conn := range held {
			_ = conn.Close()
		}
		l.cancel()
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		goroutines, open := runtime.NumGoroutine(), openFiles(t)
		if goroutines <= before && open <= files {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files are left, of %d and %d before", goroutines, open, before, files)
		}
	}
}

// openFiles counts the descriptors of this process, where that can be done.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
