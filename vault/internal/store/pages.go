package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// CheckPages looks for pages that are in use and free at once, or in use twice:
// to write would put one thing in the place of another. Nothing that is read
// tells, as only who writes looks at the list of free pages, and that has no
// checksum. It wraps ErrDamaged.
func (b *Bolt) CheckPages(ctx context.Context) error {
	unlock, err := b.prepare(ctx, false)
	if err != nil {
		return err
	}
	defer unlock()
	f, err := os.OpenFile(b.Path(), os.O_RDONLY|openFlags, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was read only
	return checkPages(f)
}

func checkPages(f io.ReaderAt) error {
	p := pages{file: f}
	if !p.readMeta() {
		return fmt.Errorf("%w: it has no head", ErrDamaged)
	}
	if err := p.readFree(); err != nil {
		return err
	}
	return p.walk()
}

// hasFreeList refuses a file that says of itself that it has no list of free
// pages, as bbolt would go through all pages to make one, in whatever circle they
// lead. We always write one.
func hasFreeList(f io.ReaderAt) error {
	p := pages{file: f}
	if p.readMeta() && p.free == noFreeList {
		return fmt.Errorf("%w: its list of free pages is missing", ErrDamaged)
	}
	return nil // or bbolt says what is wrong with its head
}

// How bbolt lays out a page, in the machine's byte order
// (go.etcd.io/bbolt/internal/common): a header of id u64, flags u16, count u16,
// overflow u32, and as many elements as it counts.
const (
	branchPage, leafPage, freePage = 0x01, 0x02, 0x10

	element    = 16     // bytes of an element of a branch or a leaf
	bucketLeaf = 0x01   // flag of a leaf's element that is a bucket
	longCount  = 0xffff // of a list of free pages: its length is the first number in it
	noFreeList = ^uint64(0)
)

// pages are those of one file, as its newer head has them.
type pages struct {
	file io.ReaderAt
	size int64  // of a page
	root uint64 // of the tree
	free uint64 // where the list of free pages is
	end  uint64 // the first page that never was
	seen map[uint64]bool
}

// readMeta reads the newer of the two heads, as bbolt does.
func (p *pages) readMeta() bool {
	var newest uint64
	found := false
	for _, size := range []int64{0, int64(os.Getpagesize()), 4096, 1 << 14, 1 << 16} {
		var m metaBytes
		if _, err := p.file.ReadAt(m[:], size+pageHeader); err != nil {
			continue
		}
		num := func(at int) uint64 { return binary.NativeEndian.Uint64(m[at:]) }
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56]) // it never fails
		const magic = 0xED0CDAED
		if binary.NativeEndian.Uint32(m[:]) != magic || num(56) != sum.Sum64() || found && num(48) <= newest {
			continue
		}
		newest, found = num(48), true
		p.size, p.root, p.free, p.end = int64(binary.NativeEndian.Uint32(m[8:])), num(16), num(32), num(40)
	}
	const largest, most = 1 << 20, 1 << 40 // no page is larger, and no disk has more
	if !found || p.size < 512 || p.size > largest || p.end < 2 || p.end > most {
		return false
	}
	var last [1]byte
	if _, err := p.file.ReadAt(last[:], int64(p.end)*p.size-1); err != nil {
		return false // the file ends before
	}
	p.seen = map[uint64]bool{} // what the head says is not believed before it is seen
	return true
}

// take notes that a page is in use, or free.
func (p *pages) take(id uint64) error {
	if id < 2 || id >= p.end {
		return fmt.Errorf("%w: it has no page %d", ErrDamaged, id)
	}
	if p.seen[id] {
		return fmt.Errorf("%w: page %d is there twice, or free and in use", ErrDamaged, id)
	}
	p.seen[id] = true
	return nil
}

// read reads a page with all that belongs to it, and takes them.
func (p *pages) read(id uint64) (b []byte, flags, count int, err error) {
	if err := p.take(id); err != nil {
		return nil, 0, 0, err
	}
	var head [pageHeader]byte
	if _, err := p.file.ReadAt(head[:], int64(id)*p.size); err != nil {
		return nil, 0, 0, err
	}
	flags, count = int(binary.NativeEndian.Uint16(head[8:])), int(binary.NativeEndian.Uint16(head[10:]))
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	const longest = 1 << 28 // bytes; a value has 64 KiB
	if binary.NativeEndian.Uint64(head[:]) != id || int64(more)*p.size > longest {
		return nil, 0, 0, fmt.Errorf("%w: page %d is another one", ErrDamaged, id)
	}
	for i := range more {
		if err := p.take(id + 1 + i); err != nil {
			return nil, 0, 0, err
		}
	}
	b = make([]byte, int64(more+1)*p.size)
	_, err = p.file.ReadAt(b, int64(id)*p.size)
	return b, flags, count, err
}

// readFree takes the free pages.
func (p *pages) readFree() error {
	b, flags, count, err := p.read(p.free)
	if err != nil {
		return err
	}
	ids := b[pageHeader:]
	n := uint64(count)
	if count == longCount {
		n, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if flags != freePage || n > uint64(len(ids)/8) {
		return fmt.Errorf("%w: its list of free pages is none", ErrDamaged)
	}
	for i := range n {
		if err := p.take(binary.NativeEndian.Uint64(ids[8*i:])); err != nil {
			return err
		}
	}
	return nil
}

// walk takes the pages of the tree, and of the trees in it.
func (p *pages) walk() error {
	for todo := []uint64{p.root}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		b, flags, count, err := p.read(id)
		if err != nil {
			return err
		}
		if flags != branchPage && flags != leafPage || pageHeader+count*element > len(b) {
			return fmt.Errorf("%w: page %d is no part of its tree", ErrDamaged, id)
		}
		for i := range count {
			at := pageHeader + i*element
			if flags == branchPage {
				todo = append(todo, binary.NativeEndian.Uint64(b[at+8:]))
				continue
			}
			if binary.NativeEndian.Uint32(b[at:])&bucketLeaf == 0 {
				continue
			}
			value := at + int(binary.NativeEndian.Uint32(b[at+4:])) + int(binary.NativeEndian.Uint32(b[at+8:]))
			if value < 0 || value+8 > len(b) {
				return fmt.Errorf("%w: page %d is no part of its tree", ErrDamaged, id)
			}
			if root := binary.NativeEndian.Uint64(b[value:]); root != 0 { // else it is in the page itself
				todo = append(todo, root)
			}
		}
	}
	return nil
}
