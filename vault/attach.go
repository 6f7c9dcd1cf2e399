package vault

import (
	"context"
	"errors"
	"slices"
	"strings"

	"aivault/keys/fault"
)

// A Sharing is one change of whom a secret is shared with.
type Sharing struct {
	Secret   ID
	Group    GroupRef
	Detach   bool       // the group is to lose the secret, not to get it
	Revision IfRevision // that the secret must have before the first change
}

// AttachGroup implements Vault.
func (l *Local) AttachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error) {
	return l.shareOne(ctx, Sharing{Secret: id, Group: g, Revision: rev})
}

// DetachGroup implements Vault.
func (l *Local) DetachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error) {
	return l.shareOne(ctx, Sharing{Secret: id, Group: g, Detach: true, Revision: rev})
}

// shareOne makes a change of its own: also one that changes nothing has its
// event, as somebody asked for it.
func (l *Local) shareOne(ctx context.Context, c Sharing) (Secret, bool, error) {
	if err := checkGroup(c.Group); err != nil {
		return Secret{}, false, err
	}
	b := sharingBatch{}
	err := l.update(ctx, func(t *txn) error {
		s, changed, err := b.apply(t, c)
		if err == nil && !changed {
			e := secretEvent(c.kind(), s)
			e.Note = "no change"
			err = t.record(e)
		}
		if err != nil {
			return err
		}
		return b.put(t)
	})
	if err != nil {
		return Secret{}, false, err
	}
	return *b.list[0].now, b.list[0].changed, nil
}

// Share implements Vault.
func (l *Local) Share(ctx context.Context, changes []Sharing) ([]Secret, error) {
	for _, c := range changes {
		if err := checkGroup(c.Group); err != nil {
			return nil, err
		}
	}
	if len(changes) == 0 {
		return nil, nil
	}
	b := sharingBatch{}
	err := l.update(ctx, func(t *txn) error {
		for _, c := range changes {
			if _, _, err := b.apply(t, c); err != nil {
				return err
			}
		}
		if !b.changed() {
			return errNothing
		}
		return b.put(t)
	})
	if err != nil && !errors.Is(err, errNothing) {
		return nil, err
	}
	out := make([]Secret, len(b.list))
	for i, s := range b.list {
		out[i] = *s.now
	}
	return out, nil
}

// kind is the kind of a change's event.
func (c *Sharing) kind() string {
	if c.Detach {
		return KindSecretDetach
	}
	return KindSecretAttach
}

// A sharingBatch are secrets whose sharing is changed in one transaction, in
// the order in which they were first named. Each is stored once, at the end.
type sharingBatch struct {
	list []*sharedSecret
	byID map[ID]*sharedSecret
}

type sharedSecret struct {
	before, now *Secret
	changed     bool
}

// apply makes one change, with its event if it changes something. put stores
// the secret.
func (b *sharingBatch) apply(t *txn, c Sharing) (*Secret, bool, error) {
	sh, err := b.secret(t, c)
	if err != nil {
		return nil, false, err
	}
	s := sh.now
	i, attached := slices.BinarySearchFunc(s.Attached, c.Group, compareGroups)
	switch {
	case c.Detach && attached:
		s.Attached = slices.Delete(s.Attached, i, i+1)
	case !c.Detach && !attached && s.Scope != c.Group.Scope():
		s.Attached = slices.Insert(s.Attached, i, c.Group)
	default:
		return s, false, nil
	}
	sh.changed = true
	e := secretEvent(c.kind(), s)
	e.Note = c.Group.Scope().String()
	return s, true, t.record(e)
}

// secret returns the secret of a change, which must have had the revision
// before the batch.
func (b *sharingBatch) secret(t *txn, c Sharing) (*sharedSecret, error) {
	if sh := b.byID[c.Secret]; sh != nil {
		return sh, checkRevision(sh.before, c.Revision)
	}
	s, err := t.needSecret(c.Secret, c.Revision)
	if err != nil {
		return nil, err
	}
	sh := &sharedSecret{before: clone(s), now: s}
	if b.byID == nil {
		b.byID = map[ID]*sharedSecret{}
	}
	b.byID[s.ID] = sh
	b.list = append(b.list, sh)
	return sh, nil
}

// changed reports whether there is something to store.
func (b *sharingBatch) changed() bool {
	return slices.ContainsFunc(b.list, func(s *sharedSecret) bool { return s.changed })
}

// put stores what was changed.
func (b *sharingBatch) put(t *txn) error {
	for _, s := range b.list {
		if s.changed {
			if err := t.putSecret(s.before, s.now); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkGroup(g GroupRef) error {
	if g.Workspace == "" || g.Group == "" {
		return fault.New(fault.InvalidRequest, "a group is named by a workspace and a group id").
			WithHint("give both --workspace-id and --group-id")
	}
	return g.Scope().Validate()
}

func compareGroups(a, b GroupRef) int {
	if c := strings.Compare(a.Workspace, b.Workspace); c != 0 {
		return c
	}
	return strings.Compare(a.Group, b.Group)
}
