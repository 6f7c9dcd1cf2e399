package broker

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"aivault/broker/internal/auth"
	"aivault/broker/internal/redact"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// finishTimeout bounds the recording of an outcome. It is time of its own: a
// caller who goes away does not keep the outcome out of the audit log.
const finishTimeout = 15 * time.Second

// Invoke implements Service.
func (b *Broker) Invoke(ctx context.Context, call Call) (*Answer, error) {
	start := b.cfg.Now()
	if call.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, call.Timeout)
		defer cancel()
	}
	var p *plan
	grant, err := b.store.Authorize(ctx, func(r vault.Reader) (d vault.Decision, err error) {
		p, err = b.decide(r, &call)
		return p.decision(), err
	})
	if err != nil {
		if p != nil && p.capability != nil && call.Credential == "" {
			err = b.elsewhere(ctx, p.capability.Provider, err)
		}
		return nil, err
	}
	answer, outcome, err := b.perform(ctx, p, grant)
	outcome.Duration = b.cfg.Now().Sub(start)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	unrecorded := b.store.Finish(finish, grant.Intent, outcome)
	if err != nil {
		return nil, err
	}
	answer.Intent, answer.Duration, answer.Unrecorded = grant.Intent, outcome.Duration, unrecorded
	return answer, nil
}

// perform makes a call that was granted, and wipes the values whatever comes
// of it. Neither answer nor error nor outcome holds one.
func (b *Broker) perform(ctx context.Context, p *plan, grant vault.Grant) (*Answer, vault.Event, error) {
	secrets := append([]opaque.Bytes(nil), grant.Values...)
	values := auth.Values{}
	for i, part := range p.choice.Parts {
		values[part.Placeholder] = grant.Values[i]
	}
	defer func() {
		for _, s := range secrets {
			s.Clear()
		}
	}()
	outcome := vault.Event{Outcome: vault.OutcomeError}
	req := p.wireRequest()
	req.Authenticate = func(r *http.Request) error {
		rendered, err := p.strategy.Apply(&auth.Message{Request: r, Body: p.call.Body, Time: b.cfg.Now()}, values)
		secrets = append(secrets, rendered...)
		return err
	}
	resp, err := b.client(p.choice).Do(ctx, req)
	if err != nil {
		err = hideSecrets(err, secrets)
		outcome.Code = fault.CodeOf(err)
		return nil, outcome, err
	}
	answer := p.clean(resp, secrets)
	outcome.Outcome, outcome.Status, outcome.Redactions = vault.OutcomeOK, answer.Status, answer.Redactions
	outcome.RequestBytes, outcome.ResponseBytes = resp.RequestBytes, resp.ResponseBytes
	return answer, outcome, nil
}

// wireRequest returns the request as it was judged. The names of its headers
// are canonical and occur once.
func (p *plan) wireRequest() wire.Request {
	header := http.Header{}
	for _, h := range p.request.Headers {
		header[http.CanonicalHeaderKey(h.Name)] = []string{h.Value}
	}
	req := wire.Request{
		Method: p.request.Method, Host: p.choice.Host, Path: p.request.Path, RawQuery: p.request.RawQuery, Header: header,
	}
	if len(p.call.Body) > 0 {
		req.Body = p.call.Body
	}
	return req
}

// clean makes an answer of what the upstream sent. Nothing of its header leaves
// the broker but the media type.
func (p *plan) clean(resp *wire.Response, secrets []opaque.Bytes) *Answer {
	red := redact.New(secrets...)
	defer red.Clear()
	a := &Answer{
		Capability: p.capability.ID, Credential: p.choice.Credential,
		Method: p.request.Method, URL: p.url(), Status: resp.Status,
	}
	_, a.Secret = nameParts(p.choice.Parts)
	a.Body, a.Redactions = red.Bytes(resp.Body)
	if mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil {
		var n int
		a.MediaType, n = red.String(mediaType)
		a.Redactions += n
	}
	return a
}

// url returns the address of a call without what the strategy adds to it.
func (p *plan) url() string {
	managed := p.strategy.Managed().Query
	query := p.request.RawQuery
	for _, name := range managed {
		query = strings.TrimPrefix(query+"&"+name+"=REDACTED", "&")
	}
	url := "https://" + p.choice.Host + p.request.Path
	if query != "" {
		url += "?" + query
	}
	return url
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
