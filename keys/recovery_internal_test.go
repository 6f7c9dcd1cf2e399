package keys

import (
	"slices"
	"testing"
)

// TestRecoveryFindsFourErrors: no error of up to four characters passes. That is
// so if the checksums of all errors of one and two characters are different from
// each other: two that were the same would be one of at most four that passes.
// The code is linear: what holds for one recovery key holds for all.
func TestRecoveryFindsFourErrors(t *testing.T) {
	t.Parallel()
	const n, q = 40, 32
	zero := recoveryChecksum(make([]byte, n))
	var single [n][q]uint32
	all := []uint32{0}
	for i := range n {
		for v := 1; v < q; v++ {
			word := make([]byte, n)
			word[i] = byte(v)
			single[i][v] = recoveryChecksum(word) ^ zero
			all = append(all, single[i][v])
		}
	}
	for i := range n {
		for j := range i {
			for v := 1; v < q; v++ {
				for w := 1; w < q; w++ {
					all = append(all, single[i][v]^single[j][w])
				}
			}
		}
	}
	// It is linear: what was added up is what two errors at once give.
	word := make([]byte, n)
	word[3], word[30] = 7, 21
	if recoveryChecksum(word)^zero != single[3][7]^single[30][21] {
		t.Fatal("the checksum is not linear")
	}
	total := len(all)
	slices.Sort(all)
	if distinct := len(slices.Compact(all)); distinct != total {
		t.Errorf("%d of %d errors of up to two characters share a checksum", total-distinct, total)
	}
}
