package vault

import (
	"slices"

	"aivault/vault/internal/codec"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// bound encodes what a value is bound to beside its id and version.
func bound(s *Secret) []byte {
	var w codec.Writer
	writeScope(&w, s.Scope)
	w.Bool(s.PinnedProvider != "")
	w.Text(s.PinnedProvider)
	codec.List(&w, s.Hosts, func(h Host) { writeHost(&w, h) })
	return w.Bytes()
}

// putValue seals the value of a secret under a fresh data key.
func (t *txn) putValue(s *Secret, value []byte) error {
	return t.put(store.Values, s.ID[:], t.ring.SealValue(s.ID, s.Version, bound(s), value))
}

// sealedValue returns a copy of a secret's sealed value.
func (t *txn) sealedValue(s *Secret) ([]byte, error) {
	rec := t.tx.Get(store.Values, s.ID[:])
	if rec == nil {
		return nil, errCorrupt("the value of secret " + s.Name)
	}
	return slices.Clone(rec), nil
}

// value decrypts the value of a secret. The caller clears it.
func (t *txn) value(s *Secret) ([]byte, error) {
	rec, err := t.sealedValue(s)
	if err != nil {
		return nil, err
	}
	return openValue(t.ring, s, rec)
}

func openValue(ring *seal.Ring, s *Secret, rec []byte) ([]byte, error) {
	b, err := ring.OpenValue(s.ID, s.Version, bound(s), rec)
	if err != nil {
		return nil, errCorrupt("the value of secret " + s.Name)
	}
	return b, nil
}

// rebind changes what the value of a secret is bound to, and re-seals it.
func (t *txn) rebind(s *Secret, change func()) error {
	value, err := t.value(s)
	if err != nil {
		return err
	}
	defer clear(value)
	change()
	return t.putValue(s, value)
}
