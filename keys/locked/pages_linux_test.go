package locked_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"aivault/keys/locked"
)

// flagsOf returns the VmFlags of proc(5), /proc/PID/smaps, of the pages in which
// b is, and the pages themselves.
func flagsOf(t *testing.T, b []byte) (flags []string, mem []byte) {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	var from, to uintptr
	for line := range strings.Lines(string(smaps)) {
		var start, end uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &start, &end); n == 2 {
			from, to = start, end
			continue
		}
		if rest, ok := strings.CutPrefix(line, "VmFlags:"); ok && from <= at && at < to {
			first := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), -int(at-from)))
			return strings.Fields(rest), unsafe.Slice(first, to-from)
		}
	}
	t.Fatal("the key is in no memory of this process")
	return nil, nil
}

// The pages are locked into memory, in no core dump, empty in a forked child; and
// zeros once all keys are freed.
func TestPages(t *testing.T) {
	k := locked.New(pattern(locked.Size))
	flags, mem := flagsOf(t, k.Bytes())
	want := []string{"lo", "dd", "wf"}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil || limit.Cur < 8192 && os.Getuid() != 0 {
		want = want[1:]
		t.Logf("not to be locked: the limit is %d bytes, %v", limit.Cur, err)
	}
	for _, flag := range want {
		if !slices.Contains(flags, flag) {
			t.Errorf("the pages are not %s: %q", flag, flags)
		}
	}
	if !bytes.Contains(mem, pattern(locked.Size)) || len(mem) > 1<<20 {
		t.Fatalf("these %d bytes are not the pages of the key", len(mem))
	}
	k.Free()
	if !bytes.Equal(mem, make([]byte, len(mem))) {
		t.Error("there is something left in the pages")
	}
}
