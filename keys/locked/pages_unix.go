//go:build unix

package locked

import "golang.org/x/sys/unix"

// mapPages returns n bytes of zeros in pages of their own, or nil.
func mapPages(n int) []byte {
	mem, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil
	}
	_ = unix.Mlock(mem) // what is refused is done without: see the package
	advise(mem)
	return mem
}
