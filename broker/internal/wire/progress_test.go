package wire_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
)

// A diary keeps the steps of requests.
type diary struct {
	mu    sync.Mutex
	steps []wire.Step
}

func (d *diary) note(s wire.Step) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps = append(d.steps, s)
}

// read returns the steps so far, and forgets them.
func (d *diary) read() []wire.Step {
	d.mu.Lock()
	defer d.mu.Unlock()
	steps := d.steps
	d.steps = nil
	return steps
}

// slow is how long each part of a request takes in these tests.
const slow = 20 * time.Millisecond

// slowly has names and connections take their time.
func slowly(c *wire.Config) {
	resolve, dial := c.Resolve, c.Dial
	c.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
		time.Sleep(slow)
		return resolve(ctx, host)
	}
	c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		time.Sleep(slow)
		return dial(ctx, network, addr)
	}
}

// answerSlowly answers in two pieces, each after a while.
func answerSlowly(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	time.Sleep(slow)
	_, _ = w.Write([]byte("one"))
	_ = http.NewResponseController(w).Flush()
	time.Sleep(slow)
	_, _ = w.Write([]byte("two"))
}

// send sends a request, reads the answer, and returns its timing.
func send(t *testing.T, c *wire.Client, r wire.Request) wire.Timing {
	t.Helper()
	s, err := c.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Fatal(err)
	}
	return s.Timing()
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
			s.Handle(answerSlowly)
			c := newClient(t, s, slowly)
			var d diary
			request := wire.Request{Method: "POST", Host: "api.test", Path: "/", Body: []byte("x"), Progress: d.note}

			first := send(t, c, request)
			want := []wire.Step{wire.StepResolving, wire.StepConnecting, wire.StepSecuring, wire.StepSending, wire.StepWaiting, wire.StepReceiving}
			if diff := cmp.Diff(d.read(), want); diff != "" {
				t.Errorf("first (-got +want):\n%s", diff)
			}
			if first.DNS < slow || first.Connect < slow || first.TLS <= 0 || first.Wait <= 0 || first.Body <= 0 || first.Reused {
				t.Errorf("first took %+v", first)
			}

			second := send(t, c, request)
			if diff := cmp.Diff(d.read(), want[3:]); diff != "" {
				t.Errorf("second (-got +want):\n%s", diff)
			}
			if second.DNS+second.Connect+second.TLS != 0 || second.Wait <= 0 || second.Body <= 0 || !second.Reused {
				t.Errorf("second took %+v", second)
			}
		})
	}
}

// An address has no name to be resolved.
func TestProgressToAnAddress(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"192.0.2.7"}})
	var d diary
	timing := send(t, newClient(t, s), wire.Request{Method: "GET", Host: "192.0.2.7", Path: "/", Progress: d.note})
	if steps := d.read(); steps[0] != wire.StepConnecting || timing.DNS != 0 || timing.Connect <= 0 {
		t.Errorf("%q, %+v", steps, timing)
	}
}

// A request that fails has come as far as it has, and nothing is told after it.
func TestProgressOfWhatFails(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	for name, tt := range map[string]struct {
		change func(*wire.Config)
		last   wire.Step
	}{
		"name": {func(c *wire.Config) {
			c.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, io.ErrUnexpectedEOF }
		}, wire.StepResolving},
		"connection": {func(c *wire.Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF }
		}, wire.StepConnecting},
		"authority": {func(c *wire.Config) { c.CACert = brokertest.New(t, "api.test").CAPEM() }, wire.StepSecuring},
	} {
		var d diary
		r := get("/")
		r.Progress = d.note
		if _, err := newClient(t, s, tt.change).Do(t.Context(), r); err == nil {
			t.Fatalf("%s: no error", name)
		}
		if steps := d.read(); len(steps) == 0 || steps[len(steps)-1] != tt.last {
			t.Errorf("%s: %q", name, steps)
		}
	}

	release := make(chan bool)
	var d diary
	c := newClient(t, s, func(c *wire.Config) {
		dial := c.Dial
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			<-release
			return dial(context.WithoutCancel(ctx), network, addr)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		r := get("/")
		r.Progress = d.note
		_, err := c.Do(ctx, r)
		done <- err
	}()
	for !slices.Contains(d.read(), wire.StepConnecting) {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err == nil {
		t.Fatal("a request that was canceled has an answer")
	}
	close(release)
	do(t, c, get("/"))
	if steps := d.read(); len(steps) > 0 {
		t.Errorf("after its end a request was told %q", steps)
	}
}
