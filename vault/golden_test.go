package vault_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

var update = flag.Bool("update", false, "make testdata/v1 anew; a vault of the format that is released must not change")

// goldenVar holds the key of the vault in testdata, which is that of kek.key.
const goldenVar = "AIVAULT_GOLDEN_KEY"

// TestGolden opens a vault of format 1 that was written once and for all, and
// compares all it holds, values included, with what was put into it then.
func TestGolden(t *testing.T) {
	if *update {
		makeGolden(t)
	}
	dir := vaulttest.Dir(t)
	must(t, os.WriteFile(vaultFile(dir), []byte(read(t, "testdata/v1/vault.db")), 0o600)) // git keeps no modes
	l := golden(t, dir)
	p, err := take(t.Context(), l)
	must(t, err)
	for _, s := range p.Secrets {
		value, err := revealAt(t.Context(), l, s.ID, append(s.Hosts, vault.Host{Name: "api.acme.test"})[0])
		must(t, err)
		p.Values = append(p.Values, s.Name+"="+value)
	}
	for _, e := range p.Events { // what JSON leaves to others
		p.Values = append(p.Values, fmt.Sprintf("event %d at %s: %s %s", e.Seq, e.Time.Format(time.RFC3339Nano), e.Secret, e.Duration))
	}
	got, err := json.MarshalIndent(p, "", "\t")
	must(t, err)
	if *update {
		must(t, os.WriteFile("testdata/v1/content.json", append(got, '\n'), 0o644))
	}
	if diff := cmp.Diff(string(got)+"\n", read(t, "testdata/v1/content.json")); diff != "" {
		t.Errorf("content (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
	vaulttest.Create(t, l, vault.GlobalScope(), "written-today", "made-up")
	vaulttest.Healthy(t, l)
}

// golden opens the vault in dir with the key in testdata.
func golden(t *testing.T, dir string) *vault.Local {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	n := 0
	l := vault.New(vault.Options{
		Root: dir, Claims: claims, Actor: "golden",
		Keys: keys.Source{Getenv: func(name string) string {
			if name != goldenVar {
				return ""
			}
			return read(t, "testdata/v1/kek.key")
		}},
		Now: func() time.Time { n++; return start.Add(time.Duration(n) * time.Minute) },
	})
	t.Cleanup(l.Close)
	return l
}

// makeGolden writes testdata/v1: a vault with something of everything.
func makeGolden(t *testing.T) {
	ctx := t.Context()
	dir := vaulttest.Dir(t)
	l := golden(t, dir)
	_, err := l.Init(ctx, keys.Config{Kind: keys.KindEnv, Var: goldenVar})
	must(t, err)
	pinned := newSecret(group("w", "g"), "ACME_KEY", "made-up-value-1")
	pinned.Aliases = []string{"alias-é"}
	one, err := l.CreateSecret(ctx, pinned)
	must(t, err)
	free := newSecret(vault.GlobalScope(), "mine", "made-up-value-2")
	free.AttachedOnly = true
	two, err := l.CreateSecret(ctx, free)
	must(t, err)
	_, _, err = l.AttachGroup(ctx, two.ID, vault.GroupRef{Workspace: "w", Group: "other"}, 0)
	must(t, err)
	_, err = l.RotateSecret(ctx, one.ID, val("made-up-value-3"), 0)
	must(t, err)
	c := credential("acme-2", two.ID, "api.acme.test", "two.acme.test:8443")
	c.Scope, c.Capabilities, c.CACert, c.AllowPrivate = workspace("w"), []string{"acme/items"}, []byte("made-up PEM"), true
	_, err = l.CreateCredential(ctx, c, val("made-up-value-2"))
	must(t, err)
	_, err = l.CreateCapability(ctx, capability("acme/items"))
	must(t, err)
	_, err = l.PutBinding(ctx, vault.Binding{Capability: "acme/items", Secret: one.ID, Scope: group("w", "g"), Consumer: "agent"}, nil)
	must(t, err)
	_, err = l.DisableCredential(ctx, "acme:w")
	must(t, err)
	grant, err := l.Authorize(ctx, decideUse(vault.Use{Secret: one.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}))
	must(t, err)
	must(t, l.Finish(ctx, grant.Intent, vault.Event{Outcome: vault.OutcomeOK, Status: 200, Duration: time.Second}))
	must(t, os.WriteFile(filepath.Join("testdata", "v1", "vault.db"), []byte(read(t, vaultFile(dir))), 0o644))
}
