package vault_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

var update = flag.Bool("update", false, "make testdata/v4 anew; a vault of a format that is released must not change")

// latest is the format that is written, as testdata names it. Nothing writes the
// others any more.
const latest = "v4"

// goldenVar holds the key of the vault in testdata, which is that of kek.key.
const goldenVar = "AIVAULT_GOLDEN_KEY"

// goldenPhrase opens it, too, since format 3.
const goldenPhrase = "made-up words"

// TestGolden opens vaults of all formats that were written once and for all, and
// compares all they hold, values included, with what was put into them then. To
// look at one does not change it; to write makes it one of the latest format.
// Fault F24.
func TestGolden(t *testing.T) {
	if *update {
		makeGolden(t)
	}
	for _, version := range []string{"v1", "v2", "v3", latest} {
		t.Run(version, func(t *testing.T) {
			dir, whole := vaulttest.Dir(t), read(t, filepath.Join("testdata", version, "vault.db"))
			must(t, os.WriteFile(vaultFile(dir), []byte(whole), 0o600)) // git keeps no modes
			l := golden(t, dir, version)
			p, err := take(t.Context(), l)
			must(t, err)
			vaulttest.Healthy(t, l)
			if read(t, vaultFile(dir)) != whole {
				t.Error("the file was written")
			}
			for _, s := range p.Secrets {
				value, err := revealAt(t.Context(), l, s.ID, append(s.Hosts, vault.Host{Name: "api.acme.test"})[0])
				must(t, err)
				p.Values = append(p.Values, s.Name+"="+value)
			}
			for _, e := range p.Events { // what JSON leaves to others
				text := fmt.Sprintf("event %d at %s: %s %s", e.Seq, e.Time.Format(time.RFC3339Nano), e.Secret, e.Duration)
				if e.Count > 0 {
					text += " until " + e.Last.Format(time.RFC3339Nano)
				}
				p.Values = append(p.Values, text)
			}
			got, err := json.MarshalIndent(p, "", "\t")
			must(t, err)
			content := filepath.Join("testdata", version, "content.json")
			if *update && version == latest {
				must(t, os.WriteFile(content, append(got, '\n'), 0o644))
			}
			if diff := cmp.Diff(string(got)+"\n", read(t, content)); diff != "" {
				t.Errorf("content (-got +want):\n%s", diff)
			}
			if version == latest || version == "v3" {
				checkRenewal(t, l, &p)
				checkSlots(t, dir, version)
			}
			vaulttest.Create(t, l, vault.GlobalScope(), "written-today", "made-up")
			vaulttest.Healthy(t, l)
			edit(t, dir, func(tx store.Tx) {
				if format := string(tx.Get(store.Meta, []byte(metaFormat))); format != "\x00\x00\x00\x04" {
					t.Errorf("its format is now %x", format)
				}
			})
			_, err = l.AddSlot(t.Context(), keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "second.key")})
			must(t, err)
			vaulttest.Healthy(t, l)
			if events := lastEvents(t, l, 1<<20); len(events) <= len(p.Events) {
				t.Errorf("%d events became %d", len(p.Events), len(events))
			}
		})
	}
}

// checkRenewal checks that the exchange is known that had no end.
func checkRenewal(t *testing.T, l *vault.Local, p *picture) {
	t.Helper()
	for _, e := range p.Events {
		if e.Kind != vault.KindInvokeOutcome {
			continue
		}
		pinned := slices.IndexFunc(p.Secrets, func(s vault.Secret) bool { return s.PinnedProvider != "" })
		value, got, err := l.Reopen(t.Context(), e.Intent, acme(p.Secrets[pinned].ID))
		must(t, err)
		value.Clear()
		if got.Version != 3 || got.Begun != 1 || got.LastAt.IsZero() {
			t.Errorf("renewal %+v", got)
		}
		return
	}
	t.Error("no call has an outcome")
}

// checkSlots checks that the paper and the passphrase of then open the vault, and
// since format 4 the key of a rotation that is not finished.
func checkSlots(t *testing.T, dir, version string) {
	t.Helper()
	want := []string{"env 2026-01-02T03:05:05Z", "recovery 2026-01-02T03:07:05Z", "passphrase 2026-01-02T03:06:05Z"}
	fresh := ""
	if version != "v3" {
		fresh = read(t, filepath.Join("testdata", version, "new.key"))
		want = []string{
			"env 2026-01-02T03:25:05Z", "env 2026-01-02T03:05:05Z retiring",
			"recovery 2026-01-02T03:08:05Z", "passphrase 2026-01-02T03:07:05Z",
		}
	}
	for _, typed := range []string{read(t, filepath.Join("testdata", version, "recovery.key")), goldenPhrase, fresh} {
		if typed == "" { // before format 4
			continue
		}
		opts := vaulttest.Options(dir)
		opts.Keys.Ask = keystest.Answer(typed)
		opts.Keys.Getenv = func(string) string { return typed }
		l := vault.New(opts)
		slots, err := l.Slots(t.Context())
		l.Close()
		var kinds []string
		for _, s := range slots {
			text := string(s.Key.Kind) + " " + s.CreatedAt.Format(time.RFC3339)
			if s.Retiring {
				text += " retiring"
			}
			kinds = append(kinds, text)
		}
		if diff := cmp.Diff(kinds, want); diff != "" || err != nil {
			t.Errorf("%v; slots (-got +want):\n%s", err, diff)
		}
	}
}

// golden opens the vault in dir with the key of that version in testdata.
func golden(t *testing.T, dir, version string) *vault.Local {
	t.Helper()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	n, calls := 0, time.Duration(0)
	l := vault.New(vault.Options{
		Root: dir, Claims: claims, Actor: "golden",
		Keys: keys.Source{
			Getenv: func(name string) string {
				if name != goldenVar {
					return ""
				}
				return read(t, filepath.Join("testdata", version, "kek.key"))
			},
			Ask: keystest.Answer(goldenPhrase),
			Keep: func(text opaque.Bytes) error {
				return os.WriteFile(filepath.Join("testdata", version, "recovery.key"), text.Reveal(), 0o644)
			},
		},
		Now:   func() time.Time { n++; return start.Add(time.Duration(n) * time.Minute) },
		Clock: func() (string, time.Duration) { calls++; return "golden", calls * 25 * time.Second },
	})
	t.Cleanup(l.Close)
	return l
}

// makeGolden writes testdata of the latest format: a vault with something of
// everything.
func makeGolden(t *testing.T) {
	ctx := t.Context()
	dir := vaulttest.Dir(t)
	l := golden(t, dir, latest)
	_, err := l.Init(ctx, keys.Config{Kind: keys.KindEnv, Var: goldenVar})
	must(t, err)
	_, err = l.AddSlot(ctx, keystest.PassphraseConfig())
	must(t, err)
	_, err = l.AddSlot(ctx, keys.Config{Kind: keys.KindRecovery})
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
	must(t, l.Flush(ctx))
	rate, size := int64(3), int64(1<<20)
	_, err = l.SetPolicy(ctx, vault.Policy{Capability: "acme/items", Rate: &rate, MaxResponse: &size, Block: []string{"password", "token"}}, 0)
	must(t, err)
	renewed := vault.Use{Secret: one.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}
	must(t, l.BeginRenewal(ctx, grant.Intent, renewed, 2))
	must(t, l.EndRenewal(ctx, grant.Intent, renewed, vault.RenewalEnd{Version: 2, Value: val("made-up-value-4")}))
	must(t, l.BeginRenewal(ctx, grant.Intent, renewed, 3))
	key, err := keys.ParseKey([]byte(read(t, filepath.Join("testdata", latest, "new.key"))))
	must(t, err)
	_, err = l.RotateMaster(ctx, vault.RotateOptions{NewKey: key})
	must(t, err)
	for _, path := range []string{"/summed-up", "/summed-up", "/open", "/open"} { // the first are over when the last comes
		wantCode(t, refuse(l, vault.Event{Capability: "acme/items", Path: path}), fault.PolicyViolation)
	}
	must(t, limited(l, "acme/items", 3, vault.Event{Workspace: "w", Group: "g"}))
	wantCode(t, limited(l, "acme/items", 1, vault.Event{Workspace: "w"}), fault.RateLimited)
	must(t, os.WriteFile(filepath.Join("testdata", latest, "vault.db"), []byte(read(t, vaultFile(dir))), 0o644))
}
