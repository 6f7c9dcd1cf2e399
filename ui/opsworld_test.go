package ui_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// An opsWorld is a vault on which operations of the terminal interface are
// tried, and the directory in which a shell runs their command lines.
type opsWorld struct {
	t    *testing.T
	home string // of the files that lines name; the vault is below it
	be   app.Backend
	ids  map[string]vault.ID
	word string // the value of all its secrets
}

func openOps(t *testing.T, home string) *opsWorld {
	t.Helper()
	env := app.System()
	env.IsTerminal = func(any) bool { return false }
	env.Home = func() (string, error) { return home, nil }
	env.Getenv = func(name string) string {
		return map[string]string{"AIVAULT_DIR": filepath.Join(home, "vault")}[name]
	}
	session, err := app.Open(env, app.Options{Notice: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	return &opsWorld{t: t, home: home, be: session.Backend(), ids: map[string]vault.ID{}}
}

var (
	payments = vault.GroupRef{Workspace: "web-shop", Group: "payments"}
	research = vault.GroupRef{Workspace: "web-shop", Group: "research"}
)

func mustScope(workspace, group string) vault.Scope {
	s, err := vault.NewScope(workspace, group)
	if err != nil {
		panic(err)
	}
	return s
}

// newOpsWorld fills a vault with something of every kind.
func newOpsWorld(t *testing.T) *opsWorld {
	t.Helper()
	w := openOps(t, t.TempDir())
	w.word = brokertest.Word(t)
	ca, _, _, err := upstream.ClientCertificate("somebody")
	w.check(err)
	w.check(os.WriteFile(filepath.Join(w.home, "ca.pem"), ca, 0o600))
	accounts := map[string]string{
		"login": fmt.Sprintf(`{"username":"u","password":%q}`, w.word),
		"oauth": fmt.Sprintf(`{"clientId":"i","clientSecret":%q}`, w.word),
		"aws":   fmt.Sprintf(`{"accessKeyId":"k","secretAccessKey":%q}`, w.word),
	}
	w.check(os.WriteFile(filepath.Join(w.home, "db"), []byte(w.word), 0o600))
	for name, s := range map[string]vault.NewSecret{
		"stripe":   {Name: "STRIPE_API_KEY", Scope: vault.GlobalScope()},
		"payments": {Name: "STRIPE_API_KEY", Scope: payments.Scope()},
		"risk":     {Name: "RISK_TOKEN", Scope: mustScope("infra", "")},
		"db":       {Name: "DB_URL", Scope: mustScope("web-shop", ""), Aliases: []string{"database", "it's \"odd\" $HOME"}},
	} {
		s.Value = opaque.New([]byte(w.word))
		stored, err := w.be.CreateSecret(t.Context(), s)
		w.check(err)
		w.ids[name] = stored.ID
	}
	for name, account := range accounts {
		w.check(os.WriteFile(filepath.Join(w.home, name), []byte(account), 0o600))
		stored, err := w.be.CreateSecret(t.Context(), vault.NewSecret{Name: "ACCOUNT_" + name, Scope: payments.Scope(), Value: opaque.New([]byte(account))})
		w.check(err)
		w.ids[name] = stored.ID
	}
	_, err = w.be.CreateCredential(t.Context(), broker.NewCredential{
		ID: "acme", Provider: "acme", Secret: w.ids["risk"], Scope: mustScope("infra", ""), Hosts: []string{"api.acme.example"},
		Auth: &vault.Auth{Kind: "header", Params: []vault.Param{{Name: "X-Key", Value: "{{secret}}"}}},
	})
	w.check(err)
	_, err = w.be.CreateCapability(t.Context(), broker.NewCapability{ID: "acme/items", FromCred: "acme", Methods: []string{"GET"}, Paths: []string{"/items"}})
	w.check(err)
	_, err = w.be.SetPolicy(t.Context(), vault.Policy{Capability: "acme/items", Rate: new(int64(7))}, 0)
	w.check(err)
	_, _, err = w.be.AttachGroup(t.Context(), w.ids["risk"], research, 0)
	w.check(err)
	_, err = w.be.Bind(t.Context(), broker.NewBinding{Capability: "stripe/charges", Secret: w.ids["stripe"], Scope: mustScope("web-shop", "")})
	w.check(err)
	_, err = w.be.DeleteCredential(t.Context(), "stripe")
	w.check(err)
	return w
}

func (w *opsWorld) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// copied returns a copy of the world as it is now.
func (w *opsWorld) copied(t *testing.T) *opsWorld {
	t.Helper()
	home := t.TempDir()
	w.check(os.CopyFS(home, os.DirFS(w.home)))
	w.check(os.Chmod(filepath.Join(home, "vault"), 0o700)) //nolint:gosec // of a directory
	for _, name := range []string{"vault/vault.db", "vault/kek.key"} {
		w.check(os.Chmod(filepath.Join(home, name), 0o600))
	}
	c := openOps(t, home)
	c.ids, c.word = w.ids, w.word
	return c
}

// shell runs a command line as somebody does who copies it from the screen, in
// a shell that finds aivault in its path. Nobody is there to be asked for a
// value, so where the line needs one the file of it is added.
func (w *opsWorld) shell(l ops.Line, value string) (stdout string) {
	w.t.Helper()
	line := l.String()
	if value != "" {
		line += " --value-file " + value
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = w.home
	cmd.Env = append(os.Environ(), "AIVAULT_DIR="+filepath.Join(w.home, "vault"), "HOME="+w.home, "AIVAULTD_DISABLE=1",
		"PATH="+filepath.Dir(binary(w.t))+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		w.t.Fatalf("%s: %v\n%s", line, err, exit.Stderr)
	}
	w.check(err)
	return string(out)
}

// opsState is all that operations change, without times, revisions, and ids
// that are made at random.
type opsState struct {
	Secrets      []vault.Secret
	Credentials  []broker.Credential
	Capabilities []broker.Capability
	Bindings     []broker.Binding
	Policies     []vault.Policy
	Names        map[string]int // how often the secret of this name and scope is referred to
}

func (w *opsWorld) state() opsState {
	w.t.Helper()
	ctx := context.Background()
	st := opsState{Names: map[string]int{}}
	var err error
	st.Secrets, err = w.be.Secrets(ctx, nil)
	w.check(err)
	st.Credentials, err = w.be.Credentials(ctx)
	w.check(err)
	st.Capabilities, err = w.be.Capabilities(ctx)
	w.check(err)
	st.Bindings, err = w.be.Bindings(ctx, "")
	w.check(err)
	st.Policies, err = w.be.Policies(ctx)
	w.check(err)
	names := map[vault.ID]string{}
	for _, s := range st.Secrets {
		names[s.ID] = s.Name + " " + s.Scope.String()
	}
	for _, c := range st.Credentials {
		st.Names[c.ID+" "+names[c.Secret]]++
	}
	for _, b := range st.Bindings {
		st.Names[b.Capability+" "+names[b.Secret]]++
	}
	return st
}

// differs compares states.
func differs(got, want opsState) string {
	return cmp.Diff(got, want, cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(vault.Secret{}, "ID", "CreatedAt", "UpdatedAt", "RotatedAt", "LastUsedAt", "Revision"),
		cmpopts.IgnoreFields(vault.Credential{}, "Secret", "CreatedAt", "Revision"),
		cmpopts.IgnoreFields(broker.Credential{}, "Secrets"),
		cmpopts.IgnoreFields(vault.Binding{}, "Secret", "UpdatedAt", "Revision"),
		cmpopts.IgnoreFields(vault.Policy{}, "UpdatedAt", "Revision"))
}
