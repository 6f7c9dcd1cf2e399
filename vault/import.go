package vault

import (
	"context"
	"slices"
	"strings"

	"aivault/keys/fault"
)

// ImportSecrets implements Vault. All entries are stored in one transaction:
// after a crash either none or all of those that could be stored are there.
func (l *Local) ImportSecrets(ctx context.Context, scope Scope, entries []ImportEntry, rotateExisting bool) (ImportResult, error) {
	if err := scope.Validate(); err != nil {
		return ImportResult{}, err
	}
	var out ImportResult
	err := l.update(ctx, func(t *txn) error {
		for _, e := range entries {
			if err := l.importOne(t, scope, e, rotateExisting, &out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return ImportResult{}, err
	}
	byName := func(a, b Secret) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(out.Created, byName)
	slices.SortFunc(out.Rotated, byName)
	slices.Sort(out.Skipped)
	return out, nil
}

// importOne imports one entry. What is wrong with the entry goes into out; an
// error is one of the vault, and ends the import.
func (l *Local) importOne(t *txn, scope Scope, e ImportEntry, rotateExisting bool, out *ImportResult) error {
	s, value, err := l.prepare(NewSecret{Name: e.Name, Scope: scope, Value: e.Value})
	if err != nil {
		out.Failed = append(out.Failed, ImportFailure{e.Name, err})
		return nil
	}
	id, alias, taken, err := t.named(scope, s.Name)
	switch {
	case err != nil:
		return err
	case !taken:
		unfit, err := l.createSecret(t, s, value)
		switch {
		case err != nil:
			return err
		case unfit != nil:
			out.Failed = append(out.Failed, ImportFailure{s.Name, unfit})
		default:
			out.Created = append(out.Created, *s)
		}
		return nil
	case alias:
		out.Failed = append(out.Failed, ImportFailure{
			s.Name,
			fault.New(fault.AlreadyExists, "%s is an alias of another secret in scope %s", s.Name, scope),
		})
		return nil
	case !rotateExisting:
		out.Skipped = append(out.Skipped, s.Name)
		return nil
	}
	old, err := t.indexed(id)
	if err != nil {
		return err
	}
	if err := l.checkUses(t, old, value); err != nil {
		out.Failed = append(out.Failed, ImportFailure{s.Name, err})
		return nil
	}
	before := clone(old)
	if err := t.rotate(old, value); err != nil {
		return err
	}
	if err := t.putSecret(before, old); err != nil {
		return err
	}
	out.Rotated = append(out.Rotated, *old)
	return t.record(secretEvent(KindSecretRotate, old))
}
