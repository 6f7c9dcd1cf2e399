package app

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A Backend is a vault with its broker: everything that people, scripts and
// agents may ask for. It is one interface so that one which speaks to another
// process can stand in its place.
type Backend interface {
	vault.Vault
	broker.Service
}

// Options say how a session is opened.
type Options struct {
	Passphrase Passphrase // or the recovery key
	// NewPassphrase says where a new one comes from; nil: from Passphrase, which
	// is right where a vault is made.
	NewPassphrase *Passphrase
	// AskPassphrase asks what q says, where Passphrase says nothing, instead of
	// the terminal: for the passphrase or the recovery key of the vault, or for a
	// new passphrase. What it returns is cleared after use. Nil: the terminal.
	AskPassphrase func(ctx context.Context, q keys.Question) (opaque.Bytes, error)
	// Given reports whether AskPassphrase has its answer already. Nil: it never
	// has.
	Given func() bool
	// Recovery takes a new recovery key to show it to somebody, and owns it. Nil:
	// nobody can be shown one.
	Recovery func(text opaque.Bytes) error
	// KeyringWait is how long a call into the keyring may take; 0: a minute
	// where somebody sits at a terminal, else 5 s.
	KeyringWait time.Duration
	Notice      func(msg string) // tells people something in passing
}

// A Session is the vault and broker that the environment names. Nothing is
// opened, read or asked before an operation needs it.
type Session struct {
	env   *Env
	opts  Options
	root  string // the vault's directory
	moves string // the directory with which it moves: root, or ~/.aivault
	state string // where it is remembered how far the vault had come
	own   bool   // the root was named by AIVAULT_DIR

	once   sync.Once
	vault  *vault.Local
	broker *broker.Broker
	desk   *desk
	link   link
}

// backend joins both halves of a Backend.
type backend struct {
	vault.Vault
	broker.Service
}

// Open returns the session of an environment: the vault in AIVAULT_DIR, or in
// ~/.aivault/data/vault. Close it after use.
func Open(env *Env, opts Options) (*Session, error) {
	s := &Session{env: env, opts: opts}
	if dir := strings.TrimSpace(env.Getenv("AIVAULT_DIR")); dir != "" {
		root, err := filepath.Abs(dir)
		if err != nil {
			return nil, fault.Wrap(fault.IO, err, "finding the directory that AIVAULT_DIR names")
		}
		s.root, s.moves, s.own = root, root, true
	} else {
		base, err := s.base()
		if err != nil {
			return nil, err
		}
		s.root, s.moves = filepath.Join(base, "data", "vault"), base
	}
	s.state = filepath.Join(s.moves, "state")
	if truthy(strings.TrimSpace(env.Getenv("AIVAULT_DISABLE_DISK_LOGS"))) {
		opts.Notice("AIVAULT_DISABLE_DISK_LOGS is not honoured: a caller cannot switch the audit log off")
	}
	return s, nil
}

// base returns ~/.aivault.
func (s *Session) base() (string, error) {
	home, err := s.env.Home()
	if err == nil && !filepath.IsAbs(home) {
		err = fault.New(fault.InvalidRequest, "%q is not an absolute path", home)
	}
	if err != nil {
		return "", fault.Wrap(fault.IO, err, "finding the home directory").
			WithHint("set HOME, or AIVAULT_DIR to the directory of the vault")
	}
	return filepath.Join(home, ".aivault"), nil
}

// Backend returns the vault and broker. Where the daemon of the vault keeps its
// key, and this session was not given it, what is asked of them is done there.
func (s *Session) Backend() Backend {
	s.once.Do(func() {
		reg := registry.Builtin()
		s.vault = vault.New(vault.Options{
			Root:       s.root,
			Base:       s.moves,
			State:      s.state,
			Keys:       s.keys(),
			FirstUse:   s.firstUse,
			Claims:     reg,
			CheckValue: broker.CheckValue(reg),
			Now:        s.env.Now,
		})
		s.broker = broker.New(broker.Config{
			Store:    s.vault,
			Registry: reg,
			Version:  Version(),
			Now:      s.env.Now,
			Resolve:  s.env.Resolve,
			Dial:     s.env.Dial,
			Roots:    s.env.Roots,
		})
		s.desk = &desk{s: s, local: backend{s.vault, s.broker}}
	})
	return s.desk
}

// Flush makes durable what calls left to be recorded. Its error tells that the
// audit log does not have all of it.
func (s *Session) Flush(ctx context.Context) error {
	if s.vault == nil {
		return nil
	}
	return s.vault.Flush(ctx)
}

// Close records what is still to be recorded, wipes keys and closes connections.
func (s *Session) Close() {
	s.once.Do(func() {}) // from here on nothing is opened any more
	if s.vault != nil {
		s.link.close()
		s.broker.Close()
		s.vault.Close()
	}
}

// How long a keyring may take: as long as a program waits for one that works,
// or as a person needs to answer its prompt.
const (
	keyringWait            = 5 * time.Second
	keyringWaitInteractive = time.Minute
)

// keyring returns the keyring of the operating system.
func (s *Session) keyring() keys.Keyring {
	switch {
	case s.opts.KeyringWait > 0:
		return s.env.Keyring(s.opts.KeyringWait)
	case s.env.Interactive():
		return s.env.Keyring(keyringWaitInteractive)
	}
	return s.env.Keyring(keyringWait)
}

// keys returns the way to where keys live.
func (s *Session) keys() keys.Source {
	return keys.Source{
		Getenv:  s.env.Getenv,
		Keyring: s.keyring(),
		Ask: func(ctx context.Context, q keys.Question) (opaque.Bytes, error) {
			from, flags := s.opts.Passphrase, "--passphrase-file or --passphrase-fd"
			if q.New && s.opts.NewPassphrase != nil {
				from, flags = *s.opts.NewPassphrase, "--new-passphrase-file"
			}
			// What was typed comes after what was said beforehand, and was wrong.
			typed := s.opts.Given != nil && s.opts.Given()
			if s.opts.AskPassphrase != nil && (from == (Passphrase{}) || typed) {
				return s.opts.AskPassphrase(ctx, q)
			}
			return from.get(ctx, s.env, q, flags)
		},
		Given: func() bool {
			return s.opts.Passphrase != (Passphrase{}) || s.opts.Given != nil && s.opts.Given()
		},
		Keep:   s.opts.Recovery,
		Notify: s.opts.Notice,
	}
}

// FirstUse says where the key of a new vault goes when nobody chose: into the
// keyring, and into a file only where no keyring exists at all. One that is
// locked or does not answer is an error, never a reason to use a file. Where
// AIVAULT_DIR names the vault, the key is a file in it.
func (s *Session) FirstUse(ctx context.Context) (keys.Config, error) {
	if s.own {
		return s.fileKey("")
	}
	present, err := s.keyring().Present(ctx)
	if err != nil {
		return keys.Config{}, err
	}
	if present {
		return keys.Config{Kind: keys.KindKeyring, Service: keys.KeyringService}, nil
	}
	cfg, err := s.fileKey("")
	if err == nil {
		s.opts.Notice("this session has no keyring: the key of the new vault is kept in the file " + cfg.Path)
	}
	return cfg, err
}

// firstUse is FirstUse where nobody asked for a new vault: then somebody should
// hear that there is one way in only, and that there can be another.
func (s *Session) firstUse(ctx context.Context) (keys.Config, error) {
	cfg, err := s.FirstUse(ctx)
	if err == nil && cfg.Kind == keys.KindKeyring {
		s.opts.Notice("the key of the new vault is kept in the keyring alone; `aivault key add --recovery` makes a second way in, for the day when that is lost")
	}
	return cfg, err
}

// fileKey returns the configuration of a key in a file, which is the one that
// belongs to the vault's directory if path is empty.
func (s *Session) fileKey(path string) (keys.Config, error) {
	const name = "kek.key"
	if path == "" {
		if s.own {
			path = filepath.Join(s.root, name)
		} else {
			base, err := s.base()
			if err != nil {
				return keys.Config{}, err
			}
			path = filepath.Join(base, "keys", name)
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return keys.Config{}, fault.Wrap(fault.IO, err, "finding the key file")
	}
	return keys.Config{Kind: keys.KindFile, Path: abs}, nil
}

// A KeyChoice is what an operator chose for the key of a new vault. Fields
// that do not belong to the kind are ignored.
type KeyChoice struct {
	Kind    keys.Kind
	Path    string // file; empty: beside the vault's other files
	Var     string // env; empty: keys.DefaultVar
	Service string // keyring; empty: keys.KeyringService
	Account string // keyring; empty: the id of the vault
}

// KeyConfig turns a choice into a configuration.
func (s *Session) KeyConfig(c KeyChoice) (keys.Config, error) {
	switch c.Kind {
	case keys.KindFile:
		return s.fileKey(c.Path)
	case keys.KindEnv:
		return keys.Config{Kind: keys.KindEnv, Var: c.Var}, nil
	case keys.KindPassphrase:
		kdf, err := s.env.KDF()
		return keys.Config{Kind: keys.KindPassphrase, KDF: kdf}, err
	}
	service := c.Service
	if service == "" {
		service = keys.KeyringService
	}
	return keys.Config{Kind: keys.KindKeyring, Service: service, Account: c.Account}, nil
}

// Version returns the version of this program: that of its module, or that of
// the release to come where it was built from a checkout without one.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "0.1.0-dev"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}
