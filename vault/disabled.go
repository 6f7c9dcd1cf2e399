package vault

import (
	"context"

	"github.com/google/uuid"
)

// DisableCredential implements Store.
func (l *Local) DisableCredential(ctx context.Context, id string) (bool, error) {
	if err := checkText("credential id", id); err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		if _, off, err := t.findDisabled(id); off || err != nil {
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
		if was, err := t.enable(id); !was || err != nil {
			return nil, err
		}
		return &Event{Kind: KindCredentialEnable, Outcome: OutcomeOK, Credential: id}, nil
	})
}

// enable takes back the disabling of a credential; false if it was not
// disabled.
func (t *txn) enable(id string) (bool, error) {
	rec, off, err := t.findDisabled(id)
	if !off || err != nil {
		return false, err
	}
	if err := t.reindex(t.disabledEntries(rec, id), nil); err != nil {
		return false, err
	}
	return true, t.drop(kindDisabled, rec)
}

// findDisabled returns the record of a disabled credential; false if there is
// none.
func (t *txn) findDisabled(id string) (rec ID, off bool, err error) {
	rec, off, err = t.find(ixDisabled, id)
	if !off || err != nil {
		return rec, false, err
	}
	found, err := t.disabled(rec)
	if err == nil && found != id {
		err = errCorrupt("an index of the vault")
	}
	return rec, err == nil, err
}

// disabled loads the id of a disabled credential that an index names.
func (t *txn) disabled(rec ID) (string, error) {
	b, _, err := t.load(kindDisabled, rec)
	if err != nil {
		return "", err
	}
	id, err := decodeDisabled(b)
	if err != nil {
		return "", errCorrupt("a record of the vault")
	}
	return id, nil
}
