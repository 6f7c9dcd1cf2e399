package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// remedy is what to do about records that do not verify.
const remedy = restoreHint + "; what a command can still read is unharmed"

// restoreHint is what to do about a file that is not what was written.
const restoreHint = "restore a backup: `aivault restore FILE`; or save what verifies: `aivault doctor --salvage DIR`"

// Doctor implements Vault.
func (l *Local) Doctor(ctx context.Context) (Report, error) { return l.examineAll(ctx, maxReplaced) }

// examineAll is Doctor, which begins anew so many times where another vault, or
// another root key, is found in the place of the one that was just opened.
func (l *Local) examineAll(ctx context.Context, again int) (Report, error) {
	var r Report
	if exists, err := l.Exists(); err != nil {
		return r, err
	} else if !exists {
		if err := l.checkAbsent(); err != nil {
			r.fail("vault", err)
		} else {
			r.pass("vault", "there is none yet in %s", l.opts.Root)
		}
		return r, nil
	}
	h, err := l.readHead(ctx)
	switch {
	case errors.Is(err, errDamagedSlot):
		r.fail("slots", err)
		return r, nil
	case err != nil:
		r.fail("file", err)
		return r, nil
	}
	l.examineFiles(ctx, &r, h)
	if err := l.db.CheckPages(ctx); err != nil {
		r.fail("pages", l.explain(err, "reading"))
	}
	ring, err := l.openAny(ctx, true) // also where the slots are not what they were
	l.examineKeyring(ctx, &r, h, ring != nil)
	if ring == nil {
		r.fail("key", l.explain(err, "reading"))
		return r, nil
	}
	defer ring.Release()
	r.pass("key", "it opens the vault")
	at, err := l.examineContent(ctx, &r, h, ring)
	switch {
	case errors.Is(err, errReplaced) && again > 0: // its root key was changed just now
		l.forget(ring)
		return l.examineAll(ctx, again-1)
	case err != nil:
		r.fail("manifest", l.explain(err, "reading"))
	case r.Err() == nil && at != nil:
		l.rememberHealthy(ctx, at)
	}
	return r, nil
}

// examineContent verifies everything inside the file, and that it is no older
// than it was. It returns the state that it found.
func (l *Local) examineContent(ctx context.Context, r *Report, h *head, ring *seal.Ring) (at *seal.Anchor, err error) {
	inKeyring := l.readKeyringAnchor(ctx, h)
	err = l.db.View(ctx, func(tx store.Tx) error {
		t, err := l.beginAny(ctx, tx, ring)
		if err != nil {
			return err
		}
		defer t.close()
		t.examine(r)
		at = l.examineAnchor(r, t, inKeyring)
		return nil
	})
	return at, err
}

func (r *Report) pass(name, format string, args ...any) {
	r.Checks = append(r.Checks, Check{Name: name, OK: true, Detail: fmt.Sprintf(format, args...)})
}

func (r *Report) fail(name string, err error) {
	hint := fault.HintOf(err)
	if hint == "" {
		hint = remedy
	}
	code := fault.CodeOf(err)
	if errors.Is(err, store.ErrDamaged) {
		code = fault.VaultCorrupt
	}
	r.Checks = append(r.Checks, Check{Name: name, Detail: err.Error(), Code: code, Remedy: hint})
}

// broken adds a failed check for records that do not verify.
func (r *Report) broken(name, format string, args ...any) {
	r.Checks = append(r.Checks, Check{Name: name, Detail: fmt.Sprintf(format, args...), Code: fault.VaultCorrupt, Remedy: remedy})
}

// examine verifies everything inside the file.
func (t *txn) examine(r *Report) {
	if slots, err := t.slots(); err != nil {
		r.fail("slots", err)
	} else {
		r.pass("slots", "%s", describeSlots(slots))
	}
	t.examineRecords(r)
	if n, err := t.verifyAudit(); err != nil {
		r.fail("audit chain", err)
	} else {
		r.pass("audit chain", "%d events, unbroken", n)
	}
}

// describeSlots is what there is to say of slots that verify.
func describeSlots(slots []*seal.Slot) string {
	kinds := make([]string, len(slots))
	for i, s := range slots {
		kinds[i] = string(s.Config.Kind)
	}
	return fmt.Sprintf("%d, authentic: %s", len(slots), strings.Join(kinds, ", "))
}

// A census is what reading every record gives.
type census struct {
	n      int
	bad    []string // what does not open
	set    seal.SetHash
	index  []entry
	values map[ID]bool // of secrets that were read
}

// note takes down that a table cannot be read to its end.
func (c *census) note(err error) {
	if err != nil {
		c.bad = append(c.bad, err.Error())
	}
}

func (t *txn) examineRecords(r *Report) {
	c := census{values: map[ID]bool{}}
	err := t.tx.Range(store.Slots, store.Span{}, func(k, v []byte) error {
		c.set.Add(t.ring, uint8(store.Slots), k, v)
		return nil
	})
	c.note(err)
	err = t.tx.Range(store.Records, store.Span{}, func(k, v []byte) error {
		c.set.Add(t.ring, uint8(store.Records), k, v)
		c.n++
		if err := t.count(&c, k); err != nil {
			c.bad = append(c.bad, fmt.Sprintf("record %x: %v", k, err))
		}
		return nil
	})
	c.note(err)
	err = t.tx.Range(store.Values, store.Span{}, func(k, v []byte) error {
		c.set.Add(t.ring, uint8(store.Values), k, v)
		if len(k) != len(ID{}) || !c.values[ID(k)] {
			c.bad = append(c.bad, fmt.Sprintf("value %x belongs to no secret", k))
		} else {
			delete(c.values, ID(k))
		}
		return nil
	})
	c.note(err)
	for id := range c.values {
		c.bad = append(c.bad, "the value of secret "+id.String()+" is missing")
	}
	slices.Sort(c.bad)
	if len(c.bad) > 0 {
		r.broken("records", "%d of %d do not verify; the first: %s", len(c.bad), c.n, c.bad[0])
	} else {
		r.pass("records", "%d, all open", c.n)
	}
	if c.set != t.man.set {
		r.broken("set hash", "records were removed, added or put back to an earlier state outside aivault")
	} else {
		r.pass("set hash", "no record was removed, exchanged or put back")
	}
	t.examineIndex(r, &c)
}

// count opens a record, and notes what the index must hold for it.
func (t *txn) count(c *census, key []byte) error {
	if len(key) != 1+len(ID{}) {
		return errCorrupt("its key")
	}
	id := ID(key[1:])
	var (
		entries []entry
		err     error
	)
	switch kind(key[0]) {
	case kindSecret:
		s, err := t.indexed(id) // not where it is looked for, in a damaged tree
		if err != nil {
			return err
		}
		c.values[id] = true
		value, err := t.value(s)
		if err != nil {
			return err
		}
		clear(value)
		entries = t.secretEntries(s)
	case kindUsage:
		if s, err := t.secret(id); err != nil || s == nil {
			return errors.Join(err, errCorrupt("the use of a secret that is not there"))
		}
	case kindRate, kindDenials:
		return t.examineCount(kind(key[0]), id)
	case kindCredential:
		entries, err = entriesOf(id, t.credential, t.credentialEntries)
	case kindCapability:
		entries, err = entriesOf(id, t.capability, t.capabilityEntries)
	case kindBinding:
		entries, err = entriesOf(id, t.binding, t.bindingEntries)
	case kindDisabled:
		entries, err = entriesOf(id, t.disabled, t.disabledEntries)
	case kindPolicy:
		entries, err = entriesOf(id, t.policy, t.policyEntries)
	case kindGrant:
		entries, err = entriesOf(id, t.grant, t.grantEntries)
	case kindProvider:
		entries, err = entriesOf(id, t.provider, t.providerEntries)
	case kindRenewal:
		err = t.examineRenewal(id)
	case kindSlot:
		err = t.examineSlot(id)
	default:
		return errCorrupt("its kind")
	}
	c.index = append(c.index, entries...)
	return err
}

// entriesOf reads a record, and returns what the index must hold for it.
func entriesOf[T any](id ID, load func(ID) (T, error), entries func(ID, T) []entry) ([]entry, error) {
	v, err := load(id)
	if err != nil {
		return nil, err
	}
	return entries(id, v), nil
}

// examineCount opens a count of calls.
func (t *txn) examineCount(k kind, id ID) error {
	if k == kindDenials {
		_, err := t.loadDenials()
		if id != denialsID() {
			err = errCorrupt("its key")
		}
		return err
	}
	b, _, err := t.load(k, id)
	if err == nil {
		_, err = decodeWindow(b)
	}
	return err
}

// examineIndex compares the index with what the records say it must be.
func (t *txn) examineIndex(r *Report, c *census) {
	slices.SortFunc(c.index, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	i, bad := 0, 0
	err := t.tx.Range(store.Index, store.Span{}, func(k, v []byte) error {
		for i < len(c.index) && bytes.Compare(c.index[i].key, k) < 0 {
			i++
			bad++ // missing from the index
		}
		if i == len(c.index) || !bytes.Equal(c.index[i].key, k) || !bytes.Equal(c.index[i].value, v) {
			bad++
			if i < len(c.index) && bytes.Equal(c.index[i].key, k) {
				i++
			}
			return nil
		}
		i++
		return nil
	})
	bad += len(c.index) - i
	if err != nil {
		bad++
	}
	if bad > 0 {
		r.broken("indexes", "%d of %d entries do not agree with the records", bad, len(c.index))
		return
	}
	r.pass("indexes", "%d entries agree with the records", len(c.index))
}
