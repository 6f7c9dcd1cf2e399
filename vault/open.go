package vault

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// open returns the ring of the vault, fetching the key if that was not done
// yet. The caller releases it. store.ErrAbsent: there is no vault.
func (l *Local) open(ctx context.Context) (*seal.Ring, error) {
	ring, err := l.openAny(ctx, true)
	if ring != nil && err != nil {
		ring.Release()
		return nil, err
	}
	return ring, err
}

// openAny is open for those who go on where the slots are not as the vault left
// them: it returns that error and the ring as well. With ask, somebody may be
// asked for what opens the vault.
func (l *Local) openAny(ctx context.Context, ask bool) (*seal.Ring, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != nil {
		l.ring.Hold()
		return l.ring, nil
	}
	h, ring, slot, err := l.unlockNow(ctx, ask)
	if err != nil {
		return nil, err
	}
	ring.Hold()
	if err := h.verify(ring); err != nil {
		ring.Clear() // as soon as it is released
		return ring, err
	}
	l.ring, l.opener = ring, slot
	return ring, nil
}

// unlockNow opens the vault as it is. Where its slots became others meanwhile, and
// a key was perhaps removed, it tries those.
func (l *Local) unlockNow(ctx context.Context, ask bool) (*head, *seal.Ring, *seal.Slot, error) {
	h, err := l.readHead(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for range maxReplaced {
		ring, slot, err := l.unlock(ctx, h, ask)
		if err == nil {
			return h, ring, slot, nil
		}
		next, nerr := l.readHead(ctx)
		if fault.CodeOf(err) == fault.Canceled || nerr != nil || next.sameSlots(h) {
			return nil, nil, nil, err
		}
		h = next
	}
	return nil, nil, nil, fault.New(fault.Conflict, "the keys of %s are being changed", l.db.Path()).WithHint("try again")
}

// sameSlots reports whether two heads have the same slots, with the same root key.
func (h *head) sameSlots(o *head) bool {
	return slices.EqualFunc(h.slots, o.slots, func(a, b *seal.Slot) bool { return bytes.Equal(a.MAC, b.MAC) })
}

// A head is what a vault says before it is opened.
type head struct {
	vault    [16]byte
	slots    []*seal.Slot // in the order in which they are tried
	manifest []byte
}

// readHead reads what is needed to open the vault.
func (l *Local) readHead(ctx context.Context) (*head, error) { return l.headOf(ctx, l.db) }

// headOf is readHead for whatever file.
func (l *Local) headOf(ctx context.Context, db *store.Bolt) (*head, error) {
	var h head
	err := db.View(ctx, func(tx store.Tx) error {
		var err error
		if _, h.vault, err = checkFormat(tx); err != nil {
			return err
		}
		h.manifest = slices.Clone(tx.Get(store.Meta, keyManifest))
		h.slots, err = readSlots(tx)
		return err
	})
	if err == nil && len(h.slots) == 0 {
		err = errDamagedSlot
	}
	if err != nil {
		return nil, l.explain(err, "reading")
	}
	return &h, nil
}

var errDamagedSlot = fault.New(fault.VaultCorrupt, "the vault's key slot was changed or damaged").
	WithHint("%s", restoreHint)

// An opening is what opened a vault: its keys, the slot, and that slot's key.
type opening struct {
	ring *seal.Ring
	slot *seal.Slot
	kek  keys.Key
}

// unlock opens the vault, and keeps the key of no slot: see unlockBy.
func (l *Local) unlock(ctx context.Context, h *head, ask bool) (*seal.Ring, *seal.Slot, error) {
	o, err := l.unlockBy(ctx, h, ask)
	if err != nil {
		return nil, nil, err
	}
	o.kek.Clear()
	return o.ring, o.slot, nil
}

// unlockBy opens the vault by the first slot that works: those that ask nobody
// come first, unless the answer of the others is at hand already; then only
// those are tried, so that a wrong answer shows. Somebody is asked once, for all
// slots. A slot that was changed, and a caller who went away, end it.
func (l *Local) unlockBy(ctx context.Context, h *head, ask bool) (*opening, error) {
	silent, asking, q := sortOut(h.slots)
	if given := l.opts.Keys.Given; q.Any() && given != nil && given() {
		silent, ask = nil, true
	}
	o, err := l.tryAll(ctx, l.opts.Keys, h.vault, silent)
	switch {
	case o != nil, final(err), !q.Any():
		return o, err
	case !ask && err == nil:
		return nil, fault.New(fault.VaultLocked, "a %s opens it", q.Typed)
	case !ask:
		return nil, fault.New(fault.CodeOf(err), "%v", err).WithHint("%s", wayIn(q))
	}
	q.Why = err
	once, done := l.opts.Keys.Once(q)
	defer done()
	o, asked := l.tryAll(ctx, once, h.vault, asking)
	if q.Passphrase && q.Recovery && fault.CodeOf(asked) == fault.WrongKey {
		asked = fault.New(fault.WrongKey, "%v", asked).WithHint("type the %s again; nothing was changed", q)
	}
	if o != nil || err == nil || final(asked) {
		return o, asked
	}
	return nil, errNoSlot(q, asked)
}

// errNoSlot is the error where neither a slot that asks nobody opens the vault,
// which q.Why tells, nor one that asks.
func errNoSlot(q keys.Question, asked error) error {
	if fault.CodeOf(asked) != fault.VaultLocked { // the answer was wrong, or could not be had
		return fault.New(fault.CodeOf(asked), "%v; %v", asked, q.Why).WithHint("%s", fault.HintOf(asked))
	}
	return fault.New(fault.CodeOf(q.Why), "%v; %v", q.Why, asked).WithHint("%s", wayIn(q))
}

// wayIn says how to get in where the keys are lost that ask nobody.
func wayIn(q keys.Question) string {
	return "the " + q.String() + " opens the vault too: give it on a terminal or with --passphrase-file, and make a new slot with `aivault key add`"
}

// final reports whether after an error no other slot is to be tried.
func final(err error) bool {
	return err != nil && (fault.CodeOf(err) == fault.Canceled || fault.CodeOf(err) == fault.VaultCorrupt)
}

// tryAll tries slots in their order. The error tells what each of them said; it
// is nil where there are none.
func (l *Local) tryAll(ctx context.Context, src keys.Source, vault [16]byte, slots []*seal.Slot) (*opening, error) {
	var errs []error
	for _, slot := range slots {
		o, err := l.try(ctx, src, vault, slot)
		if err == nil {
			return o, nil
		}
		if final(err) {
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, joined(errs)
}

// joined is one error that says what all say, once; its code and hint are those
// of the first, or of the first that found a wrong key.
func joined(errs []error) error {
	var texts []string
	for _, err := range errs {
		if text := err.Error(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	i := slices.IndexFunc(errs, func(err error) bool { return fault.CodeOf(err) == fault.WrongKey })
	first := errs[max(i, 0)]
	if len(texts) == 1 {
		return first
	}
	return fault.New(fault.CodeOf(first), "%s", strings.Join(texts, "; ")).WithHint("%s", fault.HintOf(first))
}

// try opens the vault by one slot, whose key it loads.
func (l *Local) try(ctx context.Context, src keys.Source, vault [16]byte, slot *seal.Slot) (*opening, error) {
	provider, err := src.Provider(slot.Config.In(l.opts.Root))
	if err != nil {
		return nil, err
	}
	kek, err := provider.Load(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := l.openSlot(vault, slot, kek)
	if err != nil {
		kek.Clear()
		return nil, err
	}
	return &opening{ring, slot, kek}, nil
}

// openSlot opens the vault by the key of one slot.
func (l *Local) openSlot(vault [16]byte, slot *seal.Slot, kek keys.Key) (*seal.Ring, error) {
	ring, err := slot.Open(vault, kek)
	switch {
	case errors.Is(err, seal.ErrWrongKey):
		return nil, fault.New(fault.WrongKey, "the %s does not open this vault", slot.Config.In(l.opts.Root)).
			WithHint("%s", wrongKeyHint(slot.Config))
	case err != nil:
		return nil, errDamagedSlot
	}
	return ring, nil
}

func wrongKeyHint(c keys.Config) string {
	if c.Kind.Typed() {
		return "type the " + c.String() + " again; nothing was changed"
	}
	return "put the right key back, or point AIVAULT_DIR at the vault that this key belongs to; nothing was changed"
}

// checkFormat checks that the file is a vault of a version that we know.
func checkFormat(tx store.Tx) (format uint32, vault [16]byte, err error) {
	version, id := tx.Get(store.Meta, keyFormat), tx.Get(store.Meta, keyVault)
	if len(version) != 4 || be32(version) == 0 || len(id) != 16 {
		return 0, vault, store.ErrDamaged
	}
	format = be32(version)
	if format > formatVersion {
		return 0, vault, fault.New(fault.VaultNewer, "the vault has format %d, this aivault reads formats up to %d", format, formatVersion).
			WithHint("use the aivault that wrote it, or a later one")
	}
	return format, [16]byte(id), nil
}
