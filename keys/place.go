package keys

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"aivault/keys/fault"
)

// Store puts a key that somebody has made where c says, in the keyring or in a
// file, and reads it back. Unlike Provider.Create it uses nothing that is there:
// fault.AlreadyExists. Of other kinds it is fault.InvalidRequest.
func (s Source) Store(ctx context.Context, c Config, key Key) error {
	provider, err := s.Provider(c)
	if err != nil {
		return err
	}
	switch p := provider.(type) {
	case keyringProvider:
		defer p.watch()()
		if p.keyring == nil {
			return noKeyring()
		}
		return p.store(ctx, key)
	case fileProvider:
		if err := canceled(ctx, "making the "+c.String()); err != nil {
			return err
		}
		return p.keep(key)
	}
	return fault.New(fault.InvalidRequest, "nothing can be stored in the %s", c)
}

// keep makes the file of a key, and reads it back.
func (p fileProvider) keep(key Key) error {
	p.sweep()
	made, err := p.store(key)
	if err != nil {
		if made {
			_ = os.Remove(p.config.Path) // nobody counts on it
		}
		return p.writeFault(err)
	}
	if !made {
		return fault.New(fault.AlreadyExists, "the %s exists", p.config).WithHint("it is left as it is")
	}
	kept, err := p.load()
	if err == nil && !kept.Equal(key) {
		err = fault.New(fault.KeyUnavailable, "the %s does not hold the key that was stored", p.config)
	}
	kept.Clear()
	return err
}

// Taken reports whether something is where c says, whatever it is: in the keyring
// or in a file. Of other kinds nothing ever is.
func (s Source) Taken(ctx context.Context, c Config) (bool, error) {
	switch c.Kind {
	case KindKeyring:
		if s.Keyring == nil {
			return false, noKeyring()
		}
		there, err := s.Keyring.Get(ctx, c.Service, c.Account)
		clear(there)
		if errors.Is(err, ErrNoEntry) {
			return false, nil
		}
		return err == nil, err
	case KindFile:
		_, err := os.Lstat(c.Path)
		return !errors.Is(err, fs.ErrNotExist), nil
	}
	return false, nil
}

// Remove removes the key where c says, in the keyring or in a file, for good. One
// that is not there is no error, and neither is one of another kind, which is in
// nobody's hands but a person's.
func (s Source) Remove(ctx context.Context, c Config) error {
	switch c.Kind {
	case KindKeyring:
		if s.Keyring == nil {
			return noKeyring()
		}
		if err := s.Keyring.Delete(ctx, c.Service, c.Account); err != nil && !errors.Is(err, ErrNoEntry) {
			return keyringProvider{config: c}.fault(ctx, err)
		}
	case KindFile:
		err := os.Remove(c.Path)
		if err == nil {
			err = syncDir(filepath.Dir(c.Path))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.Wrap(fault.IO, fault.WithoutPath(err), "the %s cannot be removed", c).
				WithHint("delete it yourself: it opens nothing but what is older than the new key")
		}
	}
	return nil
}
