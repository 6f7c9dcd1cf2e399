package vault

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A Comparison is a backup beside the vault whose place it is to take.
type Comparison struct {
	Backup Backup
	Exists bool  // there is a vault now
	Damage error // why it cannot be read; nil: it can
	// Events is how many the vault has now; of one that cannot be read, how many
	// are remembered. Last is the time of the last one.
	Events uint64
	Last   time.Time

	Lost        uint64 // events that the backup does not hold
	LostChanges uint64 // those of them that changed something, calls aside
	// Newest and NewestChange are the last of them; nil: there is none, or it
	// cannot be read.
	Newest, NewestChange *Event

	epoch uint64 // the highest that is known of the vault
	gen   uint32 // that of its root key, too
}

// Back reports whether the backup may not hold all that the vault holds.
func (c *Comparison) Back() bool { return c.Lost > 0 || c.Damage != nil }

// compare verifies the backup at a path, and compares it with the vault. The
// caller has the keys of the backup, those of the vault if they are others, the way
// to the vault, and what the keyring remembers of it.
func (l *Local) compare(ctx context.Context, ring *seal.Ring, here held, path string, now *store.Bolt, keyring []byte) (Comparison, error) {
	db := store.NewCopy(path, lockWait)
	found, err := l.verify(ctx, db, ring)
	if err != nil {
		return Comparison{}, explainBackup(l.explain(err, "reading"), path)
	}
	c := Comparison{
		Backup: Backup{File: path, VaultID: uuidText(ring.Vault()), Bytes: size(path), Events: found.at.Seq, Last: found.at.Time},
		epoch:  found.at.Epoch, gen: found.at.Gen,
	}
	if c.Exists, err = l.Exists(); err != nil {
		return c, err
	}
	known := []*seal.Anchor{l.memory.latest(ring.Vault())}
	for _, r := range []*seal.Ring{ring, here.ring} {
		if r == nil {
			continue
		}
		if beside, err := l.readAnchor(r); err == nil {
			known = append(known, beside)
		}
		if kept, err := openNote(r, keyring); err == nil {
			known = append(known, kept)
		}
	}
	for _, a := range known {
		if a == nil {
			continue
		}
		c.epoch, c.gen = max(c.epoch, a.Epoch), max(c.gen, a.Gen)
		if a.Seq > c.Events {
			c.Events, c.Last = a.Seq, a.Time
		}
	}
	if c.Exists {
		err = l.comparePresent(ctx, ring, here, db, now, &c)
	} else {
		c.Events, c.Last = 0, time.Time{} // it was taken away on purpose, or is what is to be restored
	}
	return c, err
}

// comparePresent compares the backup with the file that it is to replace. One
// that is of another vault is not replaced.
func (l *Local) comparePresent(ctx context.Context, ring *seal.Ring, here held, backup, now *store.Bolt, c *Comparison) error {
	remembered := *c
	err := backup.View(ctx, func(btx store.Tx) error {
		return now.View(ctx, func(tx store.Tx) error {
			_, vault, err := checkFormat(tx)
			if err == nil && vault != ring.Vault() {
				return errOtherVault(c.Backup.File, vault)
			}
			if err != nil {
				return err
			}
			t, err := l.beginAny(ctx, tx, ring)
			if errors.Is(err, errReplaced) && here.ring != nil {
				t, err = l.beginAny(ctx, tx, here.ring)
			}
			if errors.Is(err, errReplaced) {
				err = errOtherRoot
			}
			if err != nil {
				return err
			}
			defer t.close()
			c.gen = max(c.gen, t.man.gen)
			return t.losses(btx, c)
		})
	})
	if fault.CodeOf(err) == fault.Conflict || ctx.Err() != nil {
		return err
	}
	if err != nil {
		*c = remembered
		c.Damage = l.explain(err, "reading")
		if c.Events > c.Backup.Events {
			c.Lost = c.Events - c.Backup.Events
		}
	}
	return nil
}

// errOtherRoot is why a vault cannot be compared with a backup whose keys are the
// only ones at hand.
var errOtherRoot = fault.New(fault.KeyUnavailable, "it has another root key than the backup, and none of its keys is at hand").
	WithHint("see that one of them is")

func errOtherVault(file string, here [16]byte) error {
	return fault.New(fault.Conflict, "%q is a backup of another vault than the one here, %s", file, uuidText(here)).
		WithHint("to restore it elsewhere, set AIVAULT_DIR to a new directory; nothing was changed")
}

// losses counts what the vault has and the backup has not: the events after the
// last one that both have. Each event's link is bound to all before it, so that
// one search finds where two histories part.
func (t *txn) losses(backup store.Tx, c *Comparison) error {
	c.epoch = max(c.epoch, t.man.epoch)
	c.Events = t.man.seq
	last, err := t.event(t.man.seq)
	if err != nil {
		return err
	}
	c.Last = last.Time
	both, end := uint64(0), min(t.man.seq, c.Backup.Events)
	for low := end + 1; both+1 < low; {
		mid := both + (low-both)/2
		if sameLink(t.tx.Get(store.Audit, seqKey(mid)), backup.Get(store.Audit, seqKey(mid))) {
			both = mid
		} else {
			low = mid
		}
	}
	c.Lost = t.man.seq - both
	for seq := t.man.seq; seq > both; seq-- {
		e, err := t.event(seq)
		if err != nil {
			return err
		}
		if c.Newest == nil {
			c.Newest = e
		}
		if e.changes() {
			c.LostChanges++
			if c.NewestChange == nil {
				c.NewestChange = e
			}
		}
	}
	return nil
}

// sameLink reports whether two entries of the log end in the same link.
func sameLink(a, b []byte) bool {
	return len(a) >= seal.LinkSize && len(b) >= seal.LinkSize && bytes.Equal(a[len(a)-seal.LinkSize:], b[len(b)-seal.LinkSize:])
}

// changes reports whether an event is of something that changed what is stored,
// other than the log itself.
func (e *Event) changes() bool {
	return !strings.HasPrefix(e.Kind, "invoke.") && e.Kind != KindVaultBackup && e.Outcome == OutcomeOK
}
