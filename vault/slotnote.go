package vault

import (
	"slices"
	"time"

	"aivault/vault/internal/codec"
	"aivault/vault/internal/store"
)

// A slotNote is what is known of a slot beside the slot itself.
type slotNote struct {
	created  time.Time // zero if it is not known
	retiring bool      // see Slot
}

func encodeSlotNote(n slotNote) []byte {
	var w codec.Writer
	writeTime(&w, n.created)
	if n.retiring { // since format 4; others are as they were
		w.Bool(true)
	}
	return w.Bytes()
}

func decodeSlotNote(b []byte) (slotNote, error) {
	r := codec.NewReader(b)
	n := slotNote{created: readTime(r)}
	if r.More() {
		if n.retiring = r.Bool(); !n.retiring {
			r.Fail()
		}
	}
	return n, r.Close()
}

// slotNote returns what is known of a slot, which may be nothing.
func (t *txn) slotNote(id ID) (slotNote, error) {
	b, _, err := t.load(kindSlot, id)
	if b == nil || err != nil {
		return slotNote{}, err
	}
	n, err := decodeSlotNote(b)
	if err != nil {
		err = errCorrupt("a record of the vault")
	}
	return n, err
}

// retire notes that a slot is to go when a rotation is finished.
func (t *txn) retire(id ID) error {
	n, err := t.slotNote(id)
	if err != nil {
		return err
	}
	n.retiring = true
	_, rev, err := t.load(kindSlot, id)
	if err != nil {
		return err
	}
	return t.save(kindSlot, id, rev+1, encodeSlotNote(n))
}

// examineSlot opens what is known of a slot, which must be there.
func (t *txn) examineSlot(id ID) error {
	if t.tx.Get(store.Slots, id[:]) == nil {
		return errCorrupt("what is known of a key slot that is not there")
	}
	_, err := t.slotNote(id)
	return err
}

// listSlots describes the slots of a vault in a directory. One is retiring as long
// as another one of its place is there to stay.
func (t *txn) listSlots(root string) ([]Slot, error) {
	slots, err := t.slots()
	if err != nil {
		return nil, err
	}
	out := make([]Slot, len(slots))
	for i, s := range slots {
		n, err := t.slotNote(s.ID)
		if err != nil {
			return nil, err
		}
		out[i] = Slot{ID: s.ID, Key: s.Config.In(root), CreatedAt: n.created, Retiring: n.retiring}
	}
	for i := range out {
		out[i].Retiring = out[i].Retiring && slices.ContainsFunc(out, func(s Slot) bool {
			return !s.Retiring && samePlace(s.Key, out[i].Key)
		})
	}
	return out, nil
}

// noteRetiring tells which slots are retiring.
func (t *txn) noteRetiring(ids map[ID]bool) error {
	if t == nil { // it went away just now
		return nil
	}
	slots, err := t.listSlots("")
	for _, s := range slots {
		ids[s.ID] = s.Retiring
	}
	return err
}
