package broker_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/vault"
)

// A reader is a Sink that tells what arrives.
type reader struct {
	began  chan *broker.Answer
	pieces chan string
	gone   chan error // what Write returns, once it is there
}

func newReader() *reader {
	return &reader{began: make(chan *broker.Answer, 1), pieces: make(chan string, 1000), gone: make(chan error, 1)}
}

func (r *reader) Begin(a *broker.Answer) error { r.began <- a; return nil }

func (r *reader) Write(p []byte) (int, error) {
	select {
	case err := <-r.gone:
		return 0, err
	case r.pieces <- string(p):
		return len(p), nil
	}
}

// next waits for a piece.
func (r *reader) next(t *testing.T) string {
	t.Helper()
	select {
	case p := <-r.pieces:
		return p
	case <-time.After(5 * time.Second):
		t.Fatal("nothing arrives")
		return ""
	}
}

// An event is handed over when it is there, not when the answer ends; encoded
// or not (T38, case 66).
func TestStreamAtOnce(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "gzip"} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			s := r.acme(t)
			more := make(chan bool)
			r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				out := io.Writer(w)
				flush := func() { _ = http.NewResponseController(w).Flush() }
				if encoding == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(w)
					out = z
					flush = func() { _ = z.Flush(); _ = http.NewResponseController(w).Flush() }
					defer func() { _ = z.Close() }()
				}
				_, _ = fmt.Fprintf(out, "data: one\n\n")
				flush()
				<-more
				_, _ = fmt.Fprintf(out, "data: key %s", s.value[:10])
				flush()
				<-more
				_, _ = fmt.Fprintf(out, "%s!\n\n", s.value[10:])
				flush()
			})
			to := newReader()
			done := make(chan error, 1)
			var answer *broker.Answer
			go func() {
				var err error
				answer, err = r.broker.Stream(context.Background(), broker.Call{Capability: "acme/items", Method: "GET"}, to)
				done <- err
			}()
			if a := <-to.began; a.Status != 200 || a.MediaType != "text/event-stream" {
				t.Errorf("began with %+v", a)
			}
			if got := to.next(t); got != "data: one\n\n" {
				t.Errorf("first %q", got)
			}
			more <- true
			more <- true
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			close(to.pieces)
			rest := ""
			for p := range to.pieces {
				rest += p
			}
			if rest != "data: key [REDACTED]!\n\n" || answer.Redactions != 1 || answer.Body != nil {
				t.Errorf("then %q, %d redactions", rest, answer.Redactions)
			}
			if e := r.last(t); e.Kind != vault.KindInvokeOutcome || e.Outcome != vault.OutcomeOK || e.Redactions != 1 || e.Capability != "acme/items" {
				t.Errorf("recorded as %+v", e)
			}
		})
	}
}

// Who goes away ends the call upstream, and the log says so (case 126).
func TestStreamReaderGoes(t *testing.T) {
	t.Parallel()
	tests := map[string]func(to *reader, cancel func()){
		"sink":    func(to *reader, _ func()) { to.gone <- errors.New("broken pipe") },
		"context": func(_ *reader, cancel func()) { cancel() },
	}
	for name, leave := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			r.acme(t)
			ended := make(chan time.Time, 1)
			r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
				for req.Context().Err() == nil {
					if _, err := io.WriteString(w, "data: tick\n\n"); err != nil {
						break
					}
					_ = http.NewResponseController(w).Flush()
					time.Sleep(10 * time.Millisecond)
				}
				ended <- time.Now()
			})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			to := newReader()
			done := make(chan error, 1)
			go func() {
				_, err := r.broker.Stream(ctx, broker.Call{Capability: "acme/items", Method: "GET"}, to)
				done <- err
			}()
			<-to.began
			to.next(t)
			left := time.Now()
			leave(to, cancel)
			if err := <-done; fault.CodeOf(err) != fault.Canceled {
				t.Errorf("error %v", err)
			}
			select {
			case at := <-ended:
				if at.Sub(left) > time.Second {
					t.Errorf("the upstream went on for %s", at.Sub(left))
				}
			case <-time.After(5 * time.Second):
				t.Error("the upstream goes on")
			}
			if e := r.last(t); e.Outcome != vault.OutcomeError || e.Code != fault.Canceled || e.ResponseBytes == 0 {
				t.Errorf("recorded as %+v", e)
			}
		})
	}
}

// What is over the limit of the policy does not leave, and neither does the
// beginning of a secret at the cut.
func TestResponseLimit(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		s := r.acme(t)
		const before = "0123456789"
		limit := int64(len(before) + len(s.value) - 3)
		if _, err := r.broker.SetPolicy(context.Background(), vault.Policy{Capability: "acme/items", MaxResponse: &limit}, 0); err != nil {
			t.Fatal(err)
		}
		r.up.Reply(200, http.Header{"Content-Type": {"text/plain"}}, []byte(before+s.value+strings.Repeat("x", 1000)))
		answer, err := r.invoke("acme/items", inW)
		if fault.CodeOf(err) != fault.ResponseTooLarge || answer == nil {
			t.Fatalf("%v, %v", answer, err)
		}
		if !strings.HasPrefix(string(answer.Body), before) || int64(len(answer.Body)) > limit || strings.Contains(string(answer.Body), s.value[:6]) {
			t.Errorf("%d bytes left, with the secret's beginning: %v", len(answer.Body), strings.Contains(string(answer.Body), s.value[:6]))
		}
		brokertest.Scan(t, "body", answer.Body, s.value)
		if e := r.last(t); e.Outcome != vault.OutcomeError || e.Code != fault.ResponseTooLarge || e.Status != 200 {
			t.Errorf("recorded as %+v", e)
		}
		r.up.Reply(200, nil, []byte("short"))
		if answer, err := r.invoke("acme/items", inW); err != nil || string(answer.Body) != "short" {
			t.Errorf("a short answer: %v, %v", answer, err)
		}
	})
}

// Fields that the policy names do not leave, at any depth, and what is no JSON
// though it says so does not leave at all.
func TestResponseBlock(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.acme(t)
		policy := vault.Policy{Capability: "acme/items", Block: []string{"email", "ssn"}}
		if _, err := r.broker.SetPolicy(context.Background(), policy, 0); err != nil {
			t.Fatal(err)
		}
		json := http.Header{"Content-Type": {"application/json"}}
		r.up.Reply(200, json, []byte(`{"id":1, "e\u006dail":"a@b.test", "of":[{"ssn":{"n":[1,2]}}], "text":"email"}`))
		answer, err := r.invoke("acme/items", inW)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"id":1, "e\u006dail":"[REDACTED]", "of":[{"ssn":"[REDACTED]"}], "text":"email"}`
		if string(answer.Body) != want || answer.Blocked != 2 {
			t.Errorf("%d blocked in %s", answer.Blocked, answer.Body)
		}
		r.up.Reply(200, json, []byte(`{"email":"a@b.test"`))
		if answer, err := r.invoke("acme/items", inW); fault.CodeOf(err) != fault.UpstreamStatus || answer != nil {
			t.Errorf("broken JSON: %v, %v", answer, err)
		}
		binary := []byte{0, 1, 2, 0xff, '"', 'e', 'm'}
		r.up.Reply(200, http.Header{"Content-Type": {"application/octet-stream"}}, binary)
		if answer, err := r.invoke("acme/items", inW); err != nil || !bytes.Equal(answer.Body, binary) {
			t.Errorf("a binary body: %v, %v", answer, err)
		}
	})
}
