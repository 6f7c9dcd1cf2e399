package invoke_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aivault/keys/opaque"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A streamed answer shows as it arrives, at its end, with the stage and how long
// it takes.
// Checklist 59.
func TestStream(t *testing.T) {
	t.Parallel()
	r := acme(t)
	next := make(chan string)
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for s := range next {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", s)
			w.(http.Flusher).Flush()
		}
	})
	r.key("ctrl+s")
	r.want("waiting for the answer · 0.")
	next <- "first"
	r.want("data: first")
	r.want("receiving the answer · ")
	r.want(" s · 13 B")
	r.want("answer 200 OK, receiving the answer")
	r.want("esc stops it")
	r.without("The call")
	for i := range 60 {
		next <- fmt.Sprintf("event-%d", i)
	}
	r.want("event-59") // which is below what fits
	r.without("data: first")
	close(next)
	r.want("text/event-stream · ")
	r.want("data: event-59") // it stays where it was
	r.key("G")
	r.want("The call")
}

// Esc stops a call within 200 ms: on the screen, and at the service.
// Checklist 59.
func TestStop(t *testing.T) {
	t.Parallel()
	r := acme(t)
	gone := make(chan time.Time, 1)
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "the beginning ")
		w.(http.Flusher).Flush()
		<-req.Context().Done()
		gone <- time.Now()
	})
	r.key("ctrl+s")
	r.want("the beginning")
	begin := time.Now()
	r.key("esc")
	r.want("the service may have got it")
	shown := time.Since(begin)
	if shown > 200*time.Millisecond {
		t.Errorf("it shows after %v", shown)
	}
	select {
	case at := <-gone:
		d := at.Sub(begin)
		t.Logf("it shows after %v, the service sees it after %v", shown, d)
		if d > 200*time.Millisecond {
			t.Errorf("the service sees it after %v", d)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the service does not see it")
	}
	r.want("200 OK")
	r.want("the beginning")
	r.want("cut off: stopped")
	r.up.Reply(200, nil, []byte("once more"))
	r.key("ctrl+s")
	r.want("once more")
}

// A call that was stopped before it went out says so.
func TestStopBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	r.held.Store(&hold)
	r.open(view.OpenTest{Capability: "acme/items"})
	r.key("ctrl+s")
	r.want("connecting · ")
	r.key("esc")
	r.want("stopped before anything was sent")
	r.idle()
	r.want("stopped before anything was sent")
	if n := len(r.up.Requests()); n > 0 {
		t.Errorf("%d requests reached the service", n)
	}
}

// What the service echoes of the secret does not show, and how often it did
// that is told. That no frame has the value is checked for each.
// Checklist 39, 59.
func TestEcho(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("X-Request-Id", req.Header.Get("Authorization"))
		_, _ = fmt.Fprintf(w, "you are %s\n", req.Header.Get("Authorization"))
	})
	r.key("ctrl+s")
	r.want("echoes of the secret redacted")
	r.want("you are ")
	r.key("p", "/")
	r.write("you")
	r.key("enter", "+", "i")
	r.idle()
}

// What a service sends drives no terminal.
func TestControls(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.up.Reply(200, http.Header{"Content-Type": {"text/plain"}, "Etag": {`"\u202e"`}},
		[]byte("a\x1b]52;c;aGk=\x07b\x1b[2Jc\u009bd\u202ee\rf\n"))
	r.key("ctrl+s")
	r.want(`a\x1b]52;c;aGk=\x07b\x1b[2Jc`)
	r.want(`\u202ee\x0df`)
}

// A body in another encoding shows decoded, and the sizes of both are told.
func TestGzip(t *testing.T) {
	t.Parallel()
	r := acme(t)
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := io.WriteString(zip, `{"text":"`+strings.Repeat("again ", 500)+`"}`)
	if err == nil {
		err = zip.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.up.Reply(200, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, packed.Bytes())
	r.key("ctrl+s")
	r.want("again again")
	r.want("application/json · 2.9 KB")
	r.key("G")
	r.want(fmt.Sprintf("%d B received", packed.Len()))
}

// A body of 50 MB is counted, and a part of it kept.
// Checklist 59.
func TestLargeBody(t *testing.T) {
	r := acme(t)
	const size = 50 << 20
	piece := bytes.Repeat([]byte("0123456789abcde\n"), 4096)
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for n := 0; n < size; n += len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	r.patience = time.Minute // the race detector takes its time with 50 MB
	before := heap()
	r.key("ctrl+s")
	r.want("The first 1.0 MB of 50 MB were kept to be shown.")
	grown := heap() - before
	t.Logf("%d KB of memory are held for it", grown>>10)
	if grown > 16<<20 {
		t.Errorf("%d bytes of memory are held for it", grown)
	}
	r.want("text/plain · 50 MB")
	r.key("G")
	r.want("The call")
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An answer that is longer than the policy allows shows as far as it came, with
// the reason.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	r := acme(t)
	limit := int64(64)
	if _, err := r.host.Backend.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items", MaxResponse: &limit}, 0); err != nil {
		t.Fatal(err)
	}
	r.up.Reply(200, http.Header{"Content-Type": {"text/plain"}}, bytes.Repeat([]byte("0123456789"), 100))
	r.size(180, 40)
	r.key("ctrl+s")
	r.want("200 OK")
	r.want("cut off: the answer is longer than 64 bytes")
	r.want("0123456789012345678901234567890123456789012345678901234567890123")
	r.without("01234567890123456789012345678901234567890123456789012345678901234")
	r.key("R") // the limit is known now
	r.want("an answer of at most 64 B")
}

// A call that takes too long says so, with the next step, and is tried again by
// one key.
func TestTimeout(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.up.Handle(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	r.set("Timeout", "150ms")
	r.key("ctrl+s")
	r.want("no answer in time")
	r.want("Code: timeout")
	r.want("Next: give it longer than 150ms")
	r.up.Reply(200, nil, []byte("in time"))
	r.key("r")
	r.want("in time")
}

// A service that cannot be reached is an error of ours, not an answer.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	r := acme(t)
	r.up.Close()
	r.key("ctrl+s")
	r.want("the service was not reached")
	r.want("Code: upstream_unreachable")
}

// Bytes that are no text show as such, the first of them in hexadecimal.
func TestBinary(t *testing.T) {
	t.Parallel()
	r := acme(t)
	body := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0, 1, 0xff}, 1000)...)
	r.up.Reply(200, http.Header{"Content-Type": {"image/png"}}, body)
	r.key("ctrl+s")
	r.want("2.9 KB of image/png, which is no text; these are the")
	r.want("00 89 50 4e 47 0d 0a 1a 0a")
	r.want(".PNG....")
}

// The last calls are at hand, with their answers, also on another page.
func TestHistory(t *testing.T) {
	t.Parallel()
	r := acme(t)
	var n atomic.Int32
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "answer %d", n.Add(1))
	})
	for i := range 25 {
		r.set("Path", fmt.Sprintf("/v1/items/%d", i))
		r.key("ctrl+s")
		r.want(fmt.Sprintf("answer %d", i+1))
		r.idle()
		r.key("esc")
	}
	r.key("esc")
	r.settle(func() bool { return !strings.Contains(r.frame, "Timeout") }, "the end of the page")
	if _, err := r.vault.CreateSecret(t.Context(), vault.NewSecret{Name: "OPENAI_API_KEY", Value: opaque.New([]byte(r.secret + "2")), Scope: vault.GlobalScope()}); err != nil {
		t.Fatal(err)
	}
	r.open(view.OpenTest{Capability: "openai/models"})
	r.key("ctrl+r")
	r.want("The last calls of this run")
	r.want("20 of 20 choices")
	r.want("POST /v1/items/24")
	r.want("acme/items, global, ")
	r.write("items/18")
	r.want("1 of 20 choices")
	r.key("enter")
	r.want("answer 19")
	r.want("▸ POST")
	r.want("Test acme/items")
	r.key("ctrl+s")
	r.want("answer 26")
	r.idle()
	if got := r.up.Requests(); got[len(got)-1].URI != "/v1/items/18" {
		t.Errorf("the call that was made once more is for %s", got[len(got)-1].URI)
	}
	r.set("Path", "/v1/items/typed")
	r.key("ctrl+r")
	r.want("20 of 20 choices")
	r.key("enter")
	r.want("Throw away the request?")
	r.key("enter") // the button that does nothing
	r.idle()
	r.want("Path, /v1/items/typed")
	r.key("ctrl+s") // what was typed is not lost any more
	r.want("answer 27")
	r.idle()
	if _, err := r.host.Backend.DeleteCapability(t.Context(), "acme/items"); err != nil {
		t.Fatal(err)
	}
	r.key("ctrl+r")
	r.want("20 of 20 choices")
	r.write("items/18")
	r.key("enter")
	r.want("answer 26")
	r.want("✗ refused: there is no capability")
}
