package memstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
)

// call asks for a call without a secret, with a limit or none.
func (w *world) call(capability string, limit *int64) error {
	_, err := w.Authorize(w.t.Context(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{Capability: capability}, Rate: limit}, nil
	})
	return err
}

// refused asks for a call of a path that is refused, and returns the answer.
func (w *world) refused(path string) error {
	_, err := w.Authorize(w.t.Context(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{Capability: "acme/items", Path: path}}, fault.New(fault.PolicyViolation, "no")
	})
	return err
}

// TestCase099Rate: in any minute there are no more calls than the limit.
func TestCase099Rate(t *testing.T) {
	each(t, func(w *world) {
		two := new(int64(2))
		w.secret("ACME_KEY", "made-up") // so that there is a vault
		w.said("the first", w.call("acme/items", two), "")
		w.now = w.now.Add(20 * time.Second)
		w.said("the second", w.call("acme/items", two), "")
		err := w.call("acme/items", two)
		w.said("the third", err, fault.RateLimited)
		if hint := fault.HintOf(err); hint != "try again in 40 s" {
			w.t.Errorf("the hint is %q", hint)
		}
		w.said("another capability", w.call("acme/other", two), "")
		w.said("without a limit", w.call("acme/items", nil), "")
		w.now = w.now.Add(40*time.Second - time.Millisecond)
		w.said("just before a minute is over", w.call("acme/items", two), fault.RateLimited)
		w.said("under a higher limit", w.call("acme/items", new(int64(3))), "")
		w.now = w.now.Add(time.Millisecond)
		w.said("when it is", w.call("acme/items", two), fault.RateLimited) // for the one under the higher limit
		w.now = w.now.Add(20 * time.Second)
		w.said("when there is room", w.call("acme/items", two), "")
		w.now = w.now.Add(59 * time.Second)
		w.said("under a lower limit", w.call("acme/items", new(int64(1))), fault.RateLimited)
		w.now = w.now.Add(time.Hour)
		w.said("never", w.call("acme/items", new(int64(0))), fault.RateLimited)
		w.said("much later", w.call("acme/items", new(int64(1))), "")
		w.said("and no more", w.call("acme/items", new(int64(1))), fault.RateLimited)
	})
}

// TestCase100Denials: denials that are the same become one event in the end,
// and none is lost.
func TestCase100Denials(t *testing.T) {
	each(t, func(w *world) {
		w.secret("ACME_KEY", "made-up")
		start := w.now
		for range 3 {
			w.said("a refusal", w.refused("/a"), fault.PolicyViolation)
			w.now = w.now.Add(time.Second)
		}
		w.said("another", w.refused("/b"), fault.PolicyViolation)
		one := vault.Event{Time: start, Kind: vault.KindInvokeDenied, Outcome: vault.OutcomeDenied, Code: fault.PolicyViolation, Capability: "acme/items", Path: "/a", Note: "no"}
		open := one
		open.Count, open.Last = 3, start.Add(2*time.Second)
		other := one
		other.Path, other.Time = "/b", start.Add(3*time.Second)
		if diff := cmp.Diff(w.events("invoke.denied"), []vault.Event{open, other}); diff != "" {
			w.t.Errorf("at first (-got +want):\n%s", diff)
		}
		w.now = start.Add(time.Minute)
		w.said("Flush", w.Flush(w.t.Context()), "")
		sum := open
		sum.Time = w.now
		if diff := cmp.Diff(w.events("invoke.denied"), []vault.Event{one, other, sum}); diff != "" {
			w.t.Errorf("after a minute (-got +want):\n%s", diff)
		}
		w.now = w.now.Add(time.Hour)
		w.said("a call", w.call("acme/items", nil), "") // what happened just once, is told already
		w.said("once more", w.refused("/a"), fault.PolicyViolation)
		again := one
		again.Time = w.now
		if diff := cmp.Diff(w.events("invoke.denied"), []vault.Event{one, other, sum, again}); diff != "" {
			w.t.Errorf("later (-got +want):\n%s", diff)
		}
	})
}

// TestCase100Refusals: who tries what is allowed learns little by it, and keeps
// nobody from a call that is.
func TestCase100Refusals(t *testing.T) {
	each(t, func(w *world) {
		w.secret("ACME_KEY", "made-up")
		for i := range 300 {
			w.said("a refusal", w.refused(fmt.Sprint("/", i)), fault.PolicyViolation)
		}
		for i := range 20 {
			w.said("too many", w.refused(fmt.Sprint("/more/", i)), fault.RateLimited)
		}
		w.said("a call", w.call("acme/items", new(int64(1))), "")
		denied := w.events("invoke.denied")
		i := slices.IndexFunc(denied, func(e vault.Event) bool { return e.Code == fault.RateLimited })
		if len(denied) != 301 || i != 300 || denied[i].Count != 20 || denied[i].Path != "" {
			w.t.Errorf("%d events, the last is %+v", len(denied), denied[len(denied)-1])
		}
		w.now = w.now.Add(time.Minute + time.Second) // a high limit may count a little longer
		w.said("a minute later", w.refused("/"), fault.PolicyViolation)
	})
}
