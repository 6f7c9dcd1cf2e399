package vault

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// Salvaged says what Salvage made.
type Salvaged struct {
	Dir        string
	Kept       map[string]int // records, by what they are: secret, credential, ...
	Events     uint64         // of the audit log that were kept: from the first to the last that verifies
	LostEvents uint64         // after these, as far as is known
	Lost       []Lost
}

// A Lost thing is one that does not verify, or is nothing without what does not.
type Lost struct {
	Kind   string // secret, credential, capability, binding, disabled credential, policy, grant, provider, slot, table
	ID     string // of its record
	Name   string // empty where it cannot be read
	Reason string
}

// Salvage implements Vault. What verifies by itself is kept: that a record is
// not the current one, or that one is missing, cannot be told of a single one.
// What is counted of the last minute's calls is not kept.
func (l *Local) Salvage(ctx context.Context, dir string) (Salvaged, error) {
	dir, err := l.salvageDir(dir)
	if err != nil {
		return Salvaged{}, err
	}
	h, err := l.damagedHead(ctx)
	if err != nil {
		return Salvaged{}, err
	}
	ring, err := l.unlockDamaged(ctx, h)
	if err != nil {
		return Salvaged{}, err
	}
	defer ring.Clear()
	target := store.NewBolt(dir, lockWait)
	s := salvager{l: l, dir: dir, out: Salvaged{Dir: dir, Kept: map[string]int{}}, kept: map[ID]*Secret{}, taken: map[string]bool{}}
	err = l.db.View(ctx, func(tx store.Tx) error {
		s.src = l.beginDamaged(ctx, tx, ring, &s)
		defer s.src.close()
		err := target.Create(ctx, func(tx store.Tx) error {
			s.dst = &txn{
				tx: tx, ring: ring, now: l.opts.Now(), by: l.callerOf(ctx), format: formatVersion, clock: l.opts.Clock,
				man: manifest{gen: ring.Generation(), epoch: s.src.man.epoch},
			}
			defer s.dst.close()
			return s.all()
		})
		if failed, ok := errors.AsType[*store.CommitError](err); ok {
			return fault.Wrap(fault.OutcomeUnknown, failed.Err, "the disk reported an error after the new vault was made in %q", dir).
				WithHint("check the disk, then look at it: AIVAULT_DIR=%s aivault doctor", dir)
		}
		return l.explainCopy(err, dir)
	})
	if fault.CodeOf(err) == fault.OutcomeUnknown {
		return Salvaged{}, err
	}
	if err == nil {
		_, err = l.verify(ctx, target, ring)
	}
	if err != nil {
		for _, path := range append(s.keys, target.Path()) {
			_ = os.Remove(path) // what nobody verified, and copies of keys for it
		}
		return Salvaged{}, l.explain(err, "reading")
	}
	return s.out, nil
}

// salvageDir returns the directory for a new vault, which must hold nothing.
func (l *Local) salvageDir(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil || dir == "" {
		return "", fault.New(fault.InvalidRequest, "the new vault needs the name of a directory")
	}
	if root, err := os.Stat(l.opts.Root); err == nil {
		for _, p := range []string{path, filepath.Dir(path)} {
			if fi, err := os.Stat(p); err == nil && os.SameFile(fi, root) {
				return "", fault.New(fault.InvalidRequest, "%q is in the directory of the damaged vault, which is not touched", path).
					WithHint("name a new directory somewhere else")
			}
		}
	}
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "looking at %q", path)
	case len(entries) > 0:
		return "", fault.New(fault.AlreadyExists, "%q holds something already", path).WithHint("name a directory that is new or empty")
	}
	return path, nil
}

// damagedHead reads what is needed to open a damaged vault: the slots that can
// be read.
func (l *Local) damagedHead(ctx context.Context) (*head, error) {
	var h head
	err := l.db.View(ctx, func(tx store.Tx) (err error) {
		if _, h.vault, err = checkFormat(tx); err != nil {
			return err
		}
		_, err = walk(tx, store.Slots, func(_, v []byte) error {
			if slot, err := seal.DecodeSlot(v); err == nil {
				h.slots = append(h.slots, slot)
			}
			return nil
		})
		return err
	})
	if errors.Is(err, store.ErrAbsent) {
		return nil, l.errNoVault()
	}
	if err == nil && len(h.slots) == 0 {
		err = errDamagedSlot
	}
	return &h, l.explain(err, "reading")
}

// unlockDamaged opens a vault by whichever slot does, though others were changed.
func (l *Local) unlockDamaged(ctx context.Context, h *head) (*seal.Ring, error) {
	ring, _, err := l.unlock(ctx, h, true)
	if fault.CodeOf(err) != fault.VaultCorrupt {
		return ring, err
	}
	for _, s := range h.slots {
		if ring, _, err := l.unlock(ctx, &head{vault: h.vault, slots: []*seal.Slot{s}}, true); err == nil {
			return ring, nil
		}
	}
	return nil, err
}

// beginDamaged begins a transaction of a vault whose manifest may not verify.
// The epoch is the highest that is known.
func (l *Local) beginDamaged(ctx context.Context, tx store.Tx, ring *seal.Ring, s *salvager) *txn {
	t, err := l.beginAny(ctx, tx, ring)
	if err != nil {
		t = &txn{tx: tx, ring: ring, man: manifest{gen: ring.Generation()}, now: l.opts.Now(), format: formatVersion, clock: l.opts.Clock}
	}
	s.events = t.man.seq
	if beside, _ := l.readAnchor(ring); beside != nil {
		t.man.epoch, s.events = max(t.man.epoch, beside.Epoch), max(s.events, beside.Seq)
	}
	return t
}

// walk calls f for each row of a table that may be damaged: from its beginning
// to the damage, and from its end to the damage. The error is that of f.
func walk(tx store.Tx, table store.Table, f func(k, v []byte) error) (damaged bool, err error) {
	var last []byte
	from := func(span store.Span) error {
		return store.Guard(func() error {
			return tx.Range(table, span, func(k, v []byte) error {
				if span.Reverse && string(k) <= string(last) {
					return store.ErrStop
				}
				if !span.Reverse {
					last = append(last[:0], k...)
				}
				return f(k, v)
			})
		})
	}
	err = from(store.Span{})
	if !errors.Is(err, store.ErrDamaged) {
		return false, err
	}
	if err = from(store.Span{Reverse: true}); errors.Is(err, store.ErrDamaged) {
		err = nil
	}
	return true, err
}

// copyKey makes the slot of the new vault find its key, which nothing else of it
// does: a key file in the directory of the damaged vault is copied, and another
// one is named by its whole path.
func (s *salvager) copyKey(slot *seal.Slot) error {
	c := slot.Config
	if c.Kind != keys.KindFile || filepath.IsAbs(c.Path) {
		return nil
	}
	from := c.In(s.l.opts.Root).Path
	if !filepath.IsLocal(c.Path) {
		c.Path = from
		slot.Configure(s.dst.ring, c)
		return nil
	}
	if !exists(from) {
		return nil // another slot opened the vault
	}
	to := filepath.Join(s.dir, c.Path)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := copyFile(from, to); err != nil {
		return err
	}
	s.keys = append(s.keys, to)
	return nil
}

// lose notes what is not kept.
func (s *salvager) lose(kind string, id ID, name string, err error) {
	s.out.Lost = append(s.out.Lost, Lost{Kind: kind, ID: id.String(), Name: name, Reason: err.Error()})
}
