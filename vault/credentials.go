package vault

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// CreateCredential implements Store.
func (l *Local) CreateCredential(ctx context.Context, c Credential, proof Value) (Credential, error) {
	if err := checkCredential(&c); err != nil {
		return Credential{}, err
	}
	err := l.update(ctx, func(t *txn) error {
		if err := t.createCredential(&c, proof); err != nil {
			return err
		}
		return t.record(credentialEvent(KindCredentialCreate, &c))
	})
	if err != nil {
		return Credential{}, l.noteDenial(ctx, err, credentialEvent(KindCredentialCreate, &c))
	}
	return c, nil
}

func checkCredential(c *Credential) error {
	if err := checkText("credential id", c.ID); err != nil {
		return err
	}
	if err := checkText("provider", c.Provider); err != nil {
		return err
	}
	if err := c.Scope.Validate(); err != nil {
		return err
	}
	if len(c.Hosts) == 0 {
		return fault.New(fault.InvalidRequest, "credential %s has no host", c.ID).WithHint("add --host")
	}
	return nil
}

func (t *txn) createCredential(c *Credential, proof Value) error {
	if _, taken, err := t.find(ixCredential, c.ID); err != nil {
		return err
	} else if taken {
		return fault.New(fault.AlreadyExists, "there is a credential %s already", c.ID).
			WithHint("choose another id, or delete it with `aivault credential delete %s`", c.ID)
	}
	s, err := t.needSecret(c.Secret, 0)
	if err != nil {
		return err
	}
	if s.PinnedProvider != "" && s.PinnedProvider != c.Provider {
		return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and serves no other provider", s.Name, s.PinnedProvider).
			WithHint("store the value under a name of your own to use it for %s", c.Provider)
	}
	hosts := make([]Host, len(c.Hosts))
	for i, h := range c.Hosts {
		hosts[i] = Host{Name: h, Private: c.AllowPrivate}
	}
	if err := t.sealHosts(s, hosts, proof); err != nil {
		return err
	}
	c.CreatedAt, c.Revision = t.time(), 1
	rec := uuid.New()
	if err := t.reindex(nil, t.credentialEntries(rec, c)); err != nil {
		return err
	}
	return t.save(kindCredential, rec, c.Revision, encodeCredential(c))
}

// sealHosts makes an unpinned secret usable for hosts. The first ones cost
// nothing; later ones, and private ones, cost the proof that whoever asks
// knows the value, as it could be sent there.
func (t *txn) sealHosts(s *Secret, want []Host, proof Value) error {
	if s.PinnedProvider != "" {
		return nil // its provider's hosts, and no others, are the broker's to know
	}
	var missing []Host
	needProof := len(s.Hosts) > 0
	for _, h := range want {
		if !s.mayGoTo(h.Name, h.Private) {
			missing = append(missing, h)
			needProof = needProof || h.Private
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if needProof {
		if err := t.prove(s, missing, proof); err != nil {
			return err
		}
	}
	before := clone(s)
	if err := t.rebind(s, func() { s.Hosts = addHosts(s.Hosts, missing) }); err != nil {
		return err
	}
	if err := t.putSecret(before, s); err != nil {
		return err
	}
	e := secretEvent(KindSecretHosts, s)
	e.Host = joinHosts(missing)
	return t.record(e)
}

// mayGoTo reports whether an unpinned secret was sealed for a host.
func (s *Secret) mayGoTo(host string, private bool) bool {
	for _, h := range s.Hosts {
		if h.Name == host && (h.Private || !private) {
			return true
		}
	}
	return false
}

func addHosts(have, more []Host) []Host {
	hosts := append([]Host(nil), have...)
next:
	for _, m := range more {
		for i := range hosts {
			if hosts[i].Name == m.Name {
				hosts[i].Private = hosts[i].Private || m.Private
				continue next
			}
		}
		hosts = append(hosts, m)
	}
	return hosts
}

func joinHosts(hosts []Host) string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	return strings.Join(names, " ")
}

// prove checks that proof is the secret's value.
func (t *txn) prove(s *Secret, hosts []Host, proof Value) error {
	refuse := func(what string) error {
		return fault.New(fault.OperatorAuthRequired, "%s: secret %s was not meant for %s so far", what, s.Name, joinHosts(hosts)).
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

func credentialEvent(kind string, c *Credential) *Event {
	return &Event{Kind: kind, Outcome: OutcomeOK, Credential: c.ID, Secret: c.Secret, Scope: c.Scope.String(), Note: c.Provider}
}

// credential loads a credential that an index names.
func (t *txn) credential(rec ID) (*Credential, error) {
	b, rev, err := t.load(kindCredential, rec)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errCorrupt("an index of the vault")
	}
	c, err := decodeCredential(rev, b)
	if err != nil {
		return nil, errCorrupt("a credential")
	}
	return c, nil
}

func (t *txn) credentialsIn(recs []ID) ([]*Credential, error) {
	var out []*Credential
	for _, rec := range recs {
		c, err := t.credential(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (t *txn) credentialsOfSecret(id ID) ([]*Credential, error) {
	recs, err := t.row(ixCredSecret, id.String())
	if err != nil {
		return nil, err
	}
	return t.credentialsIn(recs)
}

// DeleteCredential implements Store.
func (l *Local) DeleteCredential(ctx context.Context, id string) (removed bool, err error) {
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, ok, err := t.find(ixCredential, id)
		if !ok || err != nil {
			return nil, err
		}
		c, err := t.credential(rec)
		if err != nil {
			return nil, err
		}
		return credentialEvent(KindCredentialDelete, c), t.deleteCredential(id)
	})
}

// removal runs a change that may find nothing to do: no event, no change. In a
// vault that does not exist there is nothing to do either.
func (l *Local) removal(ctx context.Context, f func(*txn) (*Event, error)) (bool, error) {
	if exists, err := l.db.Exists(); err != nil || !exists {
		return false, l.explain(err, "looking at")
	}
	removed := false
	err := l.update(ctx, func(t *txn) error {
		e, err := f(t)
		if err != nil || e == nil {
			return err
		}
		removed = true
		return t.record(e)
	})
	return removed && err == nil, err
}

func (t *txn) deleteCredential(id string) error {
	rec, ok, err := t.find(ixCredential, id)
	if !ok || err != nil {
		return err
	}
	c, err := t.credential(rec)
	if err != nil {
		return err
	}
	if err := t.reindex(t.credentialEntries(rec, c), nil); err != nil {
		return err
	}
	return t.drop(kindCredential, rec)
}

// DisableCredential implements Store.
func (l *Local) DisableCredential(ctx context.Context, id string) (bool, error) {
	if err := checkText("credential id", id); err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		if _, off, err := t.find(ixDisabled, id); off || err != nil {
			return nil, err
		}
		rec := uuid.New()
		if err := t.reindex(nil, t.disabledEntries(rec, id)); err != nil {
			return nil, err
		}
		return &Event{Kind: KindCredentialDisable, Outcome: OutcomeOK, Credential: id}, t.save(kindDisabled, rec, 1, encodeDisabled(id))
	})
}

// EnableCredential implements Store.
func (l *Local) EnableCredential(ctx context.Context, id string) (bool, error) {
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, off, err := t.find(ixDisabled, id)
		if !off || err != nil {
			return nil, err
		}
		if err := t.reindex(t.disabledEntries(rec, id), nil); err != nil {
			return nil, err
		}
		return &Event{Kind: KindCredentialEnable, Outcome: OutcomeOK, Credential: id}, t.drop(kindDisabled, rec)
	})
}
