package vault

import (
	"context"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// sealHosts makes an unpinned secret usable for hosts. The first ones cost
// nothing; later ones, and private ones, cost the proof that whoever asks
// knows the value, as it could be sent there.
func (t *txn) sealHosts(s *Secret, want []Host, proof Value) error {
	if s.PinnedProvider != "" {
		return nil // its provider's hosts, and no others, are the broker's to know
	}
	missing := s.missing(want)
	if len(missing) == 0 {
		return nil
	}
	if s.CostsProof(want) {
		if err := t.prove(s, missing, proof); err != nil {
			return err
		}
	}
	before := clone(s)
	if err := t.rebind(s, func() { s.Hosts, s.Chosen = slices.Concat(s.Hosts, missing), true }); err != nil {
		return err
	}
	if err := t.putSecret(before, s); err != nil {
		return err
	}
	e := secretEvent(KindSecretHosts, s)
	e.Host = joinHosts(missing)
	return t.record(e)
}

// missing lists those hosts that a secret was not sealed for.
func (s *Secret) missing(want []Host) []Host {
	return slices.DeleteFunc(slices.Clone(want), s.MayGoTo)
}

// CostsProof reports whether the secret may be sent to these hosts only by who
// shows that they know its value.
func (s *Secret) CostsProof(want []Host) bool {
	if s.PinnedProvider != "" {
		return false // its provider's hosts are the broker's to know
	}
	missing := s.missing(want)
	return len(missing) > 0 && (s.Chosen || slices.ContainsFunc(missing, func(h Host) bool { return h.Private }))
}

// Serves checks that a secret may be used so: a pinned one by its provider, and
// not at a private host; another one at the hosts that were sealed with it.
func (s *Secret) Serves(u Use) error {
	switch {
	case s.PinnedProvider != "" && s.PinnedProvider != u.Provider:
		return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and serves no other provider", s.Name, s.PinnedProvider)
	case s.PinnedProvider != "" && u.Host.Private:
		return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and never goes to a private host", s.Name, s.PinnedProvider)
	case s.PinnedProvider == "" && !s.MayGoTo(u.Host):
		return fault.New(fault.PolicyViolation, "secret %s was not meant for host %s", s.Name, u.Host.Name).
			WithHint("make a credential of it for that host: `aivault credential create`")
	}
	return nil
}

// forgetHosts takes back the hosts of an unpinned secret that no credential or
// binding uses any more, so that nothing is left of one that was made and
// deleted: not even the first comes back without proof.
func (t *txn) forgetHosts(id ID) error {
	s, err := t.secret(id)
	if err != nil || s == nil || len(s.Hosts) == 0 {
		return err
	}
	used, err := t.usedHosts(id)
	if err != nil {
		return err
	}
	var kept, gone []Host
	for _, h := range s.Hosts {
		if slices.Contains(used, h) {
			kept = append(kept, h)
		} else {
			gone = append(gone, h)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	before := clone(s)
	if err := t.rebind(s, func() { s.Hosts = kept }); err != nil {
		return err
	}
	if err := t.putSecret(before, s); err != nil {
		return err
	}
	e := secretEvent(KindSecretHosts, s)
	e.Host, e.Note = joinHosts(gone), s.Name+": no longer"
	return t.record(e)
}

// usedHosts lists where the credentials and bindings of a secret send it.
func (t *txn) usedHosts(id ID) ([]Host, error) {
	creds, err := t.credentialsOfSecret(id)
	if err != nil {
		return nil, err
	}
	var used []Host
	for _, c := range creds {
		used = append(used, c.Destinations()...)
	}
	recs, err := t.row(ixBindSecret, id.String())
	if err != nil {
		return nil, err
	}
	for _, rec := range recs {
		b, err := t.binding(rec)
		if err != nil {
			return nil, err
		}
		used = append(used, b.Hosts...)
	}
	return used, nil
}

func joinHosts(hosts []Host) string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	return strings.Join(names, ", ")
}

// prove checks that proof is the secret's value.
func (t *txn) prove(s *Secret, hosts []Host, proof Value) error {
	refuse := func(what string) error {
		as := "so far"
		if slices.ContainsFunc(s.Hosts, func(h Host) bool { return h.Name == hosts[0].Name }) {
			as = "by another certificate authority"
		}
		return fault.New(fault.OperatorAuthRequired, "%s: secret %s was not meant for %s %s", what, s.Name, joinHosts(hosts), as).
			WithHint("give the secret's value again with --value-stdin or --value-file, to show that it may be sent there")
	}
	if proof == nil {
		return refuse("the value is needed")
	}
	given, err := cleanValue(proof)
	if err != nil {
		return err
	}
	value, err := t.value(s)
	if err != nil {
		return err
	}
	defer clear(value)
	if !opaque.New(value).Equal(opaque.New(given)) {
		return refuse("that is not its value")
	}
	return nil
}

// noteDenial records that a change was refused for want of proof, and returns
// the refusal.
func (l *Local) noteDenial(ctx context.Context, refusal error, e *Event) error {
	if fault.CodeOf(refusal) != fault.OperatorAuthRequired {
		return refusal
	}
	e.Outcome, e.Code = OutcomeDenied, fault.OperatorAuthRequired
	if err := l.update(ctx, func(t *txn) error { return t.record(e) }); err != nil {
		return err
	}
	return refusal
}
