package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aivault/keys/fault"
	"aivault/vault/internal/store"
)

// BackupFrom is Backup for a vault that another process has open: what it writes
// comes from a source there, as CopyTo gives it, which is told the name of the
// file. It needs no key. The file gets its name when the source said that it
// wrote all.
func (l *Local) BackupFrom(ctx context.Context, file string, replace bool, source func(ctx context.Context, name string, w io.Writer) (Backup, error)) (Backup, error) {
	path, err := l.backupPath(file, replace)
	if err != nil {
		return Backup{}, err
	}
	sweepBackups(filepath.Dir(path), l.opts.Now())
	temp := filepath.Join(filepath.Dir(path), backupPrefix+rand.Text()+backupSuffix)
	var made Backup
	err = store.WriteFile(temp, func(w io.Writer) (err error) {
		to := &counted{Writer: w}
		made, err = source(ctx, path, to)
		switch {
		case to.err != nil:
			return to.err // of the disk, which the source only passes on
		case err == nil && to.bytes != made.Bytes:
			return fault.New(fault.IO, "%d bytes of a backup of %d came", to.bytes, made.Bytes).WithHint("try again")
		}
		return err
	})
	if err != nil {
		return Backup{}, l.explainCopy(err, path)
	}
	defer func() { _ = os.Remove(temp) }() // unless it has its name
	if err := publish(temp, path, replace); errors.Is(err, fs.ErrExist) {
		return Backup{}, errBackupExists(path)
	} else if err != nil {
		return Backup{}, l.explainCopy(err, path)
	}
	made.File = path
	return made, nil
}

// A counted writer counts what it writes, and keeps its error.
type counted struct {
	io.Writer
	bytes int64
	err   error
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.bytes += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}
