package broker

import (
	"context"

	"aivault/broker/internal/wire"
	"aivault/keys/fault"
	"aivault/vault"
)

// SetPolicy implements Service.
func (b *Broker) SetPolicy(ctx context.Context, p vault.Policy, rev vault.IfRevision) (vault.Policy, error) {
	err := b.view(ctx, func(r look) error {
		_, err := b.capability(r, p.Capability)
		return err
	})
	if err != nil {
		return vault.Policy{}, err
	}
	return b.store.SetPolicy(ctx, p, rev)
}

// Policy implements Service.
func (b *Broker) Policy(ctx context.Context, capability string) (vault.Policy, error) {
	out := vault.Policy{Capability: capability}
	err := b.view(ctx, func(r look) error {
		if _, err := b.capability(r, capability); err != nil {
			return err
		}
		p, err := r.Policy(capability)
		if p != nil {
			out = *p
		}
		return err
	})
	return out, err
}

// Policies implements Service.
func (b *Broker) Policies(ctx context.Context) ([]vault.Policy, error) {
	out := []vault.Policy{}
	err := b.view(ctx, func(r look) error {
		list, err := r.Policies()
		for _, p := range list {
			out = append(out, *p)
		}
		return err
	})
	return out, err
}

// checkSize refuses a body that is longer than the policy of the capability
// allows.
func (p *plan) checkSize() error {
	if limit := p.policy.MaxRequest; limit != nil && p.body.size > *limit {
		return fault.New(fault.RequestTooLarge, "the body has %d bytes, and the policy of %s allows %d", p.body.size, p.capability.ID, *limit).
			WithHint("send less; the operator can raise the limit")
	}
	return nil
}

// maxAnswer is how many bytes of an answer's body may leave.
func (p *plan) maxAnswer() int64 {
	if limit := p.policy.MaxResponse; limit != nil {
		return min(*limit, wire.MaxBody)
	}
	return wire.MaxBody
}
