package vault_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// claims are those of a registry with two providers.
var claims = vaulttest.Claims{"ACME_KEY": "acme", "ACME_TOKEN": "acme", "UMBRELLA_KEY": "umbrella"}

// open returns the vault in dir.
func open(t testing.TB, dir string) *vault.Local {
	t.Helper()
	opts := vaulttest.Options(dir)
	opts.Claims = claims
	l := vault.New(opts)
	t.Cleanup(l.Close)
	return l
}

// fresh returns a vault that was just made, and its directory. Unlike that of
// vaulttest.New it may be damaged.
func fresh(t testing.TB) (*vault.Local, string) {
	t.Helper()
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	if _, err := l.Init(t.Context(), keyFile(dir)); err != nil {
		t.Fatal(err)
	}
	return l, dir
}

// newSecret is what a secret of that name and value is made from.
func newSecret(scope vault.Scope, name, value string) vault.NewSecret {
	return vault.NewSecret{Name: name, Scope: scope, Value: val(value)}
}

// val is the value that holds s.
func val(s string) vault.Value { return opaque.New([]byte(s)) }

func workspace(ws string) vault.Scope { return vault.Scope{Level: vault.Workspace, Workspace: ws} }

func group(ws, g string) vault.Scope { return vault.GroupRef{Workspace: ws, Group: g}.Scope() }

// wantCode fails the test unless err has the code and a text; the empty code
// stands for no error.
func wantCode(t testing.TB, err error, code fault.Code) {
	t.Helper()
	switch {
	case fault.CodeOf(err) != code:
		t.Errorf("got error %q (%v), want %q", fault.CodeOf(err), err, code)
	case code != "" && err.Error() == "":
		t.Errorf("an error of code %s has no text", code)
	}
}

// credential is one of provider acme for a secret.
func credential(id string, secret vault.ID, hosts ...string) vault.Credential {
	return vault.Credential{
		ID: id, Provider: "acme", Scope: vault.GlobalScope(), Secret: secret, Hosts: hosts,
		Auth: vault.Auth{Kind: "header", Params: []vault.Param{{Name: "header", Value: "Authorization"}}},
	}
}

// reveal returns the value that a call of acme to host would be given.
func reveal(ctx context.Context, l *vault.Local, id vault.ID, host string) (string, error) {
	return revealAt(ctx, l, id, vault.Host{Name: host})
}

func revealAt(ctx context.Context, l *vault.Local, id vault.ID, host vault.Host) (string, error) {
	grant, err := l.Authorize(ctx, decideUse(vault.Use{Secret: id, Provider: "acme", Host: host}))
	if err != nil {
		return "", err
	}
	return string(grant.Values[0].Reveal()), nil
}

// useOf is the use of a secret by acme at a host.
func useOf(id vault.ID, host string) vault.Use {
	return vault.Use{Secret: id, Provider: "acme", Host: vault.Host{Name: host}}
}

// granted returns the intent of a call that was granted the uses.
func granted(t testing.TB, l *vault.Local, uses ...vault.Use) uint64 {
	t.Helper()
	grant, err := l.Authorize(t.Context(), decideUse(uses...))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range grant.Values {
		v.Clear()
	}
	return grant.Intent
}

// decideUse grants whatever call needs the secrets.
func decideUse(uses ...vault.Use) func(vault.Reader) (vault.Decision, error) {
	return func(vault.Reader) (vault.Decision, error) { return vault.Decision{Uses: uses}, nil }
}

// edit changes the file's tables as an attacker without a key would.
func edit(t testing.TB, dir string, f func(tx store.Tx)) {
	t.Helper()
	b := store.NewBolt(dir, time.Second)
	if err := b.Update(t.Context(), func(tx store.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// must fails the test at an error of an edit.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rows returns the keys and values of a table whose keys have the prefix.
func rows(t testing.TB, tx store.Tx, table store.Table, prefix ...byte) (keys, values [][]byte) {
	t.Helper()
	must(t, tx.Range(table, store.Span{Prefix: prefix}, func(k, v []byte) error {
		keys, values = append(keys, bytes.Clone(k)), append(values, bytes.Clone(v))
		return nil
	}))
	return keys, values
}

// failed returns the checks of Doctor that did not pass, by name.
func failed(t testing.TB, l *vault.Local) map[string]vault.Check {
	t.Helper()
	report, err := l.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]vault.Check{}
	for _, c := range report.Checks {
		if !c.OK {
			bad[c.Name] = c
			if c.Code == "" || c.Detail == "" || c.Remedy == "" {
				t.Errorf("check %s does not say what is wrong and what to do: %+v", c.Name, c)
			}
		}
	}
	return bad
}

func vaultFile(dir string) string { return filepath.Join(dir, store.File) }

// anchorFile is where it is remembered how far the one vault in dir had come.
func anchorFile(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "state", "*.anchor"))
	if err != nil || len(found) != 1 {
		t.Fatalf("anchors: %v, %v", found, err)
	}
	return found[0]
}

// putBack puts an earlier file back, with nothing remembered of what came after.
func putBack(t testing.TB, l *vault.Local, dir, file string) {
	t.Helper()
	vault.Forget(l)
	must(t, os.RemoveAll(filepath.Join(dir, "state")))
	must(t, os.WriteFile(vaultFile(dir), []byte(file), 0o600))
}
