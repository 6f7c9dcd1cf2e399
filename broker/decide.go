package broker

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"aivault/broker/internal/auth"
	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// A plan is a call as far as it was judged. Its event says what is known of it
// for the audit log, whatever the judgement.
type plan struct {
	call       *Call
	agent      *vault.Caller // who makes the call; nil: the vault's owner
	event      vault.Event
	capability *Capability
	choice     *resolve.Choice
	strategy   auth.Strategy
	policy     vault.Policy // limits; zero if there are none
	body       payload
	rule       policy.Rule
	request    policy.Canonical
	registry   *registry.Registry
}

// decide judges a call, in the order of the package comment, up to the intent.
// It sees no value of a secret. Malformed is what is wrong with the body, if
// something is.
func (b *Broker) decide(ctx context.Context, view vault.Reader, call *Call, body payload, malformed error) (*plan, error) {
	p := &plan{call: call, agent: agentOf(ctx), body: body}
	err := p.checkContext()
	if err == nil {
		err = p.checkGrant(view)
	}
	if err == nil {
		err = p.checkShape()
	}
	if err == nil {
		err = malformed
	}
	if err != nil {
		return p, err
	}
	r, err := b.look(view)
	if err != nil {
		return p, err
	}
	if p.capability, err = b.capability(r, call.Capability); err != nil {
		return p, err
	}
	p.event.Capability = p.capability.ID
	q := r.question(p.capability, call.Context, call.Credential)
	q.Reticent = p.agent != nil
	if p.choice, err = resolve.Resolve(r, q); err != nil {
		return p, err
	}
	p.noteChoice()
	if p.strategy, err = auth.New(p.choice.Auth); err != nil {
		return p, err
	}
	p.registry = r.reg
	if err := p.mayUse(); err != nil {
		return p, err
	}
	if err := checkTokenHost(r.reg, p.capability.Provider, p.choice); err != nil {
		return p, err
	}
	limits, err := r.Policy(p.capability.ID)
	if err != nil {
		return p, err
	}
	if limits != nil {
		p.policy = *limits
	}
	return p, p.judge()
}

// checkContext refuses a context that is none. What it lets pass may stand in
// the audit log, and so may the id of a capability.
func (p *plan) checkContext() error {
	c := p.call
	if err := c.Context.Validate(); err != nil {
		return err
	}
	p.event.Workspace, p.event.Group, p.event.Consumer = c.Context.Workspace, c.Context.Group, c.Context.Consumer
	if checkID("capability", c.Capability, false) == nil {
		p.event.Capability = c.Capability
	}
	return nil
}

// checkShape refuses what is no call at all.
func (p *plan) checkShape() error {
	c := p.call
	if c.Capability == "" {
		return fault.New(fault.InvalidRequest, "the call names no capability").WithHint("`aivault capability list` shows them")
	}
	if c.Timeout < 0 {
		return fault.New(fault.InvalidRequest, "the timeout is negative")
	}
	if c.ClientIP == "" {
		return nil
	}
	addr, err := netip.ParseAddr(c.ClientIP)
	switch {
	case err != nil:
		return fault.New(fault.InvalidRequest, "the client address is no IP address").WithHint("leave --client-ip out, or give 127.0.0.1")
	case !addr.Unmap().IsLoopback():
		return fault.New(fault.PolicyViolation, "a caller at %s may not use this broker: it serves this machine only", addr).
			WithHint("leave --client-ip out, or give a loopback address")
	}
	return nil
}

// noteChoice tells the audit log which credential and secret the call is for.
func (p *plan) noteChoice() {
	first := p.choice.Parts[0].Secret
	p.event.Credential, p.event.Host = p.choice.Lender, p.choice.Host
	p.event.Secret, p.event.SecretVersion, p.event.Scope = first.ID, first.Version, first.Scope.String()
	if more := p.choice.Parts[1:]; len(more) > 0 {
		_, names := nameParts(more)
		p.event.Note = "with " + names
	}
}

// judge has package policy decide on the request.
func (p *plan) judge() error {
	p.rule = p.capability.rule()
	managed := p.strategy.Managed()
	p.rule.ManagedHeaders, p.rule.ManagedQuery, p.rule.ManagedPath = managed.Headers, managed.Query, managed.Path
	if p.body.kind != "" {
		p.rule.ManagedHeaders = append(slices.Clone(managed.Headers), "Content-Type")
	}
	method, target, err := policy.Choose(p.rule, p.call.Method, p.call.Path, len(p.body.body) > 0)
	if err != nil {
		return err
	}
	p.noteRequest(method, target)
	request := policy.Request{Method: method, Target: target}
	for _, h := range p.call.Headers {
		request.Headers = append(request.Headers, policy.Header{Name: h.Name, Value: h.Value})
	}
	if p.request, err = policy.Decide(p.rule, request); err != nil {
		return err
	}
	if err := p.mayAuthenticate(p.request); err != nil {
		return err
	}
	p.event.Path = p.request.Path
	if !p.mayReach(p.request) {
		return errBeyond(p.capability.Provider)
	}
	if err := p.checkSize(); err != nil {
		return err
	}
	if p.body.refusal != nil {
		return p.body.refusal
	}
	p.addHeaders()
	return nil
}

// mayUse keeps each secret to where it may go. The vault does so too, when it
// gives the values out; here a preview learns of it.
func (p *plan) mayUse() error {
	for i, part := range p.choice.Parts {
		if err := part.Secret.Serves(p.use(i)); err != nil {
			return err
		}
	}
	return nil
}

// mayAuthenticate refuses a request that the strategy would refuse, before there
// is a secret.
func (p *plan) mayAuthenticate(request policy.Canonical) error {
	if r, ok := p.strategy.(auth.Refuser); ok {
		return r.Refuse(request.Path, request.RawQuery)
	}
	return nil
}

// maxDeniedPath is how much of a path that was refused the audit log keeps, in
// bytes: it is the caller's to choose.
const maxDeniedPath = 256

// noteRequest tells the audit log what was asked for, as far as it can be read
// at all. It leaves the query out.
func (p *plan) noteRequest(method, target string) {
	if m, err := policy.ParseMethod(method); err == nil {
		p.event.Method = m
	}
	if path, _, err := policy.ParseTarget(target); err == nil {
		p.event.Path = path[:min(len(path), maxDeniedPath)]
	}
	p.event.RequestBytes = p.body.size
}

// addHeaders adds what the caller left to the broker: the provider's static
// headers, and the type of a JSON body.
func (p *plan) addHeaders() {
	for _, h := range p.choice.Headers {
		p.addHeader(h.Name, h.Value)
	}
	switch {
	case p.body.kind != "":
		p.request.Headers = append(p.request.Headers, policy.Header{Name: "Content-Type", Value: p.body.kind})
	case p.body.json:
		p.addHeader("Content-Type", "application/json")
	}
}

// addHeader adds a header unless the caller sent it, or a credential's
// authentication is to set it.
func (p *plan) addHeader(name, value string) {
	managed := p.strategy.Managed().Headers
	same := func(other string) bool { return strings.EqualFold(name, other) }
	if slices.ContainsFunc(managed, same) || slices.ContainsFunc(p.request.Headers, func(h policy.Header) bool { return same(h.Name) }) {
		return
	}
	p.request.Headers = append(p.request.Headers, policy.Header{Name: name, Value: value})
}

// decision returns what the vault is to record, and the secrets that it is to
// open if the call may be made.
func (p *plan) decision() vault.Decision {
	d := vault.Decision{Event: p.event, Rate: p.policy.Rate}
	if p.choice == nil {
		return d
	}
	for i := range p.choice.Parts {
		d.Uses = append(d.Uses, p.use(i))
	}
	return d
}

// use is the use of a secret by the call.
func (p *plan) use(part int) vault.Use {
	return vault.Use{
		Secret: p.choice.Parts[part].Secret.ID, Provider: p.capability.Provider,
		Host: vault.Host{Name: p.choice.Host, Private: p.choice.AllowPrivate, CA: vault.CADigest(p.choice.CACert)},
	}
}
