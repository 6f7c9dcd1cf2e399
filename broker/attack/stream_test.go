package attack_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/vault"
)

// A catcher is a Sink that keeps what arrives, and tells of each bar in it.
type catcher struct {
	body strings.Builder
	bars chan struct{} // or nil
}

func (c *catcher) Begin(*broker.Answer) error { return nil }

func (c *catcher) Write(p []byte) (int, error) {
	c.body.Write(p)
	for range strings.Count(string(p), "|") {
		if c.bars != nil {
			c.bars <- struct{}{}
		}
	}
	return len(p), nil
}

// stream makes a call whose answer is taken as it arrives, and checks that no
// secret shows in that either.
func (w *world) stream(t *testing.T, call broker.Call, to *catcher) result {
	t.Helper()
	r := w.judged(t, call, func(ctx context.Context, call broker.Call) (*broker.Answer, error) {
		return w.broker.Stream(ctx, call, to)
	})
	w.scan(t, "the stream", to.body.String())
	return r
}

// A secret that is cut anywhere, in any form, is found: in chunks, in frames of
// HTTP/2 and in blocks of gzip. Each time the second part is sent only when what
// stands before the first one has arrived at the caller.
func TestCase066SecretAcrossChunks(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]struct{ http2, gzip bool }{
		"HTTP/1.1": {false, false}, "HTTP/2": {true, false}, "gzip": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}, HTTP2: o.http2}))
			for _, form := range forms(w.secret.value) {
				to := &catcher{bars: make(chan struct{}, 10)}
				w.up.Handle(func(rw http.ResponseWriter, _ *http.Request) { inHalves(rw, form, o.gzip, to.bars) })
				r := w.stream(t, get(prefix), to)
				if r.err != nil {
					t.Fatal(r.err)
				}
				w.recorded(t, get(prefix), r, vault.OutcomeOK, "")
				events := strings.Split(strings.TrimSuffix(to.body.String(), "\n\n"), "\n\n")
				if len(events) != len(form)-1 || r.answer.Redactions != len(events) {
					t.Fatalf("%d events with %d redactions, want %d", len(events), r.answer.Redactions, len(form)-1)
				}
				for cut, event := range events {
					if !strings.HasPrefix(event, "data: |") || !strings.Contains(event, "[REDACTED]") || len(event) > len("data: |[REDACTED]")+len("=")*2 {
						t.Errorf("cut at %d of %d: the caller got %d bytes", cut+1, len(form), len(event))
					}
				}
			}
		})
	}
}

// inHalves sends an event for each place at which text can be cut in two.
func inHalves(w http.ResponseWriter, text string, packed bool, bars <-chan struct{}) {
	w.Header().Set("Content-Type", "text/event-stream")
	out, flush := io.Writer(w), func() { _ = http.NewResponseController(w).Flush() }
	if packed {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer func() { _ = z.Close() }()
		out, flush = z, func() { _ = z.Flush(); _ = http.NewResponseController(w).Flush() }
	}
	for cut := 1; cut < len(text); cut++ {
		_, _ = io.WriteString(out, "data: |"+text[:cut])
		flush()
		select {
		case <-bars:
		case <-time.After(10 * time.Second):
			return // which the test sees by the events that are missing
		}
		_, _ = io.WriteString(out, text[cut:]+"\n\n")
		flush()
	}
}
