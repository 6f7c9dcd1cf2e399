package ops

import (
	"context"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

// Bind chooses the secret of a capability in a scope. Proof, which a new host
// of an unpinned secret needs, is asked for by the command line.
func Bind(ctx context.Context, be app.Backend, n broker.NewBinding) (Done, broker.Binding, error) {
	was, err := binding(ctx, be, n.Capability, n.Scope, n.Consumer)
	if err != nil {
		return Done{}, broker.Binding{}, err
	}
	s, err := be.FindSecret(ctx, n.Secret.String())
	if err != nil {
		return Done{}, broker.Binding{}, err
	}
	b, err := be.Bind(ctx, n)
	if err != nil {
		return Done{}, b, err
	}
	where := b.Capability + " " + in(b.Scope) + forConsumer(b.Consumer)
	d := Done{
		Text: "bound " + s.Name + " to " + where,
		Lines: []Line{line("capability", "bind", "--capability", b.Capability, "--secret-ref", ref(ctx, be, b.Secret)).
			scope(b.Scope).with("--consumer", b.Consumer)},
	}
	d.Undo = &Undo{Text: "bind " + s.Name + " to " + where, Run: func(ctx context.Context) (Done, error) {
		if err := unchanged(ctx, be, &b, b); err != nil {
			return Done{}, err
		}
		if was == nil {
			return Unbind(ctx, be, b.Capability, b.Scope, b.Consumer)
		}
		return rebind(ctx, be, *was)
	}}
	return d, b, nil
}

// Unbind takes back the choice of a secret.
func Unbind(ctx context.Context, be app.Backend, capability string, scope vault.Scope, consumer string) (Done, error) {
	was, err := binding(ctx, be, capability, scope, consumer)
	if err != nil {
		return Done{}, err
	}
	where := capability + " " + in(scope) + forConsumer(consumer)
	name := ""
	if was != nil {
		name = was.Secret.String()[:8]
		if s, err := be.FindSecret(ctx, was.Secret.String()); err == nil {
			name = s.Name
		}
	}
	removed, err := be.Unbind(ctx, capability, scope, consumer)
	switch {
	case err != nil:
		return Done{}, err
	case !removed || was == nil:
		return Done{Text: "nothing changed: there is no binding of " + where}, nil
	}
	return Done{
		Text:  "unbound " + name + " from " + where,
		Lines: []Line{line("capability", "unbind", "--capability", capability).scope(scope).with("--consumer", consumer)},
		Undo: &Undo{Text: "unbind " + name + " from " + where, Run: func(ctx context.Context) (Done, error) {
			if err := unchanged(ctx, be, nil, *was); err != nil {
				return Done{}, err
			}
			return rebind(ctx, be, *was)
		}},
	}, nil
}

// rebind puts a binding back. A host of its secret that nothing else used was
// forgotten with it, and then it needs the value of the secret again.
func rebind(ctx context.Context, be app.Backend, b broker.Binding) (Done, error) {
	d, _, err := Bind(ctx, be, broker.NewBinding{Capability: b.Capability, Secret: b.Secret, Scope: b.Scope, Consumer: b.Consumer})
	if fault.CodeOf(err) == fault.OperatorAuthRequired {
		err = fault.Wrap(fault.OperatorAuthRequired, err, "it is not taken back").
			WithHint("bind the secret again, and give its value when it is asked for")
	}
	return d, err
}

// binding returns the operator's binding of a capability at a scope for a
// consumer; nil if there is none.
func binding(ctx context.Context, be app.Backend, capability string, scope vault.Scope, consumer string) (*broker.Binding, error) {
	list, err := be.Bindings(ctx, capability)
	for _, b := range list {
		if !b.Auto && b.Scope == scope && b.Consumer == consumer {
			return &b, nil
		}
	}
	return nil, err
}

// unchanged refuses where a binding is not what it was left as, nil for none;
// at says which one it is. Revisions begin again with each new binding, so its
// time counts too.
func unchanged(ctx context.Context, be app.Backend, left *broker.Binding, at broker.Binding) error {
	now, err := binding(ctx, be, at.Capability, at.Scope, at.Consumer)
	switch {
	case err != nil:
		return err
	case now == nil && left == nil:
		return nil
	case now != nil && left != nil && now.Revision == left.Revision && now.Secret == left.Secret && now.UpdatedAt.Equal(left.UpdatedAt):
		return nil
	}
	return refused(fault.New(fault.Conflict, "the binding of %s %s was changed since", at.Capability, in(at.Scope)))
}
