package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// formatVersion is the version of the schema in the package comment.
const formatVersion = 1

// lockWait is how long a transaction waits for those of other processes.
const lockWait = 10 * time.Second

// Claims tells which secret names belong to a provider.
type Claims interface {
	// Claim returns the provider that claims a secret's name.
	Claim(name string) (provider string, ok bool)
}

// Options say where a vault is and what it works with.
type Options struct {
	Root string // its directory
	Keys keys.Source
	// FirstUse chooses where the key of a new vault goes, when something is
	// to be written and there is no vault yet. Nil: nothing is made unasked.
	FirstUse func(context.Context) (keys.Config, error)
	Claims   Claims           // nil: no name is claimed
	Now      func() time.Time // nil: time.Now
	Actor    string           // who the audit log says acted; empty: operator
}

// Local is a vault in a directory of this machine, used from this process. It
// is safe for concurrent use.
type Local struct {
	opts Options
	db   *store.Bolt

	mu   sync.Mutex // held while the key is fetched, so that it is asked for once
	ring *seal.Ring // nil until the vault was opened
}

var (
	_ Vault = (*Local)(nil)
	_ Store = (*Local)(nil)
)

// New returns the vault in opts.Root, without looking at it.
func New(opts Options) *Local {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Actor == "" {
		opts.Actor = "operator"
	}
	return &Local{opts: opts, db: store.NewBolt(opts.Root, lockWait)}
}

// Close wipes the keys. The vault can be used again, and asks for its key.
func (l *Local) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != nil {
		l.ring.Clear()
		l.ring = nil
	}
}

// view runs f with a consistent view. A vault that does not exist is an empty
// one: f gets nil.
func (l *Local) view(ctx context.Context, f func(*txn) error) error {
	ring, err := l.open(ctx)
	switch {
	case errors.Is(err, store.ErrAbsent):
		return f(nil)
	case err != nil:
		return err
	}
	err = l.db.View(ctx, func(tx store.Tx) error {
		t, err := l.begin(tx, ring)
		if err != nil {
			return err
		}
		return f(t)
	})
	return l.explain(err, "reading")
}

// update runs f in a transaction and commits what it changed. A vault that
// does not exist is made first.
func (l *Local) update(ctx context.Context, f func(*txn) error) error {
	ring, err := l.open(ctx)
	if errors.Is(err, store.ErrAbsent) {
		ring, err = l.firstUse(ctx)
	}
	if err != nil {
		return err
	}
	var epoch uint64
	err = l.db.Update(ctx, func(tx store.Tx) error {
		t, err := l.begin(tx, ring)
		if err != nil {
			return err
		}
		epoch = t.man.epoch + 1
		if err := f(t); err != nil {
			return err
		}
		return t.end()
	})
	if commit, ok := errors.AsType[*store.CommitError](err); ok {
		return l.settle(ctx, ring, epoch, commit)
	}
	return l.explain(err, "writing")
}

// settle tells what became of a commit that reported an error, by looking.
func (l *Local) settle(ctx context.Context, ring *seal.Ring, epoch uint64, commit *store.CommitError) error {
	happened := false
	err := l.db.View(context.WithoutCancel(ctx), func(tx store.Tx) error {
		t, err := l.begin(tx, ring)
		if err == nil {
			happened = t.man.epoch >= epoch
		}
		return err
	})
	switch {
	case err != nil:
		return fault.Wrap(fault.OutcomeUnknown, commit.Err, "the disk reported an error, and the vault cannot be read to tell whether the change was made").
			WithHint("check the disk, then run `aivault doctor`")
	case happened:
		return fault.Wrap(fault.OutcomeUnknown, commit.Err, "the disk reported an error after the change was made: it is there now, and may be lost if the machine stops").
			WithHint("check the disk, then look whether the change is there")
	}
	return l.explain(commit.Err, "writing; nothing was changed")
}

// open returns the ring of the vault, fetching the key if that was not done
// yet, or if the vault is another one by now. store.ErrAbsent: there is none.
func (l *Local) open(ctx context.Context) (*seal.Ring, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != nil {
		return l.ring, nil
	}
	head, err := l.readHead(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := l.unlock(ctx, head)
	if err != nil {
		return nil, err
	}
	l.ring = ring
	return ring, nil
}

// A head is what a vault says before it is opened.
type head struct {
	vault [16]byte
	slots []*seal.Slot
}

// readHead reads what is needed to open the vault.
func (l *Local) readHead(ctx context.Context) (*head, error) {
	var h head
	err := l.db.View(ctx, func(tx store.Tx) error {
		var err error
		if h.vault, err = checkFormat(tx); err != nil {
			return err
		}
		return tx.Range(store.Slots, store.Span{}, func(_, v []byte) error {
			slot, err := seal.DecodeSlot(v)
			if err != nil {
				return errDamagedSlot
			}
			h.slots = append(h.slots, slot)
			return nil
		})
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
	WithHint("put back a copy of vault.db that is in order")

// unlock tries the slots in turn.
func (l *Local) unlock(ctx context.Context, h *head) (*seal.Ring, error) {
	var errs []error
	for _, slot := range h.slots {
		ring, err := l.unlockSlot(ctx, h.vault, slot)
		if err == nil {
			return ring, nil
		}
		errs = append(errs, err)
	}
	return nil, errs[0]
}

func (l *Local) unlockSlot(ctx context.Context, vault [16]byte, slot *seal.Slot) (*seal.Ring, error) {
	provider, err := l.opts.Keys.Provider(slot.Config)
	if err != nil {
		return nil, err
	}
	kek, err := provider.Load(ctx)
	if err != nil {
		return nil, err
	}
	defer kek.Clear()
	ring, err := slot.Open(vault, kek)
	switch {
	case errors.Is(err, seal.ErrWrongKey):
		return nil, fault.New(fault.WrongKey, "%s does not hold the key of this vault", describeKey(slot.Config)).
			WithHint("%s", wrongKeyHint(slot.Config))
	case err != nil:
		return nil, errDamagedSlot
	}
	return ring, nil
}

// describeKey names the place of a key in a sentence.
func describeKey(c keys.Config) string {
	switch c.Kind {
	case keys.KindKeyring:
		return fmt.Sprintf("the keyring entry %s/%s", c.Service, c.Account)
	case keys.KindFile:
		return "the key file " + c.Path
	case keys.KindEnv:
		return "the environment variable " + c.Var
	}
	return "this passphrase"
}

func wrongKeyHint(c keys.Config) string {
	if c.Kind == keys.KindPassphrase {
		return "type the passphrase again; nothing was changed"
	}
	return "put the right key back, or point AIVAULT_DIR at the vault that this key belongs to; nothing was changed"
}

// checkFormat checks that the file is a vault of a version that we know.
func checkFormat(tx store.Tx) (vault [16]byte, err error) {
	version, id := tx.Get(store.Meta, keyFormat), tx.Get(store.Meta, keyVault)
	if len(version) != 4 || len(id) != 16 {
		return vault, store.ErrDamaged
	}
	if v := be32(version); v != formatVersion {
		return vault, fault.New(fault.VaultNewer, "the vault has format %d, this aivault reads format %d", v, formatVersion).
			WithHint("use the aivault that wrote it, or a later one")
	}
	return [16]byte(id), nil
}

// explain gives an error of the store its code.
func (l *Local) explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if unsafe, ok := errors.AsType[*store.UnsafeError](err); ok {
		return fault.New(fault.IO, "%s", unsafe.Error()).WithHint("%s", unsafe.Fix)
	}
	path := l.db.Path()
	switch {
	case errors.Is(err, store.ErrAbsent), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, store.ErrBusy):
		return fault.New(fault.VaultBusy, "another process has held the vault for %s", lockWait).
			WithHint("try again; `fuser %s` shows who holds it", filepath.Join(l.opts.Root, store.LockFile))
	case errors.Is(err, store.ErrDamaged):
		return fault.Wrap(fault.VaultCorrupt, err, "%s is damaged", path).
			WithHint("run `aivault doctor`; put back a copy that is in order")
	case store.IsFull(err):
		return fault.Wrap(fault.DiskFull, err, "%s %s; nothing was changed", doing, path).
			WithHint("free some space, then try again")
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.IO, err, "%s %s", doing, path).WithHint("check who may write to %s", l.opts.Root)
	}
	return fault.Wrap(fault.IO, err, "%s %s", doing, path).WithHint("check the disk")
}

// Status implements Vault.
func (l *Local) Status(ctx context.Context) (Status, error) {
	st := Status{Root: l.opts.Root, File: l.db.Path()}
	h, err := l.readHead(ctx)
	switch {
	case errors.Is(err, store.ErrAbsent):
		return st, nil
	case err != nil:
		return st, err
	}
	slot := h.slots[0]
	st.Initialized = true
	st.Provider = slot.Config.Kind
	st.Key = slot.Config
	st.KeyID = uuidText(slot.ID)
	st.VaultID = uuidText(h.vault)
	l.mu.Lock()
	open := l.ring != nil
	l.mu.Unlock()
	switch {
	case open:
	case slot.Config.Kind == keys.KindPassphrase:
		st.Locked = true
		st.KeyError = fault.New(fault.VaultLocked, "a passphrase opens it")
	default:
		if _, err := l.open(ctx); err != nil {
			st.Locked, st.KeyError = true, err
		}
	}
	return st, nil
}

// Unlock fetches the key now, which other methods do when they need it.
func (l *Local) Unlock(ctx context.Context) error {
	_, err := l.open(ctx)
	if errors.Is(err, store.ErrAbsent) {
		return nil
	}
	return err
}

// Init implements Vault.
func (l *Local) Init(ctx context.Context, cfg keys.Config) (Status, error) {
	if exists, err := l.db.Exists(); err != nil {
		return Status{}, l.explain(err, "looking at")
	} else if exists {
		return Status{}, l.errInitialized()
	}
	if _, err := l.create(ctx, cfg); err != nil {
		return Status{}, err
	}
	return l.Status(ctx)
}

func (l *Local) errInitialized() error {
	return fault.New(fault.AlreadyExists, "there is a vault in %s already", l.opts.Root).
		WithHint("`aivault status` shows it; set AIVAULT_DIR to make another one elsewhere")
}

// firstUse makes a vault in a directory that holds nothing.
func (l *Local) firstUse(ctx context.Context) (*seal.Ring, error) {
	if l.opts.FirstUse == nil {
		return nil, fault.New(fault.InvalidRequest, "there is no vault in %s", l.opts.Root).WithHint("make one with `aivault init`")
	}
	if name, err := l.leftover(); err != nil {
		return nil, l.explain(err, "looking at")
	} else if name != "" {
		return nil, fault.New(fault.VaultCorrupt, "%s holds %s, but no vault", l.opts.Root, name).
			WithHint("put vault.db back; or, if you want a new vault there, run `aivault init`")
	}
	cfg, err := l.opts.FirstUse(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := l.create(ctx, cfg)
	if fault.CodeOf(err) == fault.AlreadyExists { // another process was faster
		return l.open(ctx)
	}
	return ring, err
}

// leftover names a file in the vault's directory that was part of a vault.
func (l *Local) leftover() (string, error) {
	entries, err := os.ReadDir(l.opts.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, e := range entries {
		name := e.Name()
		if name != "run" && !strings.HasSuffix(name, ".lock") && !strings.HasPrefix(name, store.File) {
			return name, nil
		}
	}
	return "", nil
}
