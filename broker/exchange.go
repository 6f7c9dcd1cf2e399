package broker

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"aivault/broker/internal/auth"
	"aivault/broker/internal/fields"
	"aivault/broker/internal/oauth"
	"aivault/broker/internal/redact"
	"aivault/broker/internal/wire"
	"aivault/broker/policy"
	"aivault/keys/opaque"
	"aivault/vault"
)

// maxRedirects is how many redirects a call follows.
const maxRedirects = 5

// An exchange is a call that was granted, on its way: its secrets, and what
// was sent and received so far.
type exchange struct {
	broker  *Broker
	plan    *plan
	tell    func(Stage) // nil: nobody wants to know
	permit  vault.Permit
	values  auth.Values    // by placeholder
	secrets []opaque.Bytes // what must not come back, and is wiped at the end
	version uint64         // of the secret that is renewed

	sent, received int64
	redirects      int
	notes          []string
}

func newExchange(b *Broker, p *plan, permit vault.Permit) *exchange {
	x := &exchange{broker: b, plan: p, permit: permit, values: auth.Values{}, version: p.choice.Parts[0].Secret.Version}
	for i, part := range p.choice.Parts {
		x.values[part.Placeholder] = permit.Values[i]
	}
	return x
}

// clear wipes the values, those that were decrypted and those that were made.
func (x *exchange) clear() {
	for _, v := range x.permit.Values {
		v.Clear()
	}
	for _, v := range x.values {
		v.Clear()
	}
	for _, s := range x.secrets {
		s.Clear()
	}
}

// run sends the request, as often as the call allows, and hands the last answer
// over. An Answer that comes with an error was begun to be handed over.
func (x *exchange) run(ctx context.Context, to Sink) (*Answer, error) {
	if err := x.freshen(ctx); err != nil {
		return nil, err
	}
	s, err := x.send(ctx, x.plan.request)
	if err != nil {
		return nil, err
	}
	if s.Status == http.StatusUnauthorized {
		if s, err = x.again(ctx, s); err != nil {
			return nil, err
		}
	}
	if s, err = x.follow(ctx, s); err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	return x.deliver(s, to)
}

// deliver cleans an answer and hands it over.
func (x *exchange) deliver(s *wire.Stream, to Sink) (*Answer, error) {
	red := redact.New(x.secrets...)
	defer red.Clear()
	answer := x.plan.head(s, red)
	answer.Redirects, answer.Timing = x.redirects, Timing(s.Timing())
	c := cleaner{to: to, fields: fields.New(x.plan.policy.Block).Stream(s.Header.Get("Content-Type")), text: red.Stream(), bufs: &x.broker.bufs}
	if w, ok := to.(*whole); ok {
		w.body = make([]byte, 0, s.Expected())
	}
	err := to.Begin(answer)
	if err != nil {
		err = errSinkGone(err)
	} else {
		err = c.hand(s)
	}
	x.received += s.ResponseBytes()
	answer.Redactions += c.text.Count()
	answer.Blocked = c.fields.Count()
	answer.RequestBytes, answer.ResponseBytes = x.sent, x.received
	_ = s.Close() // also where the sink broke off: that is the end of the body
	answer.Timing = Timing(s.Timing())
	return answer, err
}

// send sends a request once.
func (x *exchange) send(ctx context.Context, request policy.Canonical) (*wire.Stream, error) {
	client, err := x.broker.client(x.plan, x.values)
	if err != nil {
		return nil, err
	}
	req := x.plan.wireRequest(request)
	req.Progress = steps(x.tell)
	req.Authenticate = func(r *http.Request) error {
		m := &auth.Message{Request: r, Body: req.Body, Time: x.broker.cfg.Now()}
		rendered, err := x.plan.strategy.Apply(m, x.values)
		x.secrets = append(x.secrets, rendered...)
		return err
	}
	s, err := client.Open(ctx, req)
	if err != nil {
		return nil, err
	}
	x.sent += s.RequestBytes()
	return s, nil
}

// again repeats a request that was answered with 401, once, after its token was
// renewed: such an answer says that the request was not carried out, whatever
// its method (RFC 9110, section 15.5.2). Where there is nothing to renew, the
// 401 is the answer.
func (x *exchange) again(ctx context.Context, s *wire.Stream) (*wire.Stream, error) {
	if x.plan.choice.Auth.Kind != oauth.Kind {
		return s, nil
	}
	renewed, err := x.renew(ctx, true)
	switch {
	case err != nil:
		_ = s.Close()
		return nil, err
	case !renewed:
		reached(x.tell, StageReceiving)
		return s, nil
	}
	x.leave(s)
	x.notes = append(x.notes, "sent again after a 401")
	return x.send(ctx, x.plan.request)
}

// follow follows the redirects that a call may follow: of GET and HEAD, to the
// same host, to what the capability allows. Any other 3xx is the answer.
func (x *exchange) follow(ctx context.Context, s *wire.Stream) (*wire.Stream, error) {
	at := x.plan.request
	for ; x.redirects < maxRedirects; x.redirects++ {
		next, ok := x.plan.redirect(at, s)
		if !ok {
			break
		}
		x.leave(s)
		var err error
		if s, err = x.send(ctx, next); err != nil {
			return nil, err
		}
		at = next
	}
	switch {
	case x.redirects == 1:
		x.notes = append(x.notes, "redirected once")
	case x.redirects > 1:
		x.notes = append(x.notes, fmt.Sprintf("redirected %d times", x.redirects))
	}
	return s, nil
}

// leave closes an answer that nobody gets. What was not read of it costs its
// connection: an upstream that takes its time with it does not hold up the call.
func (x *exchange) leave(s *wire.Stream) {
	x.received += s.ResponseBytes()
	_ = s.Close()
}

// redirect returns the request to which an answer redirects, if it may be sent.
// It is judged like the one that the caller gave. With a secret in the path the
// target would have to be taken apart: such a redirect is not followed.
func (p *plan) redirect(from policy.Canonical, s *wire.Stream) (policy.Canonical, bool) {
	switch s.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return from, false
	}
	location := s.Header.Get("Location")
	if location == "" || p.rule.ManagedPath != "" || from.Method != http.MethodGet && from.Method != http.MethodHead {
		return from, false
	}
	base, err := url.Parse("https://" + p.choice.Host + from.Target())
	if err != nil {
		return from, false
	}
	to, err := base.Parse(location)
	if err != nil || to.Scheme != "https" || to.User != nil || to.Opaque != "" {
		return from, false
	}
	if host, err := policy.ParseHost(to.Host, p.choice.AllowPrivate); err != nil || host != p.choice.Host {
		return from, false
	}
	target := to.EscapedPath()
	if to.RawQuery != "" {
		target += "?" + to.RawQuery
	}
	next, err := policy.Decide(p.rule, policy.Request{Method: from.Method, Target: target})
	if err != nil || p.mayAuthenticate(next) != nil || !p.mayReach(next) {
		return from, false
	}
	next.Headers = from.Headers
	return next, true
}

// wireRequest returns a request as it was judged. The names of its headers are
// canonical and occur once.
func (p *plan) wireRequest(request policy.Canonical) wire.Request {
	header := http.Header{}
	for _, h := range request.Headers {
		header[http.CanonicalHeaderKey(h.Name)] = []string{h.Value}
	}
	req := wire.Request{
		Method: request.Method, Host: p.choice.Host, Path: request.Path, RawQuery: request.RawQuery, Header: header,
		MaxBody: p.maxAnswer(), AuthPath: p.rule.ManagedPath != "",
	}
	if len(p.body.body) > 0 {
		req.Body = p.body.body
	}
	return req
}
