package vault

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"aivault/keys/fault"
)

// CreateCredential implements Store.
func (l *Local) CreateCredential(ctx context.Context, c Credential, proof Value) (Credential, error) {
	if err := checkCredential(&c); err != nil {
		return Credential{}, err
	}
	err := l.update(ctx, func(t *txn) error {
		if err := l.createCredential(t, &c, proof); err != nil {
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
	texts := slices.Concat([]string{c.Auth.Kind}, c.Hosts, c.Capabilities)
	for _, p := range c.Auth.Params {
		texts = append(texts, p.Name, p.Value)
	}
	return checkUTF8("credential "+c.ID, texts)
}

func (l *Local) createCredential(t *txn, c *Credential, proof Value) error {
	if _, taken, err := t.findCredential(c.ID); err != nil {
		return err
	} else if taken != nil {
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
	if err := t.sealHosts(s, c.Destinations(), proof); err != nil {
		return err
	}
	value, err := t.value(s)
	if err != nil {
		return err
	}
	defer clear(value)
	if err := l.checkStored(t, s, []Auth{c.Auth}, value); err != nil {
		return err
	}
	if _, err := t.enable(c.ID); err != nil {
		return err
	}
	c.CreatedAt, c.Revision = t.time(), 1
	rec := uuid.New()
	if err := t.reindex(nil, t.credentialEntries(rec, c)); err != nil {
		return err
	}
	return t.save(kindCredential, rec, c.Revision, encodeCredential(c))
}

func credentialEvent(kind string, c *Credential) *Event {
	return &Event{
		Kind: kind, Outcome: OutcomeOK, Credential: c.ID, Secret: c.Secret, Scope: c.Scope.String(),
		Host: joinHosts(c.Destinations()), Note: c.note(),
	}
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

// findCredential returns a credential and the id of its record: nil if there
// is none.
func (t *txn) findCredential(id string) (rec ID, c *Credential, err error) {
	rec, ok, err := t.find(ixCredential, id)
	if !ok || err != nil {
		return rec, nil, err
	}
	if c, err = t.credential(rec); err == nil && c.ID != id {
		err = errCorrupt("an index of the vault")
	}
	return rec, c, err
}

// credentialsIn loads the credentials of an index row, which must be what the
// row says.
func (t *txn) credentialsIn(recs []ID, fits func(*Credential) bool) ([]*Credential, error) {
	var out []*Credential
	for _, rec := range recs {
		c, err := t.credential(rec)
		if err == nil && !fits(c) {
			err = errCorrupt("an index of the vault")
		}
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
	return t.credentialsIn(recs, func(c *Credential) bool { return c.Secret == id })
}

// DeleteCredential implements Store.
func (l *Local) DeleteCredential(ctx context.Context, id string) (removed bool, err error) {
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, c, err := t.findCredential(id)
		if c == nil || err != nil {
			return nil, err
		}
		if err := t.deleteCredential(rec, c); err != nil {
			return nil, err
		}
		return credentialEvent(KindCredentialDelete, c), t.forgetHosts(c.Secret)
	})
}

// removal runs a change that may find nothing to do: no event, no change. In a
// vault that does not exist there is nothing to do either.
func (l *Local) removal(ctx context.Context, f func(*txn) (*Event, error)) (bool, error) {
	if exists, err := l.Exists(); err != nil {
		return false, err
	} else if !exists {
		return false, l.checkAbsent()
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

func (t *txn) deleteCredential(rec ID, c *Credential) error {
	if err := t.reindex(t.credentialEntries(rec, c), nil); err != nil {
		return err
	}
	return t.drop(kindCredential, rec)
}
