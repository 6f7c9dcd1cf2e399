package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/vault"
)

// SetPolicy implements vault.Store.
func (s *Store) SetPolicy(_ context.Context, p vault.Policy, rev vault.IfRevision) (vault.Policy, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := p.Normal()
	if err != nil {
		return vault.Policy{}, err
	}
	was := vault.Policy{Capability: p.Capability}
	if old := s.policies[p.Capability]; old != nil {
		was = *old
	}
	switch {
	case rev != 0 && uint64(rev) != was.Revision:
		return vault.Policy{}, fault.New(fault.Conflict, "the policy of %s has revision %d, not %d: it was changed meanwhile", p.Capability, was.Revision, rev)
	case p.Empty() && was.Revision == 0:
		return was, nil
	}
	e := vault.Event{
		Kind: vault.KindCapabilityPolicy, Outcome: vault.OutcomeOK, Capability: p.Capability,
		Note: fmt.Sprintf("was %s; is %s; sha256 was %s; is %s", &was, &p, was.Digest(), p.Digest()),
	}
	if _, err := s.record(e); err != nil {
		return vault.Policy{}, err
	}
	if p.Empty() {
		delete(s.policies, p.Capability)
		return vault.Policy{Capability: p.Capability}, nil
	}
	p.UpdatedAt, p.Revision = s.time(), was.Revision+1
	s.policies[p.Capability] = new(p)
	return *clonePolicy(&p), nil
}

func clonePolicy(p *vault.Policy) *vault.Policy {
	c := *p
	for _, n := range []**int64{&c.Rate, &c.MaxRequest, &c.MaxResponse} {
		if *n != nil {
			*n = new(**n)
		}
	}
	c.Block = slices.Clone(p.Block)
	return &c
}

func (r reader) Policy(capability string) (*vault.Policy, error) {
	r.s.lookups++
	p, ok := r.s.policies[capability]
	if !ok {
		return nil, nil
	}
	return clonePolicy(p), nil
}

func (r reader) Policies() ([]*vault.Policy, error) {
	all := sorted(r, r.s.policies, func(a, b *vault.Policy) int { return strings.Compare(a.Capability, b.Capability) })
	for i, p := range all {
		all[i] = clonePolicy(p)
	}
	return all, nil
}
