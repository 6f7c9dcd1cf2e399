package vault

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/google/uuid"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A RotationKey is a key that was made for a vault, and is not its yet.
type RotationKey struct {
	Slot       ID          // which it is to be the key of
	Config     keys.Config // where it lives
	Key        keys.Key    // who has it clears it
	For        ID          // the slot whose place it is to have
	Generation uint32      // of the root key that the vault has
	// Keep tells that nobody could put the key in its place: both slots open the
	// vault until FinishRotation.
	Keep bool
}

// NewRotationKey makes the key for RotateTo, stores it where it is to live, and asks
// for a passphrase if it takes one. slots are those of the vault: what is replaced
// is the one that opened it. It needs no key of the vault.
func (l *Local) NewRotationKey(ctx context.Context, slots []Slot, opts RotateOptions) (RotationKey, error) {
	h, err := l.readHead(ctx)
	if err != nil {
		return RotationKey{}, err
	}
	i := slices.IndexFunc(slots, func(s Slot) bool { return s.Opened })
	if i < 0 || h.slotOf(slots[i].ID) == nil {
		return RotationKey{}, errRotated
	}
	if slices.ContainsFunc(slots, func(s Slot) bool { return s.Retiring }) {
		return RotationKey{}, errUnfinished
	}
	by := slots[i]
	if err := opts.check(by.Key); err != nil {
		return RotationKey{}, err
	}
	k := RotationKey{For: by.ID, Generation: h.slotOf(by.ID).Gen, Config: by.Key}
	k.Slot = k.slotID(h.vault, 0)
	if opts.Key.Kind == keys.KindPassphrase || by.Key.Kind == keys.KindPassphrase {
		return l.newPassphrase(ctx, k, opts.Key)
	}
	if opts.NewKey != nil {
		k.Key = opaque.Clone(opts.NewKey.Reveal())
	} else if k.Key, err = keys.NewKey(); err != nil {
		return RotationKey{}, err
	}
	for _, s := range h.slots {
		if s.IsKey(h.vault, k.Key) {
			err = errSameKey(s.ID)
		}
	}
	if k.Keep = by.Key.Kind == keys.KindEnv; !k.Keep && err == nil {
		err = l.storeKey(ctx, h, &k, opts.NewKey != nil)
	}
	if err != nil {
		k.Key.Clear()
		return RotationKey{}, err
	}
	return k, nil
}

// check refuses what does not go with the slot that opened the vault.
func (o *RotateOptions) check(by keys.Config) error {
	switch {
	case o.Key.Kind != "" && o.Key.Kind != keys.KindPassphrase:
		return fault.New(fault.InvalidRequest, "a rotation makes a passphrase, or a key of the same provider").
			WithHint("`aivault key add` adds a key of another one")
	case o.Key.Kind == keys.KindPassphrase && o.NewKey != nil:
		return fault.New(fault.Usage, "provide only one of a new key and a new passphrase")
	case o.Key.Kind == keys.KindPassphrase:
		return nil
	case by.Kind == keys.KindRecovery:
		return fault.New(fault.Conflict, "the vault was opened by a recovery key, in whose place no other key can be").
			WithHint("add a key with `aivault key add`, then run this again; or give a new passphrase")
	case o.NewKey != nil && by.Kind != keys.KindEnv && by.Kind != keys.KindFile:
		return fault.New(fault.Usage, "the vault was opened by the %s, in whose place no given key can be", by).
			WithHint("run it without a new key")
	case o.NewKey == nil && by.Kind == keys.KindEnv:
		return fault.New(fault.Usage, "the key of the vault is in an environment variable, which aivault cannot set").
			WithHint("make a key with `openssl rand -base64 32`, and give it with --new-key-file")
	}
	return nil
}

// slotID is the id of the slot that a rotation makes: that of no other slot of the
// vault, of no other vault, and the same for who looks for what was left of a
// rotation that was cut off. n counts attempts.
func (k *RotationKey) slotID(vault [16]byte, n int) ID {
	return rotationSlot(vault, k.Generation+1, n)
}

func rotationSlot(vault [16]byte, gen uint32, n int) ID {
	return uuid.NewSHA1(vault, fmt.Appendf(nil, "aivault/rotation/%d/%d", gen, n))
}

// newPassphrase asks for the passphrase of a rotation.
func (l *Local) newPassphrase(ctx context.Context, k RotationKey, cfg keys.Config) (_ RotationKey, err error) {
	if k.Config = cfg; cfg.Kind == "" {
		k.Config.Kind = keys.KindPassphrase
		if k.Config.KDF, err = keys.DefaultKDF(); err != nil {
			return RotationKey{}, err
		}
	}
	if k.Key, err = l.newKEK(ctx, k.Config); err != nil {
		return RotationKey{}, err
	}
	return k, nil
}

// maxAttempts is how many places are tried for a new key: what is in one of them
// was left by a rotation that was cut off, and is not ours to use.
const maxAttempts = 64

// storeKey stores a key beside the one whose place it is to have, where nothing is.
// A file that cannot be made stays as it is, if the key is known to somebody.
func (l *Local) storeKey(ctx context.Context, h *head, k *RotationKey, known bool) error {
	old := k.Config
	var err error
	for n := range maxAttempts {
		k.Slot = k.slotID(h.vault, n)
		k.Config = placeFor(old, h.vault, k.Slot)
		if err = l.opts.Keys.Store(ctx, k.Config, k.Key); fault.CodeOf(err) != fault.AlreadyExists {
			break
		}
	}
	switch {
	case err == nil:
		return nil
	case fault.CodeOf(err) == fault.AlreadyExists:
		return fault.New(fault.Conflict, "too many rotations were cut off, of which the new keys are still there; the last one is the %s", k.Config).
			WithHint("`aivault doctor` names them: delete them, and try again")
	case fault.CodeOf(err) != fault.IO && fault.CodeOf(err) != fault.InvalidRequest:
		return err
	case known:
		k.Config, k.Keep = old, true
		return nil
	}
	return fault.New(fault.IO, "%v", err).
		WithHint("make a key with `openssl rand -base64 32` and give it with --new-key-file: then both open the vault until you have put the new one in the place of the old one, and run `aivault rotate-master --finish`")
}

// placeFor is where the key of a new slot lives that is to have the place of another.
func placeFor(old keys.Config, vault [16]byte, id ID) keys.Config {
	next := old
	switch old.Kind {
	case keys.KindFile:
		next.Path = filepath.Join(filepath.Dir(old.Path), keyFileName(id))
	case keys.KindKeyring:
		next.Account = uuidText(vault) + "." + shortID(id)
	}
	return next
}

// The name of a key file that a rotation made, around the beginning of its slot's id.
const (
	keyFilePrefix = "kek-"
	keyFileSuffix = ".key"
)

// firstKeyFile is the name of the key file of a new vault.
const firstKeyFile = "kek.key"

// keyFileName is the name of the key file of a slot that a rotation made.
func keyFileName(id ID) string { return keyFilePrefix + shortID(id) + keyFileSuffix }

// isKeyFile reports whether a file of that name is one that aivault makes for the
// key of one vault. Another one may be that of several.
func isKeyFile(name string) bool {
	made, err := filepath.Match(keyFilePrefix+"????????"+keyFileSuffix, name)
	return name == firstKeyFile || made && err == nil
}

// DiscardRotationKey removes the key that NewRotationKey stored, where it opens
// nothing: the vault has no slot of it.
func (l *Local) DiscardRotationKey(ctx context.Context, k RotationKey) {
	h, err := l.readHead(ctx)
	if err != nil || h.slotOf(k.Slot) != nil || k.Keep {
		return
	}
	_ = l.opts.Keys.Remove(ctx, k.Config) // what is left opens nothing, and Doctor names it
}

// DropOldKey opens the vault by the new key as it was stored, and then removes the
// old one. The error tells why that is still where it was; the rotation is done all
// the same. A key file that has not the name of one that aivault made stays, as it
// may be that of other vaults, too.
func (l *Local) DropOldKey(ctx context.Context, r Rotation, k RotationKey) error {
	if k.Keep {
		return nil
	}
	h, err := l.readHead(ctx)
	if err != nil {
		return err
	}
	if err := l.prove(ctx, h, k); err != nil {
		return err
	}
	old := r.Old.Key
	if old.Kind != keys.KindFile && old.Kind != keys.KindKeyring {
		return nil
	}
	for _, s := range h.slots {
		if samePlace(s.Config.In(l.opts.Root), old) {
			return nil // it is another slot's
		}
	}
	if old.Kind == keys.KindFile && !isKeyFile(filepath.Base(old.Path)) {
		return fault.New(fault.Conflict, "the %s was left where it is, as it may be that of other vaults, too", old).
			WithHint("delete it if it is not: it opens nothing but what is older than the new key")
	}
	return l.opts.Keys.Remove(ctx, old)
}

// prove opens the vault by a key that is loaded from where it lives; one that is
// typed is at hand.
func (l *Local) prove(ctx context.Context, h *head, k RotationKey) error {
	kek := opaque.Clone(k.Key.Reveal())
	if !k.Config.Kind.Typed() {
		provider, err := l.opts.Keys.Provider(k.Config)
		if err != nil {
			return err
		}
		stored, err := provider.Load(ctx)
		if err != nil {
			return err
		}
		kek.Clear()
		kek = stored
	}
	defer kek.Clear()
	_, err := h.opensBy(k.Slot, kek)
	return err
}
