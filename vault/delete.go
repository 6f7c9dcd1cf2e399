package vault

import (
	"context"
	"slices"

	"aivault/vault/internal/store"
)

// A SecretAt is a secret to delete, if it still has the revision.
type SecretAt struct {
	ID       ID
	Revision IfRevision
}

// DeleteSecret implements Vault.
func (l *Local) DeleteSecret(ctx context.Context, id ID, rev IfRevision) (Removed, error) {
	out, err := l.DeleteSecrets(ctx, []SecretAt{{id, rev}})
	if err != nil {
		return Removed{}, err
	}
	return out[0], nil
}

// DeleteSecrets implements Vault.
func (l *Local) DeleteSecrets(ctx context.Context, which []SecretAt) ([]Removed, error) {
	if len(which) == 0 {
		return nil, nil
	}
	var out []Removed
	err := l.update(ctx, func(t *txn) error {
		gone := map[ID]bool{}
		for _, w := range which {
			if gone[w.ID] {
				continue
			}
			gone[w.ID] = true
			r, err := t.deleteSecret(w)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// deleteSecret deletes a secret with all that depends on it.
func (t *txn) deleteSecret(w SecretAt) (Removed, error) {
	s, err := t.needSecret(w.ID, w.Revision)
	if err != nil {
		return Removed{}, err
	}
	out := Removed{Secret: *s, At: t.time()}
	if err := t.removeDependants(&out); err != nil {
		return Removed{}, err
	}
	if err := t.reindex(t.secretEntries(s), nil); err != nil {
		return Removed{}, err
	}
	for _, rec := range []struct {
		table store.Table
		key   []byte
	}{
		{store.Records, recordKey(kindSecret, s.ID)},
		{store.Records, recordKey(kindUsage, s.ID)},
		{store.Records, recordKey(kindRenewal, s.ID)},
		{store.Values, s.ID[:]},
	} {
		if err := t.remove(rec.table, rec.key); err != nil {
			return Removed{}, err
		}
	}
	return out, t.record(secretEvent(KindSecretDelete, s))
}

// removeDependants deletes the credentials and bindings of a secret.
func (t *txn) removeDependants(out *Removed) error {
	id := out.Secret.ID
	creds, err := t.credentialsOfSecret(id)
	if err != nil {
		return err
	}
	for _, c := range creds {
		rec, c, err := t.findCredential(c.ID)
		if err == nil && c == nil {
			err = errCorrupt("an index of the vault")
		}
		if err == nil {
			err = t.deleteCredential(rec, c)
		}
		if err != nil {
			return err
		}
		out.Credentials = append(out.Credentials, c.ID)
	}
	slices.Sort(out.Credentials)
	out.Bindings, err = t.deleteBindings(func(b *Binding) bool { return b.Secret == id }, ixBindSecret, id.String())
	return err
}
