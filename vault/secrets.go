package vault

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// CreateSecret implements Vault.
func (l *Local) CreateSecret(ctx context.Context, n NewSecret) (Secret, error) {
	s, value, err := l.prepare(n)
	if err != nil {
		return Secret{}, err
	}
	err = l.update(ctx, func(t *txn) error {
		unfit, err := l.createSecret(t, s, value)
		if err == nil {
			err = unfit
		}
		return err
	})
	if err != nil {
		return Secret{}, err
	}
	return *s, nil
}

// prepare checks what a secret is to be made from. The value aliases n's.
func (l *Local) prepare(n NewSecret) (*Secret, []byte, error) {
	name, err := cleanName("name", n.Name)
	if err != nil {
		return nil, nil, err
	}
	aliases, err := cleanAliases(n.Aliases, name)
	if err != nil {
		return nil, nil, err
	}
	if err := n.Scope.Validate(); err != nil {
		return nil, nil, err
	}
	if n.AttachedOnly && n.Scope.Level != Global {
		return nil, nil, fault.New(fault.InvalidRequest, "only a global secret can be for attached groups only")
	}
	value, err := cleanValue(n.Value)
	if err != nil {
		return nil, nil, err
	}
	s := &Secret{Name: name, Aliases: aliases, Scope: n.Scope, AttachedOnly: n.AttachedOnly}
	s.PinnedProvider, _ = l.claim(name)
	return s, value, l.checkValue(s, nil, nil, value)
}

// checkValue refuses a value that could not be sent. Own is the provider to which
// the secret is pinned, if that is one of the vault's own.
func (l *Local) checkValue(s *Secret, own *Provider, auths []Auth, value []byte) error {
	if l.opts.CheckValue == nil {
		return nil
	}
	return l.opts.CheckValue(s, own, auths, opaque.New(value))
}

// checkStored is checkValue for a secret that has its provider already.
func (l *Local) checkStored(t *txn, s *Secret, auths []Auth, value []byte) error {
	_, own, err := t.findProvider(s.PinnedProvider)
	if err != nil {
		return err
	}
	return l.checkValue(s, own, auths, value)
}

// checkUses refuses a value that one of the secret's credentials could not
// send, and names the first one by id.
func (l *Local) checkUses(t *txn, s *Secret, value []byte) error {
	creds, err := t.credentialsOfSecret(s.ID)
	if err != nil {
		return err
	}
	if err := l.checkStored(t, s, nil, value); err != nil {
		return err
	}
	slices.SortFunc(creds, func(a, b *Credential) int { return strings.Compare(a.ID, b.ID) })
	for _, c := range creds {
		if err := l.checkStored(t, s, []Auth{c.Auth}, value); err != nil {
			return fault.Wrap(fault.CodeOf(err), err, "credential %s", c.ID)
		}
	}
	return nil
}

// claim returns the built-in provider that claims a name.
func (l *Local) claim(name string) (string, bool) {
	if l.opts.Claims == nil {
		return "", false
	}
	return l.opts.Claims.Claim(name)
}

// claimIn returns the provider that claims a name: a built-in one, else one of the
// vault's own, which it returns as well.
func (l *Local) claimIn(t *txn, name string) (id string, own *Provider, err error) {
	if id, ok := l.claim(name); ok {
		return id, nil, nil
	}
	if own, err = t.claimed(name); own == nil || err != nil {
		return "", nil, err
	}
	return own.ID, own, nil
}

// createSecret stores a new secret, once it is pinned to a provider of the vault's
// own that claims its name. Where that could not send the value, unfit says so, and
// nothing is stored.
func (l *Local) createSecret(t *txn, s *Secret, value []byte) (unfit, err error) {
	id, own, err := l.claimIn(t, s.Name)
	if err != nil {
		return nil, err
	}
	if s.PinnedProvider = id; own != nil {
		if unfit = l.checkValue(s, own, nil, value); unfit != nil {
			return unfit, nil
		}
	}
	return nil, t.createSecret(s, value)
}

// createSecret stores a new secret. A Secret that a failed attempt touched can
// be used again.
func (t *txn) createSecret(s *Secret, value []byte) error {
	s.ID, s.Revision, s.Version = uuid.New(), 0, 1
	s.CreatedAt = t.time()
	s.RotatedAt = s.CreatedAt
	if err := t.putValue(s, value); err != nil {
		return err
	}
	if err := t.putSecret(nil, s); err != nil {
		return err
	}
	return t.record(secretEvent(KindSecretCreate, s))
}

// secretEvent is the event of something done to a secret.
func secretEvent(kind string, s *Secret) *Event {
	return &Event{Kind: kind, Outcome: OutcomeOK, Secret: s.ID, SecretVersion: s.Version, Scope: s.Scope.String(), Note: s.Name}
}

// putSecret stores a secret with its index entries, as the revision after the
// one before. Names must be free in the scope.
func (t *txn) putSecret(before, s *Secret) error {
	if err := t.checkNames(s); err != nil {
		return err
	}
	s.UpdatedAt = t.time()
	s.Revision++
	var old []entry
	if before != nil {
		old = t.secretEntries(before)
	}
	if err := t.reindex(old, t.secretEntries(s)); err != nil {
		return err
	}
	return t.save(kindSecret, s.ID, s.Revision, encodeSecret(s))
}

// checkNames refuses a name or alias that another secret of the scope has.
func (t *txn) checkNames(s *Secret) error {
	for _, name := range append([]string{s.Name}, s.Aliases...) {
		id, _, taken, err := t.named(s.Scope, name)
		if err != nil {
			return err
		}
		if !taken || id == s.ID {
			continue
		}
		return fault.New(fault.AlreadyExists, "there is a secret named %s in scope %s already", name, s.Scope).
			WithHint("store a new value with `aivault secrets rotate --id %s`, or choose another name or scope", id)
	}
	return nil
}

// secret loads a secret with its last use: nil if there is none.
func (t *txn) secret(id ID) (*Secret, error) {
	b, rev, err := t.load(kindSecret, id)
	if b == nil || err != nil {
		return nil, err
	}
	s, err := decodeSecret(id, rev, b)
	if err != nil {
		return nil, errCorrupt("a secret")
	}
	usage, _, err := t.load(kindUsage, id)
	if err != nil {
		return nil, err
	}
	if usage != nil {
		if s.LastUsedAt, err = decodeUsage(usage); err != nil {
			return nil, errCorrupt("a record of the vault")
		}
	}
	return s, nil
}

// needSecret loads a secret that an id from outside names.
func (t *txn) needSecret(id ID, rev IfRevision) (*Secret, error) {
	s, err := t.secret(id)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return nil, errNoSecret(id.String())
	}
	if err := checkRevision(s, rev); err != nil {
		return nil, err
	}
	return s, nil
}

// checkRevision refuses a change of a secret that was changed since.
func checkRevision(s *Secret, rev IfRevision) error {
	if rev == 0 || uint64(rev) == s.Revision {
		return nil
	}
	return fault.New(fault.Conflict, "secret %s has revision %d, not %d: it was changed meanwhile", s.Name, s.Revision, rev).
		WithHint("look at it again with `aivault secrets list`, then repeat the change")
}

func errNoSecret(ref string) error {
	return fault.New(fault.SecretNotFound, "there is no secret %s", ref).WithHint("`aivault secrets list` shows the ids")
}

// change loads a secret, lets f change it, and stores it with the event.
func (l *Local) change(ctx context.Context, kind string, id ID, rev IfRevision, f func(*txn, *Secret) (note string, err error)) (Secret, error) {
	var out Secret
	err := l.update(ctx, func(t *txn) error {
		s, err := t.needSecret(id, rev)
		if err != nil {
			return err
		}
		before := clone(s)
		note, err := f(t, s)
		if err != nil {
			return err
		}
		if err := t.putSecret(before, s); err != nil {
			return err
		}
		out = *s
		e := secretEvent(kind, s)
		if note != "" {
			e.Note = note
		}
		return t.record(e)
	})
	return out, err
}

func clone(s *Secret) *Secret {
	c := *s
	c.Aliases = slices.Clone(s.Aliases)
	c.Hosts = slices.Clone(s.Hosts)
	c.Attached = slices.Clone(s.Attached)
	return &c
}

// UpdateSecret implements Vault.
func (l *Local) UpdateSecret(ctx context.Context, id ID, change SecretChange, rev IfRevision) (Secret, error) {
	return l.change(ctx, KindSecretUpdate, id, rev, func(t *txn, s *Secret) (string, error) {
		old := s.Name
		if change.Name != nil {
			name, err := cleanName("name", *change.Name)
			if err != nil {
				return "", err
			}
			s.Name = name
			if err := l.pin(t, s); err != nil {
				return "", err
			}
		}
		if change.Aliases != nil {
			s.Aliases = *change.Aliases
		}
		var err error
		if s.Aliases, err = cleanAliases(s.Aliases, s.Name); err != nil {
			return "", err
		}
		if s.Name != old {
			return old + " is now " + s.Name, nil
		}
		return "", nil
	})
}

// pin pins a secret to the provider that claims its new name. A pin is for
// good: another provider's name is a conflict.
func (l *Local) pin(t *txn, s *Secret) error {
	provider, own, err := l.claimIn(t, s.Name)
	switch {
	case err != nil:
		return err
	case provider == "" || provider == s.PinnedProvider:
		return nil
	case s.PinnedProvider != "":
		return fault.New(fault.Conflict, "the name %s belongs to %s, and the secret is pinned to %s for good", s.Name, provider, s.PinnedProvider).
			WithHint("store it as a new secret of that name")
	}
	// A secret that was meant for hosts of its own does not get to others by a
	// new name.
	if s.Chosen {
		return fault.New(fault.Conflict, "the name %s would pin the secret to %s, and it was meant for hosts of its own", s.Name, provider).
			WithHint("choose another name, or store the value as a new secret of that name")
	}
	value, err := t.value(s)
	if err != nil {
		return err
	}
	defer clear(value)
	pinned := *s
	pinned.PinnedProvider = provider
	if err := l.checkValue(&pinned, own, nil, value); err != nil {
		return err
	}
	return t.rebind(s, func() { s.PinnedProvider = provider })
}

// RotateSecret implements Vault.
func (l *Local) RotateSecret(ctx context.Context, id ID, value Value, rev IfRevision) (Secret, error) {
	b, err := cleanValue(value)
	if err != nil {
		return Secret{}, err
	}
	return l.change(ctx, KindSecretRotate, id, rev, func(t *txn, s *Secret) (string, error) {
		if err := l.checkUses(t, s, b); err != nil {
			return "", err
		}
		return "", t.rotate(s, b)
	})
}

// rotate gives a secret a new value. What is known of renewals was about the
// old one.
func (t *txn) rotate(s *Secret, value []byte) error {
	s.Version++
	s.RotatedAt = t.time()
	if err := t.drop(kindRenewal, s.ID); err != nil {
		return err
	}
	return t.putValue(s, value)
}
