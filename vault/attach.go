package vault

import (
	"context"
	"slices"
	"strings"

	"aivault/keys/fault"
)

// AttachGroup implements Vault.
func (l *Local) AttachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error) {
	if err := checkGroup(g); err != nil {
		return Secret{}, false, err
	}
	changed := false
	s, err := l.changeIf(ctx, KindSecretAttach, id, rev, func(s *Secret) string {
		i, found := slices.BinarySearchFunc(s.Attached, g, compareGroups)
		if changed = !found && s.Scope != g.Scope(); !changed {
			return ""
		}
		s.Attached = slices.Insert(s.Attached, i, g)
		return g.Scope().String()
	})
	return s, changed && err == nil, err
}

// DetachGroup implements Vault.
func (l *Local) DetachGroup(ctx context.Context, id ID, g GroupRef, rev IfRevision) (Secret, bool, error) {
	if err := checkGroup(g); err != nil {
		return Secret{}, false, err
	}
	changed := false
	s, err := l.changeIf(ctx, KindSecretDetach, id, rev, func(s *Secret) string {
		i, found := slices.BinarySearchFunc(s.Attached, g, compareGroups)
		if changed = found; !changed {
			return ""
		}
		s.Attached = slices.Delete(s.Attached, i, i+1)
		return g.Scope().String()
	})
	return s, changed && err == nil, err
}

// changeIf is change for what may change nothing: f then returns no note, and
// nothing but the event is written.
func (l *Local) changeIf(ctx context.Context, kind string, id ID, rev IfRevision, f func(*Secret) (note string)) (Secret, error) {
	var out Secret
	err := l.update(ctx, func(t *txn) error {
		s, err := t.needSecret(id, rev)
		if err != nil {
			return err
		}
		before := clone(s)
		note := f(s)
		e := secretEvent(kind, s)
		if note == "" {
			e.Note = "no change"
		} else {
			e.Note = note
			if err := t.putSecret(before, s); err != nil {
				return err
			}
		}
		out = *s
		return t.record(e)
	})
	return out, err
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
