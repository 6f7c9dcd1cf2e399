package keys

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aivault/keys/fault"
)

// maxKeyFile is the size of the longest file that is read as a key.
const maxKeyFile = 1 << 10

// fileProvider keeps the key in a file of its own, as base64 without a
// newline, that its owner alone may read.
type fileProvider struct {
	config Config
}

func (p fileProvider) Load(ctx context.Context) (Key, error) {
	if err := canceled(ctx, "reading the "+p.config.String()); err != nil {
		return nil, err
	}
	return p.load()
}

// Create makes the file. Of several processes that do so at once, all get the
// key of the first: the file appears whole or not at all, and once.
func (p fileProvider) Create(ctx context.Context) (Key, error) {
	if err := canceled(ctx, "making the "+p.config.String()); err != nil {
		return nil, err
	}
	p.sweep()
	if _, err := os.Lstat(p.config.Path); !errors.Is(err, fs.ErrNotExist) {
		return p.load() // which also tells what stands in the way
	}
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	made, err := p.store(key)
	if err != nil {
		key.Clear()
		return nil, p.writeFault(err)
	}
	kept, err := p.load()
	if err == nil && made && !kept.Equal(key) {
		kept.Clear()
		kept, err = nil, fault.New(fault.KeyUnavailable, "the %s does not hold the key that was stored", p.config)
	}
	key.Clear()
	return kept, err
}

// load reads the file through one descriptor: what is checked is what is read.
func (p fileProvider) load() (Key, error) {
	f, err := openKeyFile(p.config.Path)
	if err != nil {
		return nil, p.readFault(err)
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		return nil, p.readFault(err)
	}
	if err := p.check(info); err != nil {
		return nil, err
	}
	var buf [maxKeyFile + 1]byte
	defer clear(buf[:])
	n, err := io.ReadFull(f, buf[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, p.readFault(err)
	}
	var key Key
	if n <= maxKeyFile {
		key, _ = ParseKey(buf[:n])
	}
	if key == nil {
		return nil, fault.New(fault.KeyUnavailable, "the %s does not hold a key", p.config).
			WithHint("put the right file back from a backup: the base64 of 32 bytes, or 64 hex digits")
	}
	return key, nil
}

// check refuses a file that somebody else may have read or written.
func (p fileProvider) check(info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fault.New(fault.KeyUnavailable, "the %s is not a regular file", p.config).
			WithHint("name a file, not a directory, link, pipe or device")
	case !ownedByUs(info):
		return fault.New(fault.KeyUnavailable, "the %s belongs to another user", p.config).
			WithHint("run aivault as that user, or use a key file of your own")
	case othersMayRead(info):
		return fault.New(fault.KeyUnavailable, "the %s is open to other users (mode %04o)", p.config, info.Mode().Perm()).
			WithHint("chmod 600 %s", shellWord(p.config.Path))
	}
	return nil
}

// Names of a key file that is being written.
const (
	tempPrefix = ".aivault-"
	tempSuffix = ".tmp"
)

// IsLeftover reports whether a file of that name is what a key file was
// written to when the machine or the process stopped.
func IsLeftover(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// staleAfter is the age from which such a file is nobody's any more.
const staleAfter = time.Minute

// sweep removes what earlier attempts left beside the key file: further links
// to the key, and files that were never linked.
func (p fileProvider) sweep() {
	dir := filepath.Dir(p.config.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // it is about to be made, or the next step says what is wrong
	}
	key, _ := os.Lstat(p.config.Path)
	for _, e := range entries {
		if !IsLeftover(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err == nil && (key != nil && os.SameFile(key, info) || time.Since(info.ModTime()) > staleAfter) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// store writes key to a file beside the path and links it there; false if
// something stood there already. The name is durable when store returns.
func (p fileProvider) store(key Key) (made bool, err error) {
	dir := filepath.Dir(p.config.Path)
	if err := makeDir(dir); err != nil {
		return false, err
	}
	temp := filepath.Join(dir, tempPrefix+rand.Text()+tempSuffix)
	if err := writeFile(temp, key); err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(temp) }() // harmless if it stays: no vault uses that key
	// A rename would replace what is there; a link never does.
	switch err := os.Link(temp, p.config.Path); {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, syncDir(dir)
}

func writeFile(path string, key Key) (err error) {
	text := encodeKey(key)
	defer clear(text)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

// makeDir makes dir and what is missing above it, for its owner alone, and
// durable. A directory that exists is left as it is.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return syncDir(filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		return nil
	case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir:
		return err
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return makeDir(dir)
}

func (p fileProvider) readFault(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.KeyUnavailable, "the %s is not there", p.config).
			WithHint("put it back from a backup")
	case isSymlink(p.config.Path):
		return fault.New(fault.KeyUnavailable, "the %s is a symbolic link", p.config).
			WithHint("name the file itself")
	}
	return fault.Wrap(fault.KeyUnavailable, fault.WithoutPath(err), "the %s cannot be read", p.config)
}

func (p fileProvider) writeFault(err error) error {
	code, hint := fault.IO, "name a file in a directory of yours on a local disk"
	if isDiskFull(err) {
		code, hint = fault.DiskFull, "free some space, then try again"
	}
	return fault.Wrap(code, fault.WithoutPath(err), "the %s cannot be made", p.config).WithHint("%s", hint)
}

func isSymlink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// shellWord returns s such that a shell, and a reader, take it for one word.
func shellWord(s string) string {
	special := func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:@%,=", r)
	}
	if !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
