package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// Keys of the meta table.
var (
	keyFormat   = []byte("format")
	keyVault    = []byte("vault")
	keyManifest = []byte("manifest")
)

// chainName is the key of a generation's audit keys in the meta table.
func chainName(gen uint32) []byte { return binary.BigEndian.AppendUint32([]byte("chain"), gen) }

// Init implements Vault.
func (l *Local) Init(ctx context.Context, cfg keys.Config) (Status, error) {
	if exists, err := l.Exists(); err != nil {
		return Status{}, err
	} else if exists {
		return Status{}, l.errInitialized()
	}
	if err := l.create(ctx, cfg, adopt); err != nil {
		return Status{}, err
	}
	l.rememberNew(ctx, cfg)
	st, err := l.Status(ctx)
	return st, fault.Afterwards(err)
}

func (l *Local) errInitialized() error {
	return fault.New(fault.AlreadyExists, "there is a vault in %s already", l.opts.Root).
		WithHint("`aivault status` shows it; set AIVAULT_DIR to make another one elsewhere")
}

func (l *Local) errAbsent() error {
	return fault.New(fault.InvalidRequest, "there is no vault in %s", l.opts.Root).WithHint("make one with `aivault init`")
}

// firstUse makes a vault in a directory that holds nothing.
func (l *Local) firstUse(ctx context.Context) error {
	if l.opts.FirstUse == nil {
		return l.errAbsent()
	}
	cfg, err := l.opts.FirstUse(ctx)
	if err != nil {
		return err
	}
	err = l.create(ctx, cfg, l.checkNewKey)
	if fault.CodeOf(err) == fault.AlreadyExists { // another process was faster
		return nil
	}
	if err == nil {
		l.rememberNew(ctx, cfg)
	}
	return err
}

// checkUnused refuses a directory with a file that may be part of a vault, but
// for the key of an attempt that was cut off. It is called under the lock, while
// the vault's own file has its temporary name.
func (l *Local) checkUnused(key string) error {
	return l.checkRoot(func(name string) bool {
		return name != store.RunDir && name != stateDir && name != store.TempFile && name != key && !strings.HasSuffix(name, ".lock")
	})
}

// checkNewKey refuses a key file that is there, wherever it is, or one beside it
// that a rotation made: it was made for a vault, whose file is gone. Whoever runs
// init knows about it.
func (l *Local) checkNewKey(cfg keys.Config) error {
	if cfg.Kind != keys.KindFile {
		return nil
	}
	if !exists(cfg.Path) {
		dir := filepath.Dir(cfg.Path)
		names, _ := os.ReadDir(dir) // it is about to be made, or the next step says what is wrong
		i := slices.IndexFunc(names, func(e os.DirEntry) bool { return isKeyFile(e.Name()) })
		if i < 0 {
			return nil
		}
		cfg.Path = filepath.Join(dir, names[i].Name())
	}
	return fault.New(fault.VaultCorrupt, "there is the %s, but no vault in %s", cfg, l.opts.Root).
		WithHint("restore a backup: `aivault restore FILE`; or, for a new vault, run `aivault init`")
}

// sweep removes what attempts that were cut off left of their keys. Nobody else
// is making a key here: the vault is locked.
func (l *Local) sweep() {
	entries, err := os.ReadDir(l.opts.Root)
	if err != nil {
		return // what stands in the way, the next step tells
	}
	for _, e := range entries {
		if keys.IsLeftover(e.Name()) {
			_ = os.Remove(filepath.Join(l.opts.Root, e.Name()))
		}
	}
}

// adopt takes a key as it is.
func adopt(keys.Config) error { return nil }

// checkAbsent tells a vault that never was from one whose file is gone: its
// key is there, and nobody is making the file.
func (l *Local) checkAbsent() error {
	err := l.checkRoot(func(name string) bool { return strings.HasSuffix(name, ".key") })
	if err == nil || l.has(store.TempFile) || l.has(store.File) {
		return nil
	}
	return err
}

// has reports whether the directory holds a file of that name.
func (l *Local) has(name string) bool { return exists(filepath.Join(l.opts.Root, name)) }

// exists reports whether there is anything at the path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// checkRoot refuses a directory that holds a file of the given kind.
func (l *Local) checkRoot(refused func(name string) bool) error {
	entries, err := os.ReadDir(l.opts.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return l.explain(err, "looking at")
	}
	for _, e := range entries {
		if name := e.Name(); refused(name) && !keys.IsLeftover(name) {
			return fault.New(fault.VaultCorrupt, "%s holds %s, but no vault", l.opts.Root, name).
				WithHint("restore a backup: `aivault restore FILE`; or, if you want a new vault there, move %s away", name)
		}
	}
	return nil
}

// create makes the vault: first its key, which is read back, then the file,
// whose last step is a rename. All of it happens under the vault's lock, so that
// of several processes that make one only the first makes a key. A crash before
// the rename leaves the file under its temporary name, by which the next one
// knows that the key is of no vault, and goes on with it.
func (l *Local) create(ctx context.Context, cfg keys.Config, check func(keys.Config) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	resumed := l.has(store.TempFile)
	ours := resumed || cfg.Kind != keys.KindFile || !exists(cfg.Path)
	var ring *seal.Ring
	var made *seal.Slot
	err := l.db.Create(ctx, func(tx store.Tx) error {
		key := ""
		if resumed {
			key, check = filepath.Base(cfg.Path), adopt
		}
		if err := l.checkUnused(key); err != nil {
			return err
		}
		if err := check(cfg); err != nil {
			return err
		}
		l.sweep()
		slot, err := l.newSlot(ctx, cfg, &ring)
		if err != nil {
			return err
		}
		made = slot
		return l.fill(ctx, tx, ring, slot)
	})
	switch {
	case err == nil:
		l.ring, l.opener = ring, made
		return nil
	case ring != nil:
		ring.Clear()
	}
	if failed, ok := errors.AsType[*store.CommitError](err); ok && l.has(store.File) {
		return fault.Wrap(fault.OutcomeUnknown, failed.Err, "the disk reported an error after the vault was made: it is there now, and may be lost if the machine stops").
			WithHint("check the disk, then run `aivault doctor`")
	}
	if ours && cfg.Kind == keys.KindFile && exists(cfg.Path) && !l.has(store.File) {
		// The key of no vault: the next attempt is to know that, too.
		_ = os.WriteFile(filepath.Join(l.opts.Root, store.TempFile), nil, 0o600)
	}
	if errors.Is(err, store.ErrExists) {
		return l.errInitialized()
	}
	return l.explain(err, "making")
}

// newSlot makes the keys of a vault, and the slot through which they are had.
func (l *Local) newSlot(ctx context.Context, cfg keys.Config, ring **seal.Ring) (*seal.Slot, error) {
	vault := uuid.New()
	if cfg.Kind == keys.KindKeyring && cfg.Account == "" {
		cfg.Account = vault.String()
	}
	kek, err := l.newKEK(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer kek.Clear()
	l.makeMovable(&cfg)
	*ring = seal.NewRing(seal.NewRoot(), vault, 1)
	slot, err := seal.NewSlot(*ring, uuid.New(), cfg, kek)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "sealing the root key")
	}
	return slot, nil
}

// makeMovable keeps the path of a key file that moves with the vault relative
// to the vault.
func (l *Local) makeMovable(cfg *keys.Config) {
	if cfg.Kind != keys.KindFile {
		return
	}
	if below, err := filepath.Rel(l.opts.Base, cfg.Path); err != nil || !filepath.IsLocal(below) {
		return
	}
	if path, err := filepath.Rel(l.opts.Root, cfg.Path); err == nil {
		cfg.Path = path
	}
}

func (l *Local) newKEK(ctx context.Context, cfg keys.Config) (keys.Key, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	provider, err := l.opts.Keys.Provider(cfg)
	if err != nil {
		return nil, err
	}
	return provider.Create(ctx)
}

// fill writes the first state of a vault.
func (l *Local) fill(ctx context.Context, tx store.Tx, ring *seal.Ring, slot *seal.Slot) error {
	vault := ring.Vault()
	if err := tx.Put(store.Meta, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion)); err != nil {
		return err
	}
	if err := tx.Put(store.Meta, keyVault, vault[:]); err != nil {
		return err
	}
	chain := ring.NewChain(1)
	t := &txn{
		tx: tx, ring: ring, now: l.opts.Now(), by: l.callerOf(ctx), format: formatVersion, clock: l.opts.Clock,
		man: manifest{gen: ring.Generation()}, chains: []*seal.Chain{chain},
	}
	defer t.close()
	if err := t.putSlot(slot); err != nil {
		return err
	}
	if err := tx.Put(store.Meta, chainName(ring.Generation()), ring.SealChain(chain)); err != nil {
		return err
	}
	if err := t.record(&Event{Kind: KindVaultInit, Outcome: OutcomeOK, Note: string(slot.Config.Kind)}); err != nil {
		return err
	}
	if err := t.end(); err != nil {
		return err
	}
	l.remember(t)
	return nil
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

func uuidText(id [16]byte) string { return uuid.UUID(id).String() }
