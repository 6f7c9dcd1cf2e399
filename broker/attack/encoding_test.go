package attack_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

// pack encodes text as the encodings say, the first one first.
func pack(t testing.TB, text string, encodings ...string) string {
	t.Helper()
	for _, encoding := range encodings {
		var out bytes.Buffer
		var z io.WriteCloser
		switch encoding {
		case "gzip":
			z = gzip.NewWriter(&out)
		case "zlib":
			z = zlib.NewWriter(&out)
		default:
			var err error
			if z, err = flate.NewWriter(&out, flate.BestSpeed); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		text = out.String()
	}
	return text
}

// A body in an encoding is decoded and cleaned, or it is no answer. What was
// asked for is gzip and deflate, once.
func TestCase067Encodings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := "the key is " + w.secret.value + ", is it not?"
	const clean = "the key is [REDACTED], is it not?"
	packed, long := pack(t, text, "gzip"), strings.Repeat(text+"\n", 5000)
	for _, test := range []struct {
		encodings  []string // of the header
		body, want string   // want: empty, if it is no answer
	}{
		{[]string{"gzip"}, packed, clean},
		{[]string{"GZip"}, packed, clean},
		{[]string{"x-gzip"}, packed, clean},
		{[]string{"deflate"}, pack(t, text, "zlib"), clean},
		{[]string{"deflate"}, pack(t, text, "flate"), clean},
		{[]string{"identity"}, text, clean},
		{[]string{"identity, gzip"}, packed, clean},
		{[]string{"gzip"}, packed + packed, clean + clean},
		{[]string{"gzip"}, pack(t, long, "gzip"), strings.Repeat(clean+"\n", 5000)},
		{[]string{"gzip"}, "", ""},
		{[]string{"gzip, gzip"}, pack(t, text, "gzip", "gzip"), ""},
		{[]string{"gzip", "gzip"}, pack(t, text, "gzip", "gzip"), ""},
		{[]string{"gzip, deflate"}, pack(t, text, "gzip", "zlib"), ""},
		{[]string{"br"}, text, ""},
		{[]string{"zstd"}, text, ""},
		{[]string{"compress"}, text, ""},
		{[]string{"aws-chunked"}, text, ""},
		{[]string{"gzip;q=1"}, packed, ""},
		{[]string{w.secret.value}, text, ""},
		{[]string{"gzip"}, text, ""},
		{[]string{"deflate"}, text, ""},
		{[]string{"gzip"}, packed[:30], ""},
		{[]string{"gzip"}, packed + text, ""},
		{[]string{"gzip"}, packed[:len(packed)-8] + "checksum", ""},
	} {
		w.up.Reply(http.StatusOK, http.Header{"Content-Encoding": test.encodings, "Content-Type": {"text/plain"}}, []byte(test.body))
		name := fmt.Sprintf("%q with %d bytes", test.encodings, len(test.body))
		if test.want == "" && test.body != "" {
			if r := w.fail(t, get(prefix), fault.UpstreamUnreachable); r.answer != nil {
				t.Errorf("%s: there is an answer", name)
			}
			to := &catcher{}
			if r := w.stream(t, get(prefix), to); fault.CodeOf(r.err) != fault.UpstreamUnreachable {
				t.Errorf("%s: as a stream %v", name, r.err)
			}
			continue
		}
		_, answer := w.allow(t, get(prefix))
		if string(answer.Body) != test.want || answer.Header.Get("Content-Encoding") != "" || answer.Redactions != strings.Count(test.want, "[") {
			t.Errorf("%s: the answer has %d bytes with %d redactions", name, len(answer.Body), answer.Redactions)
		}
	}
}

// allocated returns how many bytes f allocates, and what else runs meanwhile:
// nothing, in a test that is not parallel.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// maxMemory is what a call may allocate whose answer is limited to far less, in
// bytes, the upstream of the test included.
const maxMemory = 16 << 20

// limitAnswers limits the answers of the base capability.
func (w *world) limitAnswers(t *testing.T, bytes int64) {
	t.Helper()
	_, err := w.broker.SetPolicy(context.Background(), vault.Policy{Capability: capability, MaxResponse: &bytes}, 0)
	if err != nil {
		t.Fatal(err)
	}
}

// bounded makes a call that must end with an error, soon and in little memory.
func (w *world) bounded(t *testing.T, call broker.Call, code fault.Code) result {
	t.Helper()
	var used uint64
	r := w.judged(t, call, func(ctx context.Context, call broker.Call) (a *broker.Answer, err error) {
		used = allocated(func() { a, err = w.broker.Invoke(ctx, call) })
		return a, err
	})
	if fault.CodeOf(r.err) != code {
		t.Errorf("%s: %q (%v), want %q", brief(call), fault.CodeOf(r.err), r.err, code)
	}
	w.recorded(t, call, r, vault.OutcomeError, code)
	if used > maxMemory {
		t.Errorf("%s: %d bytes were allocated", brief(call), used)
	}
	return r
}

// Not parallel: it measures memory.
func TestCase069GzipBomb(t *testing.T) {
	w := newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}}))
	const limit = 64 << 10
	w.limitAnswers(t, limit)
	for encoding, header := range map[string]string{"gzip": "gzip", "zlib": "deflate", "flate": "deflate"} {
		bomb := pack(t, strings.Repeat("0", 50<<20), encoding)
		if len(bomb) > 512<<10 {
			t.Fatalf("the bomb has %d bytes", len(bomb))
		}
		w.up.Reply(http.StatusOK, http.Header{"Content-Encoding": {header}}, []byte(bomb))
		r := w.bounded(t, get(prefix), fault.ResponseTooLarge)
		if r.answer == nil || len(r.answer.Body) != limit {
			t.Errorf("%s: the answer is %.200v", encoding, r.answer)
		}
	}
	// Without a limit of the operator's there is one of the broker's.
	w.limitAnswers(t, 1<<40)
	w.up.Reply(http.StatusOK, http.Header{"Content-Encoding": {"gzip"}}, []byte(pack(t, strings.Repeat("0", 100<<20), "gzip")))
	var count counting
	used := allocated(func() {
		if _, err := w.broker.Stream(context.Background(), get(prefix), &count); fault.CodeOf(err) != fault.ResponseTooLarge {
			t.Errorf("without a limit: %v", err)
		}
	})
	if count != 64<<20 || used > maxMemory {
		t.Errorf("without a limit %d bytes came, and %d were allocated", count, used)
	}
}

// A counting is a Sink that keeps nothing.
type counting int64

func (c *counting) Begin(*broker.Answer) error { return nil }

func (c *counting) Write(p []byte) (int, error) {
	*c += counting(len(p))
	return len(p), nil
}
