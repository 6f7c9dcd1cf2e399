package ui_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"aivault/broker/brokertest"
)

// Case 102: somebody who can write the file, and has no key, edits the log. The
// first event that does not verify is named, and the exit status says so.
func TestAuditVerifyNamesTheFirst(t *testing.T) {
	t.Parallel()
	v := newRealVault(t, brokertest.New(t))
	v.run(nil, "invoke", "acme/items")
	db, err := bbolt.Open(filepath.Join(v.dir, "vault.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			for _, seq := range []byte{3, 5} {
				key := []byte{7: seq} // eight bytes, big-endian
				if entry := b.Get(key); entry != nil {
					entry = append([]byte{}, entry...)
					entry[len(entry)-1] ^= 1
					changed++
					if err := b.Put(key, entry); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	if closing := db.Close(); err != nil || closing != nil || changed != 2 {
		t.Fatalf("changed %d entries: %v, %v", changed, err, closing)
	}
	for _, args := range [][]string{{"audit", "verify"}, {"audit", "verify", "--json"}, {"doctor"}} {
		cmd := exec.Command(v.exe, args...)
		cmd.Env = v.env
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != 7 || !strings.Contains(string(out), "event 3:") {
			t.Errorf("%s: exit status %d\n%s", strings.Join(args, " "), got, out)
		}
	}
}
