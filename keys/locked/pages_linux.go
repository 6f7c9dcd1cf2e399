package locked

import "golang.org/x/sys/unix"

// advise keeps the pages out of core dumps and forked children.
func advise(mem []byte) {
	_ = unix.Madvise(mem, unix.MADV_DONTDUMP)
	_ = unix.Madvise(mem, unix.MADV_WIPEONFORK)
}
