package attack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

// A mark is how far a world has come.
type mark struct {
	lookups, dials, conns, requests int
	events                          map[uint64]uint64 // how many calls each event stands for
	used                            time.Time         // the secret, last
}

func (w *world) mark(t *testing.T) mark {
	m := mark{
		lookups: len(w.net.Lookups()), dials: len(w.net.Dials()),
		conns: w.up.Connections(), requests: len(w.up.Requests()), events: map[uint64]uint64{},
	}
	for _, e := range stage.Events(t, w.vault) {
		m.events[e.Seq] = max(e.Count, 1)
	}
	m.used = w.lastUsed(t)
	return m
}

// lastUsed is when the vault last gave the secret out.
func (w *world) lastUsed(t *testing.T) time.Time {
	t.Helper()
	if w.secret.id == (vault.ID{}) {
		return time.Time{}
	}
	s, err := w.vault.FindSecret(context.Background(), w.secret.id.String())
	if err != nil && fault.CodeOf(err) != fault.SecretNotFound { // a case may delete it
		t.Fatal(err)
	}
	return s.LastUsedAt
}

// A result is what came of a call.
type result struct {
	answer *broker.Answer
	err    error
	shown  error // of the preview of the same call
	since  mark
	events []vault.Event // that are new, or stand for one call more
}

// invoke makes a call and checks what must hold whatever comes of it: no
// secret shows (I1), and what was recorded is for no more than one call. A
// preview before it leaves no trace, and so is part of what is checked.
func (w *world) invoke(t *testing.T, call broker.Call) result {
	t.Helper()
	return w.judged(t, call, w.broker.Invoke)
}

// judged is invoke for a call that is made in another way.
func (w *world) judged(t *testing.T, call broker.Call, do func(context.Context, broker.Call) (*broker.Answer, error)) result {
	t.Helper()
	r := result{since: w.mark(t)}
	preview, err := w.broker.Preview(w.caller(), call)
	r.shown = err
	w.scan(t, "the preview", preview)
	if len(w.up.Requests()) != r.since.requests || len(w.net.Lookups()) != r.since.lookups {
		t.Errorf("%s: a preview of it asked somebody", brief(call))
	}
	r.answer, r.err = do(w.caller(), call)
	w.look(t, &r)
	w.hidesInput(t, call, r)
	return r
}

// hidden are the values that must not show.
func (w *world) hidden() []string {
	if w.issued == nil {
		return w.canaries
	}
	return append(w.issued(), w.canaries...)
}

// look sees what is new in the audit log, and checks I1.
func (w *world) look(t *testing.T, r *result) {
	t.Helper()
	for _, e := range stage.Events(t, w.vault) {
		if rose := max(e.Count, 1) - r.since.events[e.Seq]; rose > 0 {
			r.events = append(r.events, e)
			if rose > 1 {
				t.Errorf("event %d is for %d calls more", e.Seq, rose)
			}
		}
	}
	if r.answer != nil {
		w.scan(t, "the answer", r.answer)
		w.scan(t, "the body", string(r.answer.Body))
	}
	if r.err != nil {
		w.scan(t, "the error", r.err.Error()+fault.HintOf(r.err))
	}
	w.scan(t, "the audit log", r.events)
	brokertest.ScanDir(t, w.dir, w.hidden()...)
}

// scan looks for secrets in the text and in the JSON of a value.
func (w *world) scan(t *testing.T, name string, v any) {
	t.Helper()
	brokertest.Scan(t, name, fmt.Appendf(nil, "%+v %#v", v, v), w.hidden()...)
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Scan(t, name+" in JSON", text, w.hidden()...)
}

// hidesInput checks that neither error nor log repeats what a caller may have
// put a secret into by mistake: the values of the query and of headers, the body.
func (w *world) hidesInput(t *testing.T, call broker.Call, r result) {
	t.Helper()
	parts := []string{string(call.Body)}
	_, query, _ := strings.Cut(call.Path, "?")
	for pair := range strings.SplitSeq(query, "&") {
		_, value, _ := strings.Cut(pair, "=")
		parts = append(parts, value)
	}
	for _, h := range call.Headers {
		parts = append(parts, h.Value)
	}
	text := fmt.Sprintf("%+v", r.events)
	if r.err != nil {
		text += r.err.Error() + fault.HintOf(r.err)
	}
	for _, part := range parts {
		if len(part) > 5 && strings.Contains(text, part) { // shorter ones are there by chance
			t.Errorf("the error or the log repeats what the caller wrote: %q", part)
		}
	}
	for _, e := range r.events {
		if strings.ContainsAny(e.Path+e.Method+e.Capability, "?#\x00\r\n") {
			t.Errorf("the log has more than the path: %q", e.Path)
		}
	}
}

// deny makes a call that must be refused before anything is decrypted, looked
// up or connected to (I2), and be recorded once, with the reason (I3).
func (w *world) deny(t *testing.T, call broker.Call, code fault.Code) {
	t.Helper()
	r := w.invoke(t, call)
	if fault.CodeOf(r.err) != code {
		t.Errorf("%s: %q (%v), want %q", brief(call), fault.CodeOf(r.err), r.err, code)
	}
	if fault.CodeOf(r.shown) != code && code != fault.RateLimited { // a preview costs nothing
		t.Errorf("%s: the preview says %v", brief(call), r.shown)
	}
	w.untouched(t, call, r)
	if len(r.events) != 1 {
		t.Errorf("%s: recorded as %d events: %+v", brief(call), len(r.events), r.events)
		return
	}
	e := r.events[0]
	if e.Kind != vault.KindInvokeDenied || e.Outcome != vault.OutcomeDenied || e.Code != code {
		t.Errorf("%s: recorded as %+v", brief(call), e)
	}
}

// untouched checks I2.
func (w *world) untouched(t *testing.T, call broker.Call, r result) {
	t.Helper()
	if n := len(w.net.Lookups()) - r.since.lookups; n != 0 {
		t.Errorf("%s: %d names were looked up", brief(call), n)
	}
	if n := len(w.net.Dials()) - r.since.dials; n != 0 {
		t.Errorf("%s: %d addresses were dialled", brief(call), n)
	}
	if n := w.up.Connections() - r.since.conns; n != 0 {
		t.Errorf("%s: %d connections were made", brief(call), n)
	}
	if n := len(w.up.Requests()) - r.since.requests; n != 0 {
		t.Errorf("%s: %d requests were sent", brief(call), n)
	}
	if !w.lastUsed(t).Equal(r.since.used) {
		t.Errorf("%s: the secret was decrypted", brief(call))
	}
}

// fail makes a call that is granted and then comes to nothing: an intent, and
// one outcome with the reason. It returns how far the world was before.
func (w *world) fail(t *testing.T, call broker.Call, code fault.Code) result {
	t.Helper()
	r := w.invoke(t, call)
	if fault.CodeOf(r.err) != code {
		t.Errorf("%s: %q (%v), want %q", brief(call), fault.CodeOf(r.err), r.err, code)
	}
	w.recorded(t, call, r, vault.OutcomeError, code)
	return r
}

// recorded checks I3 for a call that was granted.
func (w *world) recorded(t *testing.T, call broker.Call, r result, outcome string, code fault.Code) {
	t.Helper()
	if r.shown != nil {
		t.Errorf("%s: the preview says %v", brief(call), r.shown)
	}
	if len(r.events) != 2 {
		t.Errorf("%s: recorded as %d events: %+v", brief(call), len(r.events), r.events)
		return
	}
	intent, end := r.events[0], r.events[1]
	if intent.Kind != vault.KindInvokeIntent || intent.Secret == (vault.ID{}) || intent.Capability == "" {
		t.Errorf("%s: the intent is recorded as %+v", brief(call), intent)
	}
	if end.Kind != vault.KindInvokeOutcome || end.Intent != intent.Seq || end.Outcome != outcome || end.Code != code {
		t.Errorf("%s: the outcome is recorded as %+v", brief(call), end)
	}
}

// answered makes a call that must be answered, by whatever upstream.
func (w *world) answered(t *testing.T, call broker.Call) result {
	t.Helper()
	r := w.invoke(t, call)
	if r.err != nil {
		t.Fatalf("%s: %v", brief(call), r.err)
	}
	w.recorded(t, call, r, vault.OutcomeOK, "")
	return r
}

// allow makes a call that must reach the upstream once, with the secret where
// it belongs and nowhere else. It returns what the upstream got, without that,
// and the answer.
func (w *world) allow(t *testing.T, call broker.Call) (upstream.Request, *broker.Answer) {
	t.Helper()
	r := w.answered(t, call)
	sent := w.up.Requests()[r.since.requests:]
	if len(sent) != 1 {
		t.Fatalf("%s: the upstream got %d requests", brief(call), len(sent))
	}
	rest, ok := w.carries(sent[0])
	if !ok {
		t.Errorf("%s: the secret is not where it belongs", brief(call))
	}
	w.scan(t, "the request, but for its authentication", rest)
	brokertest.Scan(t, "the request's body", rest.Body, w.hidden()...)
	return rest, r.answer
}

// refuse has an operator ask for what must not be: nothing is stored, and
// nobody is asked for anything. What is recorded is the refusal.
func (w *world) refuse(t *testing.T, name string, code fault.Code, ask func() error) {
	t.Helper()
	r := result{since: w.mark(t)}
	r.err = ask()
	w.look(t, &r)
	if fault.CodeOf(r.err) != code {
		t.Errorf("%s: %q (%v), want %q", name, fault.CodeOf(r.err), r.err, code)
	}
	w.untouched(t, broker.Call{Capability: name}, r)
	if len(r.events) > 1 || len(r.events) == 1 && (r.events[0].Outcome != vault.OutcomeDenied || r.events[0].Code != code) {
		t.Errorf("%s: recorded as %+v", name, r.events)
	}
}

// brief names a call in an error.
func brief(call broker.Call) string {
	text := fmt.Sprintf("%s %s %q", call.Capability, call.Method, call.Path)
	for _, h := range call.Headers {
		text += fmt.Sprintf(" %q: %q", h.Name, h.Value)
	}
	if len(text) > 200 {
		text = text[:200] + "..."
	}
	return text
}
