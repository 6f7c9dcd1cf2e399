package keys

import (
	"bytes"
	"crypto/rand"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// What a KDF may ask for. The lower bound is the least that OWASP's password
// storage cheat sheet advises; the upper one is the first choice of RFC 9106,
// section 4. More, from a file that somebody changed, would be a way to use up
// this machine's memory or to wait for ever.
const (
	minMemoryKiB = 19 << 10
	maxMemoryKiB = 2 << 20
	maxTime      = 16
	maxThreads   = 16
	minSalt      = 16
	maxSalt      = 64
)

// What new passphrases get: about a second on two cores. Where memory is
// short, it is the second choice of RFC 9106, section 4.
const (
	defaultTime      = 3
	defaultThreads   = 4
	defaultMemoryKiB = 256 << 10
	shortMemoryKiB   = 64 << 10

	// plentyKiB is the available memory from which on the default is used:
	// what is derived must not push everything else out.
	plentyKiB = 2 * defaultMemoryKiB
)

// A KDF is how a passphrase becomes a key: the parameters of Argon2id, version
// 1.3 (RFC 9106).
type KDF struct {
	Time      uint32 // passes, 1 to 16
	MemoryKiB uint32 // 19 MiB to 2 GiB
	Threads   uint8  // lanes, 1 to 16
	Salt      []byte // 16 to 64 bytes
}

// DefaultKDF returns the parameters for a new passphrase, with a salt of their
// own: 256 MiB, or 64 MiB where this machine or its container has not twice as
// much to spare.
func DefaultKDF() (KDF, error) {
	k := KDF{Time: defaultTime, MemoryKiB: defaultMemoryKiB, Threads: defaultThreads, Salt: make([]byte, minSalt)}
	if availableKiB(os.ReadFile) < plentyKiB {
		k.MemoryKiB = shortMemoryKiB
	}
	if _, err := rand.Read(k.Salt); err != nil {
		return KDF{}, fault.Wrap(fault.Internal, err, "making a salt")
	}
	return k, nil
}

// Validate reports whether k is within bounds; fault.InvalidRequest if not.
func (k KDF) Validate() error {
	within := func(what string, n, low, high int) error {
		if n < low || n > high {
			return fault.New(fault.InvalidRequest, "key derivation with %s %d is outside of %d to %d", what, n, low, high)
		}
		return nil
	}
	for _, err := range []error{
		within("memory in KiB", int(k.MemoryKiB), minMemoryKiB, maxMemoryKiB),
		within("passes", int(k.Time), 1, maxTime),
		within("lanes", int(k.Threads), 1, maxThreads),
		within("salt bytes", len(k.Salt), minSalt, maxSalt),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (k KDF) equal(o KDF) bool {
	return k.Time == o.Time && k.MemoryKiB == o.MemoryKiB && k.Threads == o.Threads && bytes.Equal(k.Salt, o.Salt)
}

// derive returns the key of a passphrase. It neither keeps nor clears the
// passphrase. The memory that Argon2 worked in is left to the collector.
func (k KDF) derive(passphrase []byte) (Key, error) {
	if err := k.Validate(); err != nil { // before a byte is allocated
		return nil, err
	}
	return opaque.NewKey(argon2.IDKey(passphrase, k.Salt, k.Time, k.MemoryKiB, k.Threads, KeySize)), nil
}

// availableKiB returns the memory that can be had without swapping, as far as
// it can be told: on Linux what the kernel says, and no more than the control
// group has left; elsewhere as much as one likes.
func availableKiB(readFile func(string) ([]byte, error)) uint64 {
	free := uint64(math.MaxUint64)
	if b, err := readFile("/proc/meminfo"); err == nil {
		if n, ok := memAvailable(string(b)); ok {
			free = n
		}
	}
	number := func(path string) (uint64, error) {
		b, err := readFile(path)
		if err != nil {
			return 0, err
		}
		return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	}
	limit, err := number("/sys/fs/cgroup/memory.max") // or "max": no limit
	if err != nil {
		return free
	}
	used, err := number("/sys/fs/cgroup/memory.current")
	if err != nil {
		return free
	}
	return min(free, (limit-min(limit, used))>>10)
}

// memAvailable finds the MemAvailable of proc(5), /proc/meminfo, in KiB.
func memAvailable(meminfo string) (uint64, bool) {
	for line := range strings.Lines(meminfo) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "MemAvailable:" && f[2] == "kB" {
			n, err := strconv.ParseUint(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
