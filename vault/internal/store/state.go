package store

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
)

// A State differs from that of any other moment at which the file was another
// one, or held something else. It is comparable, and zero if there is no file.
type State struct {
	file  fileID
	time  int64        // of the last write, in nanoseconds since 1970
	metas [2]metaBytes // each commit writes one of the two in turn
}

// Where bbolt keeps what a commit changes: behind the header of the first two
// pages, in the machine's byte order (go.etcd.io/bbolt/internal/common). That
// holds the transaction id, the roots and a checksum.
const (
	pageHeader    = 16
	pageSizeField = 8
)

type metaBytes [64]byte

// State tells what the file is now. It takes no lock, waits for nobody, and
// does not verify anything: what a commit is just writing may be seen in part,
// and the next State is another one then.
func (b *Bolt) State() (State, error) {
	f, err := os.OpenFile(b.Path(), os.O_RDONLY|openFlags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, err
	}
	defer func() { _ = f.Close() }() // it was read only
	fi, err := f.Stat()
	if err != nil {
		return State{}, err
	}
	s := State{time: fi.ModTime().UnixNano()}
	if s.file, err = identify(f, fi); err != nil {
		return State{}, err
	}
	if err := readMeta(f, &s.metas[0], 0); err != nil {
		return State{}, err
	}
	size := int64(binary.NativeEndian.Uint32(s.metas[0][pageSizeField:]))
	return s, readMeta(f, &s.metas[1], size)
}

// readMeta reads the meta page at an offset, as far as there is one.
func readMeta(f io.ReaderAt, m *metaBytes, offset int64) error {
	if _, err := f.ReadAt(m[:], offset+pageHeader); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
