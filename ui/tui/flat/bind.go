package flat

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// bindingsOf lists the operator's bindings of a capability.
func (t *talk) bindingsOf(ctx context.Context, capability string) ([]broker.Binding, error) {
	list, err := t.be.Bindings(ctx, capability)
	return slices.DeleteFunc(list, func(b broker.Binding) bool { return b.Auto }), err
}

// bindingTexts are bindings for people.
func bindingTexts(list []broker.Binding) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = b.Capability + " in " + ops.Place(b.Scope)
		if b.Consumer != "" {
			out[i] += " for consumer " + b.Consumer
		}
	}
	return out
}

// boundTexts are bindings of one capability for people, with their secrets.
func (t *talk) boundTexts(ctx context.Context, list []broker.Binding) []string {
	out := make([]string, len(list))
	for i, b := range list {
		name := b.Secret.String()[:8]
		if s, err := t.be.FindSecret(ctx, b.Secret.String()); err == nil {
			name = s.Name
		}
		out[i] = name + " in " + ops.Place(b.Scope)
		if b.Consumer != "" {
			out[i] += " for consumer " + b.Consumer
		}
	}
	return out
}

// bind chooses the secret of a capability in a scope.
func (t *talk) bind(ctx context.Context, c *broker.Capability) error {
	in, err := t.askContext(ctx, "In which scope?", t.at)
	if err != nil {
		return err
	}
	seen, err := t.be.Effective(ctx, in)
	if err != nil {
		return err
	}
	seen = slices.DeleteFunc(seen, func(e vault.Effective) bool { return e.PinnedProvider != "" && e.PinnedProvider != c.Provider })
	if len(seen) == 0 {
		t.say("No secret that is effective there can be used for %s.", c.Provider)
		return same
	}
	items := make([]string, len(seen))
	for i, e := range seen {
		items[i] = e.Name + ", of " + ops.Place(e.Scope) + t.rest(&e.Secret)
	}
	k, err := t.one(ctx, "Which secret is used there?", items, -1)
	if err != nil {
		return err
	}
	n := broker.NewBinding{Capability: c.ID, Secret: seen[k].ID, Scope: in.Scope(), Consumer: in.Consumer}
	effects, err := t.be.Effects(ctx, broker.Change{Bind: &n})
	if err != nil {
		return err
	}
	t.print("")
	t.effects(effects)
	if err := t.agree(ctx, "Bind it?"); err != nil {
		return err
	}
	return t.withProof(ctx, func(proof vault.Value) error {
		n.Proof = proof
		d, _, err := ops.Bind(ctx, t.be, n)
		if err == nil {
			t.done(d)
		}
		return err
	})
}

// unbind takes a binding of a capability away.
func (t *talk) unbind(ctx context.Context, capability string) error {
	list, err := t.bindingsOf(ctx, capability)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		t.say("There is no binding of %s. Without one, the narrowest credential that covers a call is used.", capability)
		return same
	}
	k, err := t.one(ctx, "Which binding?", t.boundTexts(ctx, list), -1)
	if err != nil {
		return err
	}
	at := broker.BindingRef{Capability: capability, Scope: list[k].Scope, Consumer: list[k].Consumer}
	effects, err := t.be.Effects(ctx, broker.Change{Unbind: &at})
	if err != nil {
		return err
	}
	t.print("")
	t.effects(effects)
	if err := t.agree(ctx, "Take it away?"); err != nil {
		return err
	}
	d, err := ops.Unbind(ctx, t.be, at)
	if err == nil {
		t.done(d)
	}
	return err
}

// limit changes the limits of a capability.
func (t *talk) limit(ctx context.Context, p vault.Policy) error {
	t.say("Limits hold over all scopes, processes and restarts. A dash is no limit.")
	now := p
	for _, q := range []struct {
		what string
		to   **int64
	}{
		{"Calls in any 60 seconds", &now.Rate},
		{"Bytes of a request's body at most", &now.MaxRequest},
		{"Bytes of an answer's body at most", &now.MaxResponse},
	} {
		n, err := t.askLimit(ctx, q.what, *q.to)
		if err != nil {
			return err
		}
		*q.to = n
	}
	ret := strings.Join(p.Block, ", ")
	if ret == "" {
		ret = "-"
	}
	s, err := t.askText(ctx, "Fields of JSON answers to keep back, with commas between them", ret, false)
	if err != nil {
		return err
	}
	now.Block = nil
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" && s != "-" {
			now.Block = append(now.Block, name)
		}
	}
	d, _, err := ops.SetPolicy(ctx, t.be, now, vault.IfRevision(p.Revision))
	if err == nil {
		t.done(d)
	}
	return err
}

// askLimit asks for a limit, nil for none.
func (t *talk) askLimit(ctx context.Context, what string, ret *int64) (*int64, error) {
	word := "-"
	if ret != nil {
		word = strconv.FormatInt(*ret, 10)
	}
	for {
		s, err := t.askText(ctx, what, word, false)
		if err != nil || s == "-" {
			return nil, err
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err == nil && n >= 0 {
			return &n, nil
		}
		t.fail(fault.New(fault.InvalidRequest, "%q is no limit", s).WithHint("type a whole number, or - for no limit"))
	}
}
