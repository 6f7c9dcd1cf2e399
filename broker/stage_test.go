package broker_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// A watcher is a sink that keeps the stages of a call, and what it was told at
// the beginning of the answer. It can refuse the body.
type watcher struct {
	mu     sync.Mutex
	stages []broker.Stage
	began  broker.Timing
	refuse error
}

func (w *watcher) Stage(s broker.Stage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stages = append(w.stages, s)
}

func (w *watcher) Begin(a *broker.Answer) error { w.began = a.Timing; return nil }

func (w *watcher) Write(p []byte) (int, error) { return len(p), w.refuse }

// watched makes a call, and returns its stages.
func (r *rig) watched(call broker.Call) ([]broker.Stage, *broker.Answer, error) {
	var w watcher
	answer, err := r.broker.Stream(context.Background(), call, &w)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stages, answer, err
}

// Stages of calls: before anything is sent, of making a connection, and of the
// request on it.
var (
	atVault     = []broker.Stage{broker.StageChecking, broker.StageRecording, broker.StageOpening}
	toHost      = []broker.Stage{broker.StageResolving, broker.StageConnecting, broker.StageSecuring}
	onTheWire   = []broker.Stage{broker.StageSending, broker.StageWaiting, broker.StageReceiving}
	renewing    = []broker.Stage{broker.StageRenewing}
	callOfItems = broker.Call{Capability: "acme/items", Method: "GET"}
)

func joined(parts ...[]broker.Stage) (all []broker.Stage) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestStages(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.acme(t)
		// The answer that redirects has a body, which costs its connection.
		r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
			if req.URL.RawQuery == "" {
				http.Redirect(w, req, "/v1/items?page=2", http.StatusFound)
			}
		})
		final := callOfItems
		final.Path = "/v1/items?page=2"
		for _, tt := range []struct {
			name string
			call broker.Call
			code fault.Code
			want []broker.Stage
		}{
			{"first", final, "", joined(atVault, toHost, onTheWire)},
			{"second", final, "", joined(atVault, onTheWire)},
			{"redirected", callOfItems, "", joined(atVault, onTheWire, toHost, onTheWire)},
			{"refused", broker.Call{Capability: "acme/items", Method: "DELETE"}, fault.PolicyViolation, atVault[:1]},
			{"no call at all", broker.Call{Capability: "acme/none"}, fault.CapabilityNotFound, atVault[:1]},
		} {
			got, _, err := r.watched(tt.call)
			if fault.CodeOf(err) != tt.code {
				t.Errorf("%s: %v", tt.name, err)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("%s (-got +want):\n%s", tt.name, diff)
			}
		}
	})
}

// A token that has to be got first is a stage of its own, and so is one that was
// refused. The connection to who hands it out is not the call's.
func TestStagesOfRenewal(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	i, _ := r.oauth(t, "refresh_token", nil)
	first, _, err := r.watched(callOfItems)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, joined(atVault, renewing, toHost, onTheWire)); diff != "" {
		t.Errorf("without a token (-got +want):\n%s", diff)
	}
	i.Refuse(true)
	second, _, err := r.watched(callOfItems)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, joined(atVault, onTheWire, renewing, onTheWire[2:])); diff != "" {
		t.Errorf("with a new token that is refused (-got +want):\n%s", diff)
	}
}

func TestTiming(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	const pause = 20 * time.Millisecond
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(pause)
		_, _ = w.Write([]byte("one"))
		_ = http.NewResponseController(w).Flush()
		time.Sleep(pause)
		_, _ = w.Write([]byte("two"))
	})
	for _, reused := range []bool{false, true} {
		a, err := r.invoke("acme/items", vault.Context{})
		if err != nil {
			t.Fatal(err)
		}
		got := a.Timing
		if got.Reused != reused || (got.Connect > 0) == reused || (got.TLS > 0) == reused {
			t.Errorf("connection: %+v", got)
		}
		if got.Wait < pause/2 || got.Body < pause/2 || got.DNS+got.Connect+got.TLS+got.Wait+got.Body > a.Duration {
			t.Errorf("request: %+v of %v", got, a.Duration)
		}
	}
	w := watcher{refuse: errors.New("no more")}
	a, err := r.broker.Stream(context.Background(), callOfItems, &w)
	if err == nil || a.Timing.Wait < pause/2 || w.began.Wait != a.Timing.Wait || w.began.Body != 0 {
		t.Errorf("a sink that broke off: %+v at first, then %+v, %v", w.began, a.Timing, err)
	}
}
