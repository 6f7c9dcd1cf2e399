package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/remote"
	"aivault/keys/fault"
	"aivault/vault"
)

// A call through a daemon is the call: the same request goes out, and the same
// answer comes back, with a body of whatever length.
func TestInvoke(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	value := r.acme(t)
	c := r.client(t)
	for _, size := range []int{0, 1, 64 << 10, 3 << 20} {
		body := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
		r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("X-Request-Id", "r-1")
			_, _ = w.Write(body)
		})
		got, err := c.Invoke(t.Context(), items())
		if err != nil {
			t.Fatal(err)
		}
		want, err := r.broker.Invoke(t.Context(), items())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []*broker.Answer{got, want} { // what differs from call to call
			a.Duration, a.Timing, a.Intent = 0, broker.Timing{}, 0
			a.Header.Del("Date")
		}
		if d := diff(want, got); d != "" {
			t.Errorf("%d bytes: the answer is another one (-here +daemon):\n%s", size, d)
		}
	}
	for _, req := range r.up.Requests() {
		if req.Get("Authorization") != "Bearer "+value {
			t.Error("a request went out without the secret")
		}
	}
	call := items()
	call.Method, call.Body = "POST", bytes.Repeat([]byte("x"), 5<<20)
	if a, err := c.Invoke(t.Context(), call); err != nil || a.RequestBytes != int64(len(call.Body)) {
		t.Errorf("a body of 5 MiB: %+v, %v", a, err)
	}
}

// The errors of calls are those of the broker, with their codes and hints.
func TestInvokeErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	c := r.client(t)
	path, nobody, timeout := items(), items(), items()
	path.Path = "/v2/items"
	nobody.Capability = "acme/none"
	timeout.Timeout = time.Nanosecond
	for name, call := range map[string]broker.Call{"path": path, "nobody": nobody, "timeout": timeout} {
		_, got := c.Invoke(t.Context(), call)
		_, want := r.broker.Invoke(t.Context(), call)
		if fault.CodeOf(got) != fault.CodeOf(want) || got.Error() != want.Error() || fault.HintOf(got) != fault.HintOf(want) {
			t.Errorf("%s: %v (%s), and not %v (%s)", name, got, fault.HintOf(got), want, fault.HintOf(want))
		}
	}
	limit := int64(10)
	if _, err := c.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items", MaxResponse: &limit}, 0); err != nil {
		t.Fatal(err)
	}
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("more than ten bytes")) })
	if a, err := c.Invoke(t.Context(), items()); fault.CodeOf(err) != fault.ResponseTooLarge || a == nil || string(a.Body) != "more than " {
		t.Errorf("an answer that is too long: %+v, %v", a, err)
	}
	call := items()
	call.Method, call.Body = "POST", make([]byte, 66<<20)
	if _, err := c.Invoke(t.Context(), call); fault.CodeOf(err) != fault.RequestTooLarge {
		t.Errorf("66 MiB: %v", err)
	}
}

// A taker is a sink that tells what it gets.
type taker struct {
	begun  *broker.Answer
	pieces chan string
	fail   error // of every piece
	mu     sync.Mutex
	stages []broker.Stage
}

func (s *taker) Begin(a *broker.Answer) error { s.begun = a; return nil }

func (s *taker) Write(p []byte) (int, error) {
	if s.pieces != nil {
		s.pieces <- string(p)
	}
	return len(p), s.fail
}

func (s *taker) Stage(x broker.Stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stages = append(s.stages, x)
}

// What streams arrives as it is sent, not later.
func TestStream(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	next := make(chan string)
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for x := range next {
			_, _ = w.Write([]byte(x))
			w.(http.Flusher).Flush()
		}
	})
	to := &taker{pieces: make(chan string)}
	type end struct {
		a   *broker.Answer
		err error
	}
	done := make(chan end, 1)
	c := r.client(t)
	go func() {
		a, err := c.Stream(context.Background(), items(), to)
		done <- end{a, err}
	}()
	for i := range 3 {
		event := fmt.Sprintf("data: %d\n\n", i)
		next <- event
		if got := <-to.pieces; got != event {
			t.Errorf("%q came, not %q", got, event)
		}
	}
	close(next)
	e := <-done
	if e.err != nil || e.a.Status != 200 || e.a.Body != nil || e.a.ResponseBytes != 27 || to.begun.Status != 200 {
		t.Errorf("%+v, %v; begun with %+v", e.a, e.err, to.begun)
	}
	if first, last := to.stages[0], to.stages[len(to.stages)-1]; first != broker.StageChecking || last != broker.StageReceiving {
		t.Errorf("stages: %q", to.stages)
	}
}

func TestStream10MiB(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	body := bytes.Repeat([]byte("0123456789abcde\n"), 10<<16)
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	var got bytes.Buffer
	a, err := r.client(t).Stream(t.Context(), items(), sinkTo{&got})
	if err != nil || a.ResponseBytes != int64(len(body)) || !bytes.Equal(got.Bytes(), body) {
		t.Errorf("%d of %d bytes came: %v", got.Len(), len(body), err)
	}
}

// sinkTo is a sink that is no watcher.
type sinkTo struct{ io.Writer }

func (sinkTo) Begin(*broker.Answer) error { return nil }

// A sink that takes no more ends the call, upstream too, and its own error is
// that of the call. The connection is not used again.
func TestSinkEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	gone := make(chan struct{})
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		_, _ = w.Write([]byte("some"))
		w.(http.Flusher).Flush()
		<-req.Context().Done()
		close(gone)
	})
	c := r.client(t)
	_, err := c.Stream(t.Context(), items(), &taker{fail: syscall.EPIPE})
	if fault.CodeOf(err) != fault.Canceled || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("%v", err)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the upstream still works")
	}
	if _, err := c.Policies(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Case 126. A caller that gives up has the upstream left at once, and an answer
// that says so.
func TestCancel(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	begun, gone := make(chan struct{}), make(chan struct{})
	r.up.Handle(func(_ http.ResponseWriter, req *http.Request) {
		close(begun)
		<-req.Context().Done()
		close(gone)
	})
	c := r.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	start := time.Now()
	_, err := c.Invoke(ctx, items())
	if fault.CodeOf(err) != fault.Canceled || time.Since(start) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
	<-gone
	if e := r.last(t); e.Kind != vault.KindInvokeOutcome || e.Code != fault.Canceled {
		t.Errorf("the audit log ends with %+v", e)
	}
	if _, err := c.Invoke(ctx, items()); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("with a context that is over: %v", err)
	}
}

// Where the daemon goes away in the middle, nobody says that nothing happened,
// nobody tries again, and what only looks is told from what changes something.
func TestDaemonGoesAway(t *testing.T) {
	t.Parallel()
	requests := make(chan struct{}, 10)
	a := dying(t, requests)
	for _, test := range []struct {
		name string
		ask  func(c *remote.Client) error
		want fault.Code
	}{
		{"a call", func(c *remote.Client) error { _, err := c.Invoke(t.Context(), items()); return err }, fault.OutcomeUnknown},
		{"a change", func(c *remote.Client) error { _, err := c.DeleteCredential(t.Context(), "x"); return err }, fault.OutcomeUnknown},
		{"a question", func(c *remote.Client) error { _, err := c.Policies(t.Context()); return err }, fault.IO},
	} {
		c, err := remote.Dial(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		err = test.ask(c)
		c.Close()
		if fault.CodeOf(err) != test.want || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", test.name, err)
		}
		if n := len(requests); n != 1 {
			t.Errorf("%s was asked for %d times", test.name, n)
		}
		<-requests
	}
}

// dying returns the options for a daemon that goes away after it has read a
// request.
func dying(t *testing.T, requests chan<- struct{}) remote.Options {
	r := newRig(t, operator)
	opts := r.options()
	opts.Connect = func(ctx context.Context) (net.Conn, error) {
		to, err := (&net.Dialer{}).DialContext(ctx, "unix", r.socket)
		if err != nil {
			return nil, err
		}
		return &cutOff{Conn: to, requests: requests}, nil
	}
	return opts
}

// A cutOff connection ends when a request was written.
type cutOff struct {
	net.Conn
	requests chan<- struct{}
	writes   int
}

func (c *cutOff) Write(p []byte) (int, error) {
	if c.writes++; c.writes == 2 { // after the hello
		c.requests <- struct{}{}
		_ = c.Close()
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// 64 callers at once, of one client, are all answered, each with its own answer.
func TestManyCallers(t *testing.T) {
	leaks(t)
	r := newRig(t, operator)
	r.acme(t)
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) { _, _ = io.WriteString(w, req.URL.RawQuery) })
	c := r.client(t)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			call := items()
			call.Path = fmt.Sprintf("/v1/items?n=%d", i)
			if a, err := c.Invoke(t.Context(), call); err != nil || string(a.Body) != fmt.Sprintf("n=%d", i) {
				t.Errorf("caller %d: %+v, %v", i, a, err)
			}
			if _, err := c.Policy(t.Context(), "acme/items"); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if err := r.served(); err != nil {
		t.Errorf("connections: %v", err)
	}
}

// A login asks its owner in this process, and stores the tokens in the other.
func TestLogin(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	l := broker.Login{
		AuthURL: "https://auth.acme.test/authorize", TokenEndpoint: "https://auth.acme.test/token", ClientID: "client",
		Name: "ACME_OAUTH", Scope: vault.GlobalScope(),
	}
	c := r.client(t)
	shown := ""
	refused := fault.New(fault.Canceled, "nobody is here").WithHint("come back")
	l.Open = func(url string) error { shown = url; return refused }
	_, err := c.Login(t.Context(), l)
	if fault.CodeOf(err) != fault.Canceled || err.Error() != "nobody is here" || fault.HintOf(err) != "come back" {
		t.Errorf("an owner that cannot be asked: %v", err)
	}
	if !strings.HasPrefix(shown, l.AuthURL+"?") {
		t.Errorf("%q was shown", shown)
	}
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"made-up-1","refresh_token":"made-up-2","token_type":"Bearer","expires_in":3600}`)
	})
	l.Open = func(url string) error { go consent(url); return nil }
	s, err := c.Login(t.Context(), l)
	if err != nil || s.Name != l.Name {
		t.Fatalf("%+v, %v", s, err)
	}
	l.Credential = &broker.NewCredential{ID: "acme:reserved", Provider: "acme"}
	if _, err := c.Login(t.Context(), l); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("a credential that cannot be: %v", err)
	}
}
