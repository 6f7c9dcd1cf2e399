package ops

import (
	"context"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// CreateCapability allows an operation.
func CreateCapability(ctx context.Context, be app.Backend, n broker.NewCapability) (Done, broker.Capability, error) {
	c, err := be.CreateCapability(ctx, n)
	if err != nil {
		return Done{}, c, err
	}
	l := line("capability", "create", n.ID).with("--credential", n.FromCred).with("--provider", n.Provider).each("--host", n.Hosts).
		each("--method", n.Methods).each("--path", n.Paths).each("--allow-header", n.AllowHeads)
	return Done{Text: "made capability " + c.ID + " at " + strings.Join(c.Allow.Hosts, ", "), Lines: []Line{l}}, c, nil
}

// DeleteCapability deletes a capability that was made by hand, with its limits
// and bindings.
func DeleteCapability(ctx context.Context, be app.Backend, id string) (Done, vault.RemovedCapability, error) {
	r, err := be.DeleteCapability(ctx, id)
	if err != nil {
		return Done{}, r, err
	}
	d := Done{Text: "deleted capability " + id, Lines: []Line{line("capability", "delete", id)}}
	switch {
	case !r.Capability:
		return Done{Text: "nothing changed: there is no capability " + id + " that could be deleted"}, r, nil
	case r.Policy:
		d.Text += ", with its limits"
	}
	return d, r, nil
}

// Limits says in words what a policy limits; nothing of one that limits nothing.
func Limits(p vault.Policy) []string {
	var out []string
	if p.Rate != nil {
		if *p.Rate == 0 {
			out = append(out, "no calls")
		} else {
			out = append(out, text.Plural(int(*p.Rate), "call")+" in any 60 s")
		}
	}
	if p.MaxRequest != nil {
		out = append(out, "a request of at most "+text.Plural(int(*p.MaxRequest), "byte"))
	}
	if p.MaxResponse != nil {
		out = append(out, "an answer of at most "+text.Plural(int(*p.MaxResponse), "byte"))
	}
	if len(p.Block) > 0 {
		out = append(out, "kept back: "+strings.Join(p.Block, ", "))
	}
	return out
}

// SetPolicy replaces the limits of a capability.
func SetPolicy(ctx context.Context, be app.Backend, p vault.Policy, rev vault.IfRevision) (Done, vault.Policy, error) {
	was, err := be.Policy(ctx, p.Capability)
	if err != nil {
		return Done{}, was, err
	}
	if rev == 0 {
		rev = vault.IfRevision(was.Revision) // what is taken back must be what was there
	}
	now, err := be.SetPolicy(ctx, p, rev)
	if err != nil {
		return Done{}, now, err
	}
	if now.Digest() == was.Digest() {
		return Done{Text: "nothing changed: " + now.Capability + " has those limits"}, now, nil
	}
	l := line("capability", "policy", "set", "--capability", now.Capability).
		number("--rate-limit-per-minute", now.Rate).
		number("--max-request-body-bytes", now.MaxRequest).
		number("--max-response-body-bytes", now.MaxResponse).
		each("--response-block", now.Block)
	d := Done{Text: "set the limits of " + now.Capability + ": " + strings.Join(Limits(now), "; "), Lines: []Line{l}}
	if now.Empty() {
		d.Text = "took the limits of " + now.Capability + " away"
	}
	d.Undo = &Undo{Text: "set the limits of " + now.Capability, Run: func(ctx context.Context) (Done, error) {
		// The revisions of a policy that was away for a while begin again, and
		// one that is away has none.
		found, err := be.Policy(ctx, now.Capability)
		if err != nil {
			return Done{}, refused(err)
		}
		if found.Revision != now.Revision || found.Digest() != now.Digest() {
			return Done{}, refused(fault.New(fault.Conflict, "the limits of %s were changed since", now.Capability))
		}
		d, _, err := SetPolicy(ctx, be, was, vault.IfRevision(found.Revision))
		return d, refused(err)
	}}
	return d, now, nil
}
