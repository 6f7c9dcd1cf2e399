//go:build unix

package keys

import (
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"aivault/keys/fault"
)

func TestFileWriteFault(t *testing.T) {
	p := fileProvider{Config{Kind: KindFile, Path: "/d/kek.key"}}
	for errno, want := range map[syscall.Errno]fault.Code{
		syscall.ENOSPC: fault.DiskFull, syscall.EDQUOT: fault.DiskFull,
		syscall.EROFS: fault.IO, syscall.EACCES: fault.IO, syscall.EIO: fault.IO,
	} {
		for _, err := range []error{
			&fs.PathError{Op: "write", Path: "/d/temp", Err: errno},
			&os.LinkError{Op: "link", Old: "/d/temp", New: "/d/kek.key", Err: errno},
		} {
			got := p.writeFault(err)
			if fault.CodeOf(got) != want || got.Error() != `the key file "/d/kek.key" cannot be made: `+errno.Error() {
				t.Errorf("%v: got %q with code %q, want %q", err, got, fault.CodeOf(got), want)
			}
			if full := strings.Contains(fault.HintOf(got), "space"); full != (want == fault.DiskFull) {
				t.Errorf("%v: the hint is %q", err, fault.HintOf(got))
			}
		}
	}
}
