//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"aivault/ui/faultrun"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// A disk is what a directory is made of where the power can go: for each file
// what it holds for sure, and what was written since; the names that are sure,
// and those that were given since.
//
// After fsync or fdatasync of a file its content is sure, after fsync of a
// directory the names in it. Before that, each sector holds anything that was
// written to it, and the size is the old or the new one. Names appear in the
// order in which they were given, as a journal has them.
type disk struct {
	dir   string
	inode map[string]*inode // by path, as programs see it
	sure  map[string]*inode // by path, as it is for sure
	names []naming          // since
}

// An inode is a file, or a directory.
type inode struct {
	dir     bool
	sure    []byte
	writes  []write
	current []byte // as programs see it
}

// A write puts data at an offset; without data the file ends there.
type write struct {
	at   int64
	data []byte
}

// A naming gives a file a name, or takes the name away: nil.
type naming struct {
	path string
	file *inode
}

// newDisk is a disk on which everything is sure.
func newDisk(dir string, files map[string][]byte) *disk {
	d := &disk{dir: dir, inode: map[string]*inode{dir: {dir: true}}}
	for name, content := range files {
		path := filepath.Join(dir, name)
		d.inode[path] = &inode{dir: content == nil, sure: content, current: bytes.Clone(content)}
		for up := filepath.Dir(path); d.inode[up] == nil; up = filepath.Dir(up) {
			d.inode[up] = &inode{dir: true}
		}
	}
	d.sure = maps.Clone(d.inode)
	return d
}

// name gives a name.
func (d *disk) name(path string, file *inode) {
	if d.names = append(d.names, naming{path, file}); file == nil {
		delete(d.inode, path)
		return
	}
	d.inode[path] = file
}

// apply makes a call that succeeds, unless the disk as it is shows that it does not.
func (d *disk) apply(c faultrun.Call) {
	f := d.inode[c.Path]
	switch c.Name {
	case "openat":
		if f == nil && c.Flags&syscall.O_CREAT != 0 {
			d.name(c.Path, &inode{})
		} else if f != nil && c.Flags&syscall.O_TRUNC != 0 {
			f.write(write{at: 0})
		}
	case "mkdirat":
		if f == nil {
			d.name(c.Path, &inode{dir: true})
		}
	case "unlinkat":
		if f != nil {
			d.name(c.Path, nil)
		}
	case "linkat":
		if f != nil && d.inode[c.To] == nil {
			d.name(c.To, f)
		}
	case "renameat", "renameat2":
		if f != nil {
			d.name(c.To, f)
			d.name(c.Path, nil)
		}
	case "pwrite64", "write":
		if f != nil {
			f.write(write{c.Offset, c.Data})
		}
	case "ftruncate":
		f.write(write{at: c.Offset})
	case "fsync", "fdatasync":
		d.sync(c.Path, f)
	}
}

// sync makes a file sure, or the names in a directory.
func (d *disk) sync(path string, f *inode) {
	if f == nil {
		return // it has no name any more
	}
	if !f.dir {
		f.sure, f.writes = bytes.Clone(f.current), nil
		return
	}
	// A journal is written up to the last name of the directory.
	last := -1
	for i, n := range d.names {
		if filepath.Dir(n.path) == path {
			last = i
		}
	}
	for _, n := range d.names[:last+1] {
		give(d.sure, n)
	}
	d.names = d.names[last+1:]
}

func give(names map[string]*inode, n naming) {
	if n.file == nil {
		delete(names, n.path)
		return
	}
	names[n.path] = n.file
}

func (f *inode) write(w write) {
	f.writes = append(f.writes, w)
	f.current = w.onto(f.current)
}

// onto is what a file holds after the write.
func (w write) onto(b []byte) []byte {
	if w.data == nil {
		return append(bytes.Clone(b[:min(w.at, int64(len(b)))]), make([]byte, max(0, w.at-int64(len(b))))...)
	}
	if end := w.at + int64(len(w.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[w.at:], w.data)
	return b
}

// lose is what is on the disk when the power goes: one of many possibilities.
func (d *disk) lose(rng *rand.Rand) map[string][]byte {
	names := maps.Clone(d.sure)
	for _, n := range d.names[:rng.IntN(len(d.names)+1)] {
		give(names, n)
	}
	contents := map[*inode][]byte{}
	files := map[string][]byte{}
	for _, path := range slices.Sorted(maps.Keys(names)) {
		f := names[path]
		name, _ := strings.CutPrefix(path, d.dir+"/")
		switch {
		case path == d.dir:
		case f.dir:
			files[name] = nil
		default:
			if contents[f] == nil {
				contents[f] = f.lose(rng)
			}
			files[name] = contents[f]
		}
	}
	return files
}

// lose is what is left of a file.
func (f *inode) lose(rng *rand.Rand) []byte {
	size := len(f.sure)
	if rng.IntN(2) == 0 {
		size = len(f.current)
	}
	b := make([]byte, max(len(f.sure), len(f.current)))
	copy(b, f.sure)
	// How likely a sector is to arrive differs from image to image: all, or next
	// to none, are what real disks do most.
	odds := []float64{0.02, 0.5, 0.5, 0.98}[rng.IntN(4)]
	for _, w := range f.writes {
		for at := w.at / sector * sector; at < w.at+int64(len(w.data)); at += sector {
			if rng.Float64() < odds {
				from, to := max(at, w.at), min(at+sector, w.at+int64(len(w.data)))
				copy(b[from:to], w.data[from-w.at:to-w.at])
			}
		}
	}
	return b[:size]
}
