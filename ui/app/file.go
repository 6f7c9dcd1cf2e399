package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"aivault/keys/fault"
)

// A File is input that a user named: a file, or the standard input.
type File struct {
	Name  string
	Stdin bool
	Mode  fs.FileMode // zero unless it is a file of its own

	r     io.Reader
	close func() error
}

// OpenFile opens what a user named. A dash and /dev/stdin are the standard
// input; /dev/fd/N, which shells make of <(command), is a descriptor that is
// open already. Everything else must be a regular file: a pipe could keep us
// waiting for ever, and a device has no end. Errors are fault.InvalidRequest.
func (e *Env) OpenFile(path string) (*File, error) {
	if path == "-" || path == "/dev/stdin" {
		return &File{Name: "the standard input", Stdin: true, r: e.Stdin}, nil
	}
	return openPath(path, strings.HasPrefix(path, "/dev/fd/"))
}

// openPath opens a file; what is open already need not be a regular one.
func openPath(path string, descriptor bool) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "opening %q", path)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, fault.Wrap(fault.InvalidRequest, err, "looking at %q", path)
	}
	if !info.Mode().IsRegular() && !descriptor {
		_ = f.Close()
		return nil, fault.New(fault.InvalidRequest, "%q is not a regular file", path).
			WithHint("to read from a pipe, use - for the standard input")
	}
	file := &File{Name: path, r: f, close: f.Close}
	if info.Mode().IsRegular() {
		file.Mode = info.Mode()
	}
	return file, nil
}

// Close closes the file; the standard input stays open.
func (f *File) Close() {
	if f.close != nil {
		_ = f.close() // it was only read
	}
}

// ReadAll reads to the end, at most limit bytes; the bytes that arrive are
// counted, as a file may grow while it is read. The caller owns the result. It
// returns when ctx ends, even if the input does not.
func (f *File) ReadAll(ctx context.Context, limit int64) ([]byte, error) {
	type result struct {
		b   []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		b, err := readUpTo(f.r, limit+1)
		done <- result{b, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Canceled, context.Cause(ctx), "reading %s", f.Name)
	case r := <-done:
		if r.err == nil && int64(len(r.b)) > limit {
			r.err = fault.New(fault.RequestTooLarge, "%s has more than %d bytes", f.Name, limit)
		}
		if r.err == nil {
			return r.b, nil
		}
		clear(r.b)
		if e, ok := errors.AsType[*fault.Error](r.err); ok {
			return nil, e
		}
		return nil, fault.Wrap(fault.InvalidRequest, r.err, "reading %s", f.Name)
	}
}

// readUpTo reads to the end or to limit. What is small enough to be a secret
// is read into one buffer, as one that grows leaves copies behind.
func readUpTo(r io.Reader, limit int64) ([]byte, error) {
	if limit > 128<<10 {
		return io.ReadAll(io.LimitReader(r, limit))
	}
	buf := make([]byte, limit)
	n, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return buf[:n], err
}

// ReadFile opens, reads and closes what a user named.
func (e *Env) ReadFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := e.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadAll(ctx, limit)
}

// ReadPath reads a regular file, and nothing else: where somebody types its name
// into a screen, the standard input and what else is open are the screen's.
func ReadPath(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := openPath(path, false)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadAll(ctx, limit)
}
