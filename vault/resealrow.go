package vault

import (
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A sealedRow is a record that is sealed anew, with the value of a secret.
type sealedRow struct {
	key   []byte // as it was read
	kind  kind
	id    ID     // it may be another one afterwards
	rec   []byte // as it was read, and then as it is to be written
	value []byte // the same
	made  []byte // a plaintext that was made already; nil: that of the record
	gone  bool   // it is not to be written
	index []entry
	err   error // it does not open
}

// read takes a record from the transaction, whose memory it stands in.
func (s *resealing) read(key, rec []byte) (*sealedRow, error) {
	r := &sealedRow{key: key, rec: rec}
	if len(key) != 1+len(ID{}) {
		r.err = errCorrupt("its key")
		return r, nil
	}
	r.kind, r.id = kind(key[0]), ID(key[1:])
	switch r.kind {
	case kindSecret:
		r.value = s.src.tx.Get(store.Values, r.id[:])
	case kindDenials:
		r.made, r.err = s.denials()
	}
	return r, nil
}

// denials encodes the open denials as they are to be: those that are alike are
// known by a keyed hash, of what the event of the first of them says.
func (s *resealing) denials() ([]byte, error) {
	d, err := s.src.loadDenials()
	if err != nil {
		return nil, err
	}
	for i := range d.open {
		first, err := s.src.event(d.open[i].seq)
		if err != nil {
			return nil, err
		}
		d.open[i].kind = s.to.denialKind(first)
	}
	return d.encode(), nil
}

// seal seals the rows of a batch. Of the transactions it uses the keys alone.
func (s *resealing) seal(b *sealedBatch) {
	defer close(b.done)
	for _, r := range b.rows {
		if r.err == nil {
			r.err = store.Guard(func() error { return s.row(b, r) })
		}
	}
}

// row seals one record.
func (s *resealing) row(b *sealedBatch, r *sealedRow) error {
	b.old.Add(s.src.ring, uint8(store.Records), r.key, r.rec)
	plain, rev, err := s.src.ring.OpenMeta(uint8(r.kind), r.id, r.rec)
	if err != nil {
		return errCorrupt("a record of the vault")
	}
	defer clear(plain)
	switch r.kind {
	case kindSecret:
		err = s.secret(b, r, rev, plain)
	case kindRate:
		id, known := s.rates[r.id]
		r.id, r.gone = id, !known
		_, err = decodeWindow(plain)
	case kindSlot:
		r.gone = r.id == s.drop
		_, err = decodeSlotNote(plain)
	case kindDenials:
		plain = r.made
	default:
		r.index, err = s.to.entriesFor(r.kind, r.id, rev, plain)
	}
	if err != nil || r.gone {
		return err
	}
	r.rec = s.to.ring.SealMeta(uint8(r.kind), r.id, rev, plain)
	b.fresh.Add(s.to.ring, uint8(store.Records), recordKey(r.kind, r.id), r.rec)
	return nil
}

// secret seals the value of a secret under a new data key.
func (s *resealing) secret(b *sealedBatch, r *sealedRow, rev uint64, plain []byte) error {
	secret, err := decodeSecret(r.id, rev, plain)
	if err != nil {
		return errCorrupt("a record of the vault")
	}
	if r.value == nil {
		return errCorrupt("the value of secret " + secret.Name)
	}
	b.old.Add(s.src.ring, uint8(store.Values), r.id[:], r.value)
	value, err := openValue(s.src.ring, secret, r.value)
	if err != nil {
		return err
	}
	defer clear(value)
	r.value = s.to.ring.SealValue(r.id, secret.Version, bound(secret), value)
	b.fresh.Add(s.to.ring, uint8(store.Values), r.id[:], r.value)
	r.index = s.to.secretEntries(secret)
	return nil
}

// entriesFor returns what the indexes hold for a record of another kind than
// those that are about calls, slots and secrets themselves. A kind that is not
// known is no record of ours.
func (t *txn) entriesFor(k kind, id ID, rev uint64, plain []byte) ([]entry, error) {
	switch k {
	case kindUsage:
		_, err := decodeUsage(plain)
		return nil, err
	case kindRenewal:
		_, err := decodeRenewal(plain)
		return nil, err
	case kindCredential:
		return entriesIn(id, rev, plain, decodeCredential, t.credentialEntries)
	case kindCapability:
		return entriesIn(id, rev, plain, decodeCapability, t.capabilityEntries)
	case kindBinding:
		return entriesIn(id, rev, plain, decodeBinding, t.bindingEntries)
	case kindPolicy:
		return entriesIn(id, rev, plain, decodePolicy, t.policyEntries)
	case kindGrant:
		return entriesIn(id, rev, plain, func(_ uint64, b []byte) (*Grant, error) { return decodeGrant(b) }, t.grantEntries)
	case kindProvider:
		return entriesIn(id, rev, plain, func(_ uint64, b []byte) (*Provider, error) { return decodeProvider(b) }, t.providerEntries)
	case kindDisabled:
		return entriesIn(id, rev, plain, func(_ uint64, b []byte) (string, error) { return decodeDisabled(b) }, t.disabledEntries)
	}
	return nil, errCorrupt("its kind")
}

// entriesIn decodes a record, and returns what the indexes hold for it.
func entriesIn[T any](id ID, rev uint64, plain []byte, decode func(uint64, []byte) (T, error), entries func(ID, T) []entry) ([]entry, error) {
	v, err := decode(rev, plain)
	if err != nil {
		return nil, errCorrupt("a record of the vault")
	}
	return entries(id, v), nil
}

// anew begins the state of a vault with another root key, which has no records.
func (t *txn) anew(to *seal.Ring) *txn {
	return &txn{
		ring: to, now: t.now, by: t.by, format: formatVersion, clock: t.clock,
		man: manifest{gen: to.Generation(), epoch: t.man.epoch, seq: t.man.seq, link: t.man.link},
	}
}
