package broker

import (
	"context"
	"errors"
	"strings"
	"time"

	"aivault/broker/internal/redact"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// finishTimeout bounds the recording of an outcome. It is time of its own: a
// caller who goes away does not keep the outcome out of the audit log.
const finishTimeout = 15 * time.Second

// Invoke implements Service. It is Stream into memory.
func (b *Broker) Invoke(ctx context.Context, call Call) (*Answer, error) {
	var body whole
	answer, err := b.Stream(ctx, call, &body)
	switch {
	case err == nil, answer != nil && fault.CodeOf(err) == fault.ResponseTooLarge:
		answer.Body = body.body
		return answer, err
	}
	return nil, err
}

// Stream implements Service.
func (b *Broker) Stream(ctx context.Context, call Call, to Sink) (*Answer, error) {
	start := b.cfg.Now()
	if call.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, call.Timeout)
		defer cancel()
	}
	tell := watch(to)
	reached(tell, StageChecking)
	p, permit, err := b.authorize(ctx, &call, tell)
	if err != nil {
		return nil, forCaller(ctx, inWords(err))
	}
	reached(tell, StageOpening)
	x := newExchange(b, p, permit)
	x.tell = tell
	defer x.clear()
	answer, err := x.run(ctx, to)
	if err != nil {
		err = hideSecrets(inWords(err), x.secrets)
	}
	outcome := x.outcome(answer, err)
	outcome.Duration = b.cfg.Now().Sub(start)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	unrecorded := b.store.Finish(finish, permit.Intent, outcome)
	if answer != nil {
		answer.Intent, answer.Duration, answer.Unrecorded = permit.Intent, outcome.Duration, forCaller(ctx, unrecorded)
	}
	return answer, forCaller(ctx, err)
}

// authorize has a call judged and its intent recorded.
func (b *Broker) authorize(ctx context.Context, call *Call, tell func(Stage)) (*plan, vault.Permit, error) {
	body, malformed := encodeBody(call)
	var p *plan
	permit, err := b.store.Authorize(ctx, func(r vault.Reader) (d vault.Decision, err error) {
		p, err = b.decide(ctx, r, call, body, malformed)
		if err == nil {
			reached(tell, StageRecording)
		}
		return p.decision(), err
	})
	if err != nil && p != nil && p.capability != nil && p.agent == nil && call.Credential == "" {
		err = b.elsewhere(ctx, p.capability.Provider, err)
	}
	return p, permit, err
}

// outcome is what the audit log says of a call that was granted: all that its
// intent says, and what came of it.
func (x *exchange) outcome(a *Answer, err error) vault.Event {
	e := x.plan.event
	e.Outcome = vault.OutcomeOK
	e.RequestBytes, e.ResponseBytes = x.sent, x.received
	if err != nil {
		e.Outcome, e.Code = vault.OutcomeError, fault.CodeOf(err)
	}
	if a != nil {
		e.Status, e.Redactions = a.Status, a.Redactions
	}
	notes := x.notes
	if e.Note != "" {
		notes = append([]string{e.Note}, notes...)
	}
	e.Note = strings.Join(notes, "; ")
	return e
}

// url returns the address of a call without what the strategy adds to it.
func (p *plan) url() string {
	managed := p.strategy.Managed()
	query := p.request.RawQuery
	for _, name := range managed.Query {
		query = strings.TrimPrefix(query+"&"+name+"=REDACTED", "&")
	}
	url := "https://" + p.choice.Host
	if managed.Path != "" {
		url += managed.Path + "REDACTED"
	}
	url += p.request.Path
	if query != "" {
		url += "?" + query
	}
	return url
}

// inWords returns err, or where it is no more than that of a context what it
// means. On the wire such an error has words already: here the call waited for
// the vault, or for another one that renews the same token.
func inWords(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch fault.CodeOf(err) {
	case fault.Timeout:
		return fault.New(fault.Timeout, "the time that the call was given is over, and it still waited for others at the vault").
			WithHint("allow more with --timeout-ms")
	case fault.Canceled:
		return fault.New(fault.Canceled, "the call was canceled while it waited for others at the vault")
	}
	return err
}

// hideSecrets returns err, or an error of the same code whose text does not
// hold a secret.
func hideSecrets(err error, secrets []opaque.Bytes) error {
	red := redact.New(secrets...)
	defer red.Clear()
	text, n := red.String(err.Error())
	hint, m := red.String(fault.HintOf(err))
	if n+m == 0 {
		return err
	}
	return fault.New(fault.CodeOf(err), "%s", text).WithHint("%s", hint)
}
