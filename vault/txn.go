package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/codec"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// kind is the kind of a metadata record; see the package comment.
type kind uint8

const (
	kindSecret     kind = 1
	kindUsage      kind = 2
	kindCredential kind = 3
	kindCapability kind = 4
	kindBinding    kind = 5
	kindDisabled   kind = 6
	kindPolicy     kind = 7
	kindRenewal    kind = 8
	kindRate       kind = 9
	kindDenials    kind = 10
	kindSlot       kind = 11
	kindGrant      kind = 12
	kindProvider   kind = 13
)

// A manifest is the state of the whole.
type manifest struct {
	epoch uint64 // number of the transaction that wrote it
	gen   uint32 // generation of the root key
	set   seal.SetHash
	seq   uint64 // of the last audit event
	link  [seal.LinkSize]byte
	// slots is a hash over all slots, so that opening a vault, which reads them,
	// tells whether they are what they were. Without counted it is not known.
	slots   seal.SetHash
	counted bool
}

func (m *manifest) encode() []byte {
	var w codec.Writer
	w.Uint32(m.gen)
	m.set.Write(&w)
	w.Uint64(m.seq)
	w.Fixed(m.link[:])
	if m.counted { // since format 3
		m.slots.Write(&w)
	}
	return w.Bytes()
}

func decodeManifest(epoch uint64, b []byte) (m manifest, err error) {
	r := codec.NewReader(b)
	m = manifest{epoch: epoch, gen: r.Uint32(), set: seal.ReadSetHash(r), seq: r.Uint64()}
	copy(m.link[:], r.Fixed(seal.LinkSize))
	if m.counted = r.More(); m.counted {
		m.slots = seal.ReadSetHash(r)
	}
	return m, r.Close()
}

// A txn is a transaction of a vault that is open.
type txn struct {
	tx   store.Tx
	ring *seal.Ring
	man  manifest
	now  time.Time
	by   Caller // who acts; of several calls in one transaction, that of the one whose turn it is

	chains []*seal.Chain // those that were needed, see chainOf

	format uint32 // of the file
	clock  Clock
	moment stamp // see stamp

	// What a transaction of calls counts, and stores at its end: see calls.
	used    map[ID]bool
	windows map[ID]*window
	denials *denials
}

// errCorrupt is the error of a record that does not verify.
func errCorrupt(what string) error {
	return fault.New(fault.VaultCorrupt, "%s was changed or damaged outside aivault", what).
		WithHint("%s", "run `aivault doctor` to see what is affected; then "+restoreHint)
}

// begin starts a transaction: the file must be the ring's vault, no older than
// it was seen before, and its manifest must verify.
func (l *Local) begin(ctx context.Context, tx store.Tx, ring *seal.Ring) (*txn, error) {
	t, err := l.beginAny(ctx, tx, ring)
	if err != nil {
		return nil, err
	}
	if err := l.checkAnchor(t); err != nil {
		return nil, err
	}
	return t, nil
}

// beginAny is begin, however old the file is.
func (l *Local) beginAny(ctx context.Context, tx store.Tx, ring *seal.Ring) (*txn, error) {
	format, vault, err := checkFormat(tx)
	if err != nil {
		return nil, err
	}
	if vault != ring.Vault() {
		return nil, errReplaced
	}
	b, epoch, err := ring.OpenManifest(tx.Get(store.Meta, keyManifest))
	if err != nil {
		if rekeyed(tx, ring) {
			return nil, errReplaced
		}
		return nil, errCorrupt("the manifest of the vault")
	}
	man, err := decodeManifest(epoch, b)
	if err != nil || man.gen != ring.Generation() {
		return nil, errCorrupt("the manifest of the vault")
	}
	return &txn{tx: tx, ring: ring, man: man, now: l.opts.Now(), by: l.callerOf(ctx), format: format, clock: l.opts.Clock}, nil
}

// rekeyed reports whether a vault has another root key than that of the ring: none
// of its slots is one of the ring's. Whoever opens it anew then finds out whether
// that is so, or the slots were changed.
func rekeyed(tx store.Tx, ring *seal.Ring) bool {
	slots, err := readSlots(tx)
	return err == nil && !slices.ContainsFunc(slots, func(s *seal.Slot) bool { return s.Verify(ring) == nil })
}

// close wipes the keys of the audit log.
func (t *txn) close() {
	for _, c := range t.chains {
		c.Clear()
	}
}

// end writes the manifest, the last step of a transaction. From then on the
// file has the format of what was written.
func (t *txn) end() error {
	if t.format != formatVersion {
		if err := t.tx.Put(store.Meta, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion)); err != nil {
			return err
		}
	}
	if !t.man.counted {
		slots, err := readSlots(t.tx)
		if err != nil {
			return err
		}
		t.man.slots, t.man.counted = hashSlots(t.ring, slots), true
	}
	t.man.epoch++
	return t.tx.Put(store.Meta, keyManifest, t.ring.SealManifest(t.man.epoch, t.man.encode()))
}

// recordKey is the key of a metadata record.
func recordKey(k kind, id ID) []byte { return append([]byte{byte(k)}, id[:]...) }

// load opens a metadata record: nil if there is none.
func (t *txn) load(k kind, id ID) (plaintext []byte, rev uint64, err error) {
	rec := t.tx.Get(store.Records, recordKey(k, id))
	if rec == nil {
		return nil, 0, nil
	}
	plaintext, rev, err = t.ring.OpenMeta(uint8(k), id, rec)
	if err != nil {
		return nil, 0, errCorrupt("a record of the vault")
	}
	return plaintext, rev, nil
}

// save seals a metadata record of the given revision.
func (t *txn) save(k kind, id ID, rev uint64, plaintext []byte) error {
	return t.put(store.Records, recordKey(k, id), t.ring.SealMeta(uint8(k), id, rev, plaintext))
}

// put writes a record and keeps the set hash.
func (t *txn) put(table store.Table, key, value []byte) error {
	if old := t.tx.Get(table, key); old != nil {
		t.man.set.Remove(t.ring, uint8(table), key, old)
	}
	t.man.set.Add(t.ring, uint8(table), key, value)
	return t.tx.Put(table, key, value)
}

// remove deletes a record and keeps the set hash.
func (t *txn) remove(table store.Table, key []byte) error {
	old := t.tx.Get(table, key)
	if old == nil {
		return nil
	}
	t.man.set.Remove(t.ring, uint8(table), key, old)
	return t.tx.Delete(table, key)
}

// record appends an event to the audit log. It fills in what every event has.
func (t *txn) record(e *Event) error {
	t.by.name(e)
	return t.append(e)
}

// append appends an event of whoever it names to the audit log.
func (t *txn) append(e *Event) error {
	chain, err := t.chainOf(t.man.seq + 1)
	if err != nil {
		return err
	}
	t.man.seq++
	e.Seq, e.Time = t.man.seq, t.now
	e.clip()
	entry, link := chain.Append(e.Seq, t.man.link, encodeEvent(e))
	t.man.link = link
	return t.tx.Put(store.Audit, seqKey(e.Seq), entry)
}

// clip makes the texts of an event fit.
func (e *Event) clip() {
	for _, s := range e.texts() {
		*s = clip(*s)
	}
}

// maxEventText is the length of the longest text in an event, in bytes.
const maxEventText = 2 << 10

// clip makes a text fit for an event. Refused calls are recorded with what the
// caller stated, which may be anything.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxEventText {
		return s
	}
	const more = "..."
	return strings.ToValidUTF8(s[:maxEventText-len(more)], "") + more
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// reindex replaces the index entries of a thing: what was before, what is now.
func (t *txn) reindex(before, after []entry) error {
	for _, e := range before {
		if !containsKey(after, e.key) {
			if err := t.tx.Delete(store.Index, e.key); err != nil {
				return err
			}
		}
	}
	for _, e := range after {
		if err := t.tx.Put(store.Index, e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

func containsKey(entries []entry, key []byte) bool {
	for _, e := range entries {
		if bytes.Equal(e.key, key) {
			return true
		}
	}
	return false
}

// drop deletes a metadata record.
func (t *txn) drop(k kind, id ID) error { return t.remove(store.Records, recordKey(k, id)) }

// time is the time of the transaction, as precise as it is stored.
func (t *txn) time() time.Time { return t.now.UTC().Truncate(time.Millisecond) }
