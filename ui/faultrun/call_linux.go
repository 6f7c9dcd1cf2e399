//go:build amd64 || arm64

package faultrun

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Call is a system call that is about to happen to a file of the directory.
type Call struct {
	Index int    // of all of them, from 1
	N     int    // of those of its name, from 1
	Name  string // pwrite64, fdatasync, ...
	Path  string // the file that it is about, absolute
	To    string // of linkat, renameat and renameat2: the other name

	Data   []byte // of write and pwrite64, where the Watch wants it
	Offset int64  // of write and pwrite64: where it goes; of ftruncate: the size
	Flags  int    // of openat
}

func (c Call) String() string {
	s := fmt.Sprintf("%s %d %s", c.Name, c.N, filepath.Base(c.Path))
	if c.To != "" {
		s += " " + filepath.Base(c.To)
	}
	return s
}

// A shape says where a call has what.
type shape struct {
	number uintptr
	name   string
	fd     int // argument that is the descriptor of the file, or -1
	paths  []int
	data   int // argument that is the address of what is written; 0: none
	offset int // argument that is an offset, or a size; 0: none
	flags  int // 0: none
}

// interesting are the calls that change what is on a disk, and those that open
// files.
func interesting() []shape {
	return []shape{
		{number: unix.SYS_PWRITE64, name: "pwrite64", data: 1, offset: 3},
		{number: unix.SYS_WRITE, name: "write", data: 1},
		{number: unix.SYS_FDATASYNC, name: "fdatasync"},
		{number: unix.SYS_FSYNC, name: "fsync"},
		{number: unix.SYS_FTRUNCATE, name: "ftruncate", offset: 1},
		{number: unix.SYS_OPENAT, name: "openat", fd: -1, paths: []int{1}, flags: 2},
		{number: unix.SYS_MKDIRAT, name: "mkdirat", fd: -1, paths: []int{1}},
		{number: unix.SYS_UNLINKAT, name: "unlinkat", fd: -1, paths: []int{1}},
		{number: unix.SYS_LINKAT, name: "linkat", fd: -1, paths: []int{1, 3}},
		{number: unix.SYS_RENAMEAT, name: "renameat", fd: -1, paths: []int{1, 3}},
		{number: unix.SYS_RENAMEAT2, name: "renameat2", fd: -1, paths: []int{1, 3}},
	}
}

// describe finds out what a call is about; false if it is no file of dir.
func (n *notification) describe(dir string, data bool) (c Call, ours bool, err error) {
	s := n.shape()
	c.Name = s.name
	proc := "/proc/" + strconv.Itoa(int(n.pid))
	if s.fd == 0 {
		c.Path, err = os.Readlink(proc + "/fd/" + strconv.Itoa(int(n.args[0])))
	}
	for i, arg := range s.paths {
		var path string
		if path, err = n.path(proc, arg); err != nil {
			return c, false, err
		}
		if i == 0 {
			c.Path = path
		} else {
			c.To = path
		}
	}
	if err != nil || !within(c.Path, dir) && !within(c.To, dir) {
		return c, false, err
	}
	switch {
	case s.offset > 0:
		c.Offset = int64(n.args[s.offset])
	case s.data > 0:
		c.Offset, err = position(proc, int(n.args[0]))
	}
	if s.flags > 0 {
		c.Flags = int(n.args[s.flags])
	}
	if s.data > 0 && data && err == nil {
		c.Data = make([]byte, n.args[2])
		err = n.read(proc, c.Data, n.args[s.data])
	}
	return c, true, err
}

func within(path, dir string) bool { return strings.HasPrefix(path, dir+"/") || path == dir }

// path reads the path that is an argument of the call, and makes it absolute.
func (n *notification) path(proc string, arg int) (string, error) {
	mem, err := os.Open(proc + "/mem")
	if err != nil {
		return "", err
	}
	defer func() { _ = mem.Close() }() // it was read only
	var buf [unix.PathMax]byte
	// What follows the path may be no memory any more.
	got, err := mem.ReadAt(buf[:], int64(n.args[arg]))
	end := bytes.IndexByte(buf[:got], 0)
	if end < 0 {
		return "", fmt.Errorf("a path without an end: %w", err)
	}
	path := string(buf[:end])
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	base := proc + "/cwd"
	if fd := int32(n.args[arg-1]); fd != unix.AT_FDCWD {
		base = proc + "/fd/" + strconv.Itoa(int(fd))
	}
	dir, err := os.Readlink(base)
	return filepath.Join(dir, path), err
}

// read reads the memory of the program.
func (n *notification) read(proc string, b []byte, addr uint64) error {
	mem, err := os.Open(proc + "/mem")
	if err != nil {
		return err
	}
	defer func() { _ = mem.Close() }() // it was read only
	_, err = mem.ReadAt(b, int64(addr))
	return err
}

// position is where a descriptor writes next, as proc(5) tells.
func position(proc string, fd int) (pos int64, err error) {
	b, err := os.ReadFile(proc + "/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(string(b), "pos:\t%d", &pos)
	return pos, err
}
