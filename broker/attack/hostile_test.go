package attack_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

// A script plays an upstream on a connection once a request was read, which it
// may quote.
type script func(c net.Conn, request string)

// say answers, quoting the request where the reply says ECHO, and closes.
func say(reply string) script {
	return func(c net.Conn, request string) {
		_, _ = io.WriteString(c, strings.ReplaceAll(reply, "ECHO", request))
	}
}

// endless says head, and then chunk for ever.
func endless(head, chunk string) script {
	return func(c net.Conn, _ string) {
		_, err := io.WriteString(c, head)
		for err == nil {
			_, err = io.WriteString(c, chunk)
		}
	}
}

// stall says head, and then nothing.
func stall(head string) script {
	return func(c net.Conn, _ string) {
		_, _ = io.WriteString(c, head)
		_, _ = io.Copy(io.Discard, c)
	}
}

// scripted returns a world whose upstream plays, for a path below the prefix,
// the script of that name.
func scripted(t *testing.T, scripts map[string]script) *world {
	t.Helper()
	return newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}, Raw: func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if play, ok := scripts[strings.TrimPrefix(r.URL.Path, prefix+"/")]; ok {
			play(c, r.URL.RawQuery+" "+r.Header.Get("Authorization"))
		}
	}}))
}

// at is a call of a script.
func at(name string) broker.Call { return get(prefix + "/" + url.PathEscape(name)) }

// A trial is a script, and how a call of it must end.
type trial struct {
	play script
	code fault.Code
}

func scriptsOf(trials map[string]trial) map[string]script {
	scripts := map[string]script{}
	for name, t := range trials {
		scripts[name] = t.play
	}
	return scripts
}

const (
	okLine      = "HTTP/1.1 200 OK\r\n"
	chunkedHead = okLine + "Transfer-Encoding: chunked\r\n\r\n"
)

// Not parallel: it measures memory.
func TestCase070AnswersWithoutEnd(t *testing.T) {
	page, line := strings.Repeat("x", 4096), "X-Filler: "+strings.Repeat("x", 1000)+"\r\n"
	trials := map[string]trial{
		"body":             {endless(okLine+"\r\n", page), fault.ResponseTooLarge},
		"announced":        {endless(okLine+"Content-Length: 1073741824\r\n\r\n", page), fault.ResponseTooLarge},
		"chunks":           {endless(chunkedHead, "1000\r\n"+page+"\r\n"), fault.ResponseTooLarge},
		"chunk extensions": {endless(chunkedHead, "1;"+strings.Repeat("x", 1000)+"\r\nx\r\n"), fault.UpstreamUnreachable},
		"empty blocks":     {endless(okLine+"Content-Encoding: deflate\r\n\r\n", strings.Repeat("\x00\x00\x00\xff\xff", 100)), fault.ResponseTooLarge},
		"header":           {endless(okLine+"X-Long: ", page), fault.UpstreamUnreachable},
		"header of 10 MiB": {say(okLine + "X-Long: " + strings.Repeat("x", 10<<20) + "\r\n\r\n"), fault.UpstreamUnreachable},
		"headers":          {endless(okLine, line), fault.UpstreamUnreachable},
		"100,000 headers":  {say(okLine + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n"), fault.UpstreamUnreachable},
		"status line":      {endless("HTTP/1.1 200 ", page), fault.UpstreamUnreachable},
		"1xx":              {endless("", "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"), fault.UpstreamUnreachable},
		"100":              {endless("", "HTTP/1.1 100 Continue\r\n\r\n"), fault.UpstreamUnreachable},
		"trailers":         {endless(chunkedHead+"0\r\n", line), fault.UpstreamUnreachable},
	}
	w := scripted(t, scriptsOf(trials))
	const limit = 64 << 10
	w.limitAnswers(t, limit)
	for name, trial := range trials {
		start := time.Now()
		r := w.bounded(t, at(name), trial.code)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %s", name, took)
		}
		if r.answer != nil && len(r.answer.Body) > limit {
			t.Errorf("%s: %d bytes left", name, len(r.answer.Body))
		}
	}
}

// An upstream that stops in the middle holds its own call, and that until the
// call's time is over.
func TestCase071Stalls(t *testing.T) {
	t.Parallel()
	scripts := map[string]script{
		"before":    stall(""),
		"status":    stall("HTTP/1.1 20"),
		"header":    stall(okLine + "X-"),
		"after 1xx": stall("HTTP/1.1 103 Early Hints\r\n\r\n"),
		"body":      stall(okLine + "Content-Length: 5\r\n\r\n"),
		"in body":   stall(okLine + "Content-Length: 5\r\n\r\nab"),
		"in chunk":  stall(chunkedHead + "5\r\nab"),
		"trailer":   stall(chunkedHead + "0\r\n"),
		"gzip":      stall(okLine + "Content-Encoding: gzip\r\n\r\n\x1f"),
		"drip": func(c net.Conn, _ string) {
			_, err := io.WriteString(c, okLine+"\r\n")
			for err == nil {
				time.Sleep(10 * time.Millisecond)
				_, err = io.WriteString(c, "x")
			}
		},
	}
	for name := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scripted(t, scripts).late(t, at(name))
		})
	}
}

// late makes a call whose time runs out.
func (w *world) late(t *testing.T, call broker.Call) {
	t.Helper()
	call.Timeout = time.Second
	start := time.Now()
	w.fail(t, call, fault.Timeout)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("%s: gave up after %s", brief(call), took)
	}
}

// The same before there is a connection that works.
func TestCase071StallsOnTheWay(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never says anything
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, change := range map[string]func(*broker.Config){
		"name": func(c *broker.Config) {
			c.Resolve = func(ctx context.Context, _ string) ([]netip.Addr, error) { <-ctx.Done(); return nil, ctx.Err() }
		},
		"connection": func(c *broker.Config) {
			c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		},
		"TLS": func(c *broker.Config) {
			c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, silent.Addr().String())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.queryAuth(t, "key")
			w.connect(t, change)
			w.late(t, get(prefix+"?q=made-up-query"))
		})
	}
}

// What is not HTTP is no answer, and no error quotes it (case 79).
func TestCase073Garbage(t *testing.T) {
	t.Parallel()
	trials := map[string]trial{}
	for name, reply := range map[string]string{
		"nothing":           "",
		"HTTP 0.9":          "ECHO\n",
		"TLS":               "\x16\x03\x01ECHO",
		"status":            "HTTP/1.1 ECHO\r\n\r\n",
		"no status":         "HTTP/1.1\r\n\r\nECHO",
		"version":           "HTTP/9.1 200 OK\r\n\r\nECHO",
		"header":            okLine + "ECHO\r\n\r\n",
		"header of NULs":    okLine + "X: \x00ECHO\r\n\r\n",
		"two lengths":       okLine + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nECHO",
		"negative length":   okLine + "Content-Length: -1\r\n\r\nECHO",
		"transfer encoding": okLine + "Transfer-Encoding: ECHO\r\n\r\n",
		"101":               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nECHO",
		"204 with a body":   "HTTP/1.1 204 No Content\r\nContent-Length: 200\r\n\r\nECHO",
		"204 with chunks":   "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"short":             okLine + "Content-Length: 1000\r\n\r\nECHO",
		"bad chunk":         chunkedHead + "zzECHO\r\n",
		"cut chunk":         chunkedHead + "100\r\nECHO",
		"bad trailer":       chunkedHead + "0\r\nECHO\r\n\r\n",
	} {
		trials[name] = trial{say(reply), fault.UpstreamUnreachable}
	}
	w := scripted(t, scriptsOf(trials))
	w.queryAuth(t, "key")
	for name, trial := range trials {
		call := at(name)
		call.Path += "?q=made-up-query"
		w.fail(t, call, trial.code)
		to := &catcher{}
		if r := w.stream(t, call, to); fault.CodeOf(r.err) != trial.code {
			t.Errorf("%s: as a stream %v", name, r.err)
		}
	}
}

// A body where there is none is not the answer to the next call.
func TestCase073BodyBehindNone(t *testing.T) {
	t.Parallel()
	const smuggled = okLine + "Content-Length: 8\r\n\r\nmade-up!"
	scripts := map[string]script{
		"304": stall("HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n" + smuggled),
		"204": stall("HTTP/1.1 204 No Content\r\n\r\n" + smuggled),
	}
	w := scripted(t, scripts)
	for name := range scripts {
		for range 3 {
			if a := w.answered(t, at(name)).answer; fmt.Sprint(a.Status) != name || len(a.Body) != 0 {
				t.Errorf("%s: status %d, body of %d bytes", name, a.Status, len(a.Body))
			}
			// Not a wait for a condition: at whatever moment the next call comes.
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// Errors say what failed at which host, whatever the network says of it.
func TestCase079ErrorTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queryAuth(t, "key")
	quote := &url.Error{Op: "Get", URL: "https://" + host + prefix + "?q=made-up-query&key=" + url.QueryEscape(w.secret.value), Err: errors.New(w.secret.value)}
	for name, change := range map[string]func(*broker.Config){
		"name": func(c *broker.Config) {
			c.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, quote }
		},
		"connection": func(c *broker.Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, quote }
		},
		"certificate": func(c *broker.Config) { c.Roots = brokertest.New(t, host).CAPEM() },
	} {
		w.connect(t, change)
		for _, call := range []broker.Call{get(prefix + "?q=made-up-query"), get(prefix + "/made/up?made-up-query")} {
			r := w.fail(t, call, fault.UpstreamUnreachable)
			if text := r.err.Error() + fault.HintOf(r.err); !strings.Contains(text, host) || strings.ContainsAny(text, "?&") || strings.Contains(text, prefix) {
				t.Errorf("%s: the error is %q", name, text)
			}
			for _, e := range r.events {
				if e.Kind == vault.KindInvokeOutcome && e.Note != "" {
					t.Errorf("%s: the outcome has the note %q", name, e.Note)
				}
			}
		}
	}
}
