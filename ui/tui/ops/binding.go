package ops

import (
	"context"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
)

// Bind chooses the secret of a capability in a scope. Proof, which a new host
// of an unpinned secret needs, is asked for by the command line.
func Bind(ctx context.Context, be app.Backend, n broker.NewBinding) (Done, broker.Binding, error) {
	at := broker.BindingRef{Capability: n.Capability, Scope: n.Scope, Consumer: n.Consumer}
	was, err := binding(ctx, be, at)
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
		if err := unchanged(ctx, be, at, &b); err != nil {
			return Done{}, err
		}
		if was == nil {
			return Unbind(ctx, be, at)
		}
		return rebind(ctx, be, *was)
	}}
	return d, b, nil
}

// Unbind takes back the choice of a secret.
func Unbind(ctx context.Context, be app.Backend, at broker.BindingRef) (Done, error) {
	was, err := binding(ctx, be, at)
	if err != nil {
		return Done{}, err
	}
	where := at.Capability + " " + in(at.Scope) + forConsumer(at.Consumer)
	name := ""
	if was != nil {
		name = was.Secret.String()[:8]
		if s, err := be.FindSecret(ctx, was.Secret.String()); err == nil {
			name = s.Name
		}
	}
	removed, err := be.Unbind(ctx, at.Capability, at.Scope, at.Consumer)
	switch {
	case err != nil:
		return Done{}, err
	case !removed || was == nil:
		return Done{Text: "nothing changed: there is no binding of " + where}, nil
	}
	return Done{
		Text:  "unbound " + name + " from " + where,
		Lines: []Line{line("capability", "unbind", "--capability", at.Capability).scope(at.Scope).with("--consumer", at.Consumer)},
		Undo: &Undo{Text: "unbind " + name + " from " + where, Run: func(ctx context.Context) (Done, error) {
			if err := unchanged(ctx, be, at, nil); err != nil {
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
		return d, fault.Wrap(fault.OperatorAuthRequired, err, "it is not taken back").
			WithHint("bind the secret again, and give its value when it is asked for")
	}
	return d, refused(err)
}

// binding returns the operator's binding; nil if there is none.
func binding(ctx context.Context, be app.Backend, at broker.BindingRef) (*broker.Binding, error) {
	list, err := be.Bindings(ctx, at.Capability)
	for _, b := range list {
		if !b.Auto && b.Scope == at.Scope && b.Consumer == at.Consumer {
			return &b, nil
		}
	}
	return nil, err
}

// unchanged refuses where a binding is not what it was left as, nil for none.
// Revisions begin again with each new binding, so its time counts too. It looks
// right before the binding is changed, which has no condition of its own.
func unchanged(ctx context.Context, be app.Backend, at broker.BindingRef, left *broker.Binding) error {
	now, err := binding(ctx, be, at)
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
