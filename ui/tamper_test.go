package ui_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aivault/broker/brokertest"
)

// Whoever changes a copy of the vault, anywhere, does not get an audit log that
// verifies and says something else: it is the same log, or the command names
// the first event that does not verify and exits with 7.
func TestAuditOfATamperedCopy(t *testing.T) {
	t.Parallel()
	v := newRealVault(t, brokertest.New(t))
	for i := range 6 {
		v.run(nil, "invoke", "acme/items", "--path", fmt.Sprint("/items/", i))
	}
	out, _ := v.run(nil, "audit", "verify")
	if !strings.HasPrefix(out, "17 events, ") {
		t.Fatalf("the log is %q", out)
	}
	copied := v.copy()
	elsewhere := []string{"AIVAULT_DIR=" + copied}
	log, _ := v.run(elsewhere, "audit", "--json")
	file := filepath.Join(copied, "vault.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const page, step = 4096, 487 // the first two pages say only which state is the last
	named := map[string]bool{}
	for at := 2 * page; at < len(whole); at += step {
		tampered := append([]byte(nil), whole...)
		tampered[at] ^= 0x10
		if err := os.WriteFile(file, tampered, 0o600); err != nil {
			t.Fatal(err)
		}
		_, errs, status := v.try(elsewhere, "audit", "verify", "--json")
		if status == 0 { // nothing of the log is there
			if got, errs, status := v.try(elsewhere, "audit", "--json"); status != 7 && (status != 0 || got != log) {
				t.Errorf("byte %d: another log verifies: status %d, %s", at, status, errs)
			}
			continue
		}
		var failed struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(errs), &failed); err != nil || status != 7 {
			t.Errorf("byte %d: status %d, %s", at, status, errs)
		}
		if failed.Error.Code == "audit_broken" {
			named[failed.Error.Message] = true
		}
	}
	if len(named) < 3 {
		t.Errorf("broken at %v only", named)
	}
	for message := range named {
		var event int
		if _, err := fmt.Sscanf(message, "the audit log does not verify at event %d", &event); strings.Contains(message, "at event") && (err != nil || event < 1 || event > 17) {
			t.Errorf("there is no such event: %s", message)
		}
	}
}

// copy copies the vault, and returns where to.
func (v *realVault) copy() string {
	v.t.Helper()
	copied := filepath.Join(filepath.Dir(v.dir), "copy")
	if err := os.Mkdir(copied, 0o700); err != nil {
		v.t.Fatal(err)
	}
	for _, name := range []string{"vault.db", "kek.key"} {
		content, err := os.ReadFile(filepath.Join(v.dir, name))
		if err != nil {
			v.t.Fatal(err)
		}
		v.file(filepath.Join("copy", name), string(content))
	}
	return copied
}
