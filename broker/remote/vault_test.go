package remote_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/registry"
	"aivault/broker/remote"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A life of a vault through a daemon: what is stored, changed, found, shared and
// deleted is so in the vault, and what is told is what the vault tells.
func TestSecretsThroughADaemon(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	c := r.client(t)
	ctx := t.Context()
	value := opaque.New([]byte(brokertest.Word(t)))
	made, err := c.CreateSecret(ctx, vault.NewSecret{Name: "ONE", Aliases: []string{"UNO"}, Scope: vault.GlobalScope(), Value: value})
	if err != nil {
		t.Fatal(err)
	}
	if value.Reveal()[0] == 0 {
		t.Error("the value of the caller was cleared")
	}
	name := "TWO"
	if s, err := c.UpdateSecret(ctx, made.ID, vault.SecretChange{Name: &name}, vault.IfRevision(made.Revision)); err != nil || s.Name != "TWO" || !slices.Equal(s.Aliases, made.Aliases) {
		t.Errorf("update: %+v, %v", s, err)
	}
	if _, err := c.UpdateSecret(ctx, made.ID, vault.SecretChange{Aliases: &[]string{}}, 17); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("update of another revision: %v", err)
	}
	if s, err := c.RotateSecret(ctx, made.ID, value, 0); err != nil || s.Version != 2 {
		t.Errorf("rotate: %+v, %v", s, err)
	}
	g := vault.GroupRef{Workspace: "w1", Group: "g1"}
	if s, changed, err := c.AttachGroup(ctx, made.ID, g, 0); err != nil || !changed || !slices.Equal(s.Attached, []vault.GroupRef{g}) {
		t.Errorf("attach: %+v, %t, %v", s, changed, err)
	}
	if _, changed, err := c.AttachGroup(ctx, made.ID, g, 0); err != nil || changed {
		t.Errorf("attach again: %t, %v", changed, err)
	}
	if _, changed, err := c.DetachGroup(ctx, made.ID, g, 0); err != nil || !changed {
		t.Errorf("detach: %t, %v", changed, err)
	}
	if list, err := c.Share(ctx, []vault.Sharing{{Secret: made.ID, Group: g}}); err != nil || len(list) != 1 {
		t.Errorf("share: %+v, %v", list, err)
	}
	in := []vault.ImportEntry{{Name: "TWO", Value: value}, {Name: "THREE", Value: value}, {Name: "", Value: value}}
	if res, err := c.ImportSecrets(ctx, vault.GlobalScope(), in, false); err != nil || len(res.Created) != 1 || len(res.Skipped) != 1 || len(res.Failed) != 1 || fault.CodeOf(res.Failed[0].Err) != fault.InvalidRequest {
		t.Errorf("import: %+v, %v", res, err)
	}
	sameAs(t, r, c)
	if gone, err := c.DeleteSecret(ctx, made.ID, 0); err != nil || gone.Secret.Name != "TWO" {
		t.Errorf("delete: %+v, %v", gone, err)
	}
	if _, err := c.FindSecret(ctx, made.ID.String()); fault.CodeOf(err) != fault.SecretNotFound || fault.HintOf(err) == "" {
		t.Errorf("what was deleted is found: %v", err)
	}
	all, _ := c.Secrets(ctx, nil)
	if gone, err := c.DeleteSecrets(ctx, []vault.SecretAt{{ID: all[0].ID}}); err != nil || len(gone) != 1 {
		t.Errorf("delete the rest: %+v, %v", gone, err)
	}
}

// sameAs compares what a client is told of the vault with what the vault tells.
func sameAs(t *testing.T, r *rig, c *remote.Client) {
	t.Helper()
	ctx := t.Context()
	in := vault.Context{Workspace: "w1", Group: "g1"}
	global := vault.GlobalScope()
	compare(t, "Secrets", func(v vault.Vault) (any, error) { return v.Secrets(ctx, nil) }, r, c)
	compare(t, "Secrets of a scope", func(v vault.Vault) (any, error) { return v.Secrets(ctx, &global) }, r, c)
	compare(t, "Scopes", func(v vault.Vault) (any, error) { return v.Scopes(ctx) }, r, c)
	compare(t, "Effective", func(v vault.Vault) (any, error) { return v.Effective(ctx, in) }, r, c)
	compare(t, "Effective of nothing", func(v vault.Vault) (any, error) { return v.Effective(ctx, vault.Context{Group: "g"}) }, r, c)
	compare(t, "Audit", func(v vault.Vault) (any, error) { return v.Audit(ctx, vault.AuditQuery{Limit: 5}) }, r, c)
	compare(t, "VerifyAudit", func(v vault.Vault) (any, error) { return v.VerifyAudit(ctx) }, r, c)
	compare(t, "Status", func(v vault.Vault) (any, error) { return v.Status(ctx) }, r, c)
	compare(t, "Slots", func(v vault.Vault) (any, error) { return v.Slots(ctx) }, r, c)
	compare(t, "Doctor", func(v vault.Vault) (any, error) { return v.Doctor(ctx) }, r, c)
	compare(t, "AcceptOlder", func(v vault.Vault) (any, error) { return v.AcceptOlder(ctx) }, r, c)
	compare(t, "Grants", func(v vault.Vault) (any, error) { return v.Grants(ctx) }, r, c)
	compare(t, "State", func(v vault.Vault) (any, error) {
		s, err := v.State(ctx)
		here, _ := r.vault.State(ctx)
		return s == here, err
	}, r, c)
}

func compare(t *testing.T, what string, ask func(vault.Vault) (any, error), r *rig, c *remote.Client) {
	t.Helper()
	want, wantErr := ask(r.vault)
	got, err := ask(c)
	if d := diff(want, got) + diff(wantErr, err); d != "" {
		t.Errorf("%s (-here +daemon):\n%s", what, d)
	}
}

// What a broker tells of a vault is told the same by a daemon; what its methods
// change is changed.
func TestServiceThroughADaemon(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	c := r.client(t)
	ctx := t.Context()
	openAI := vaulttest.Create(t, r.vault, vault.GlobalScope(), "OPENAI_API_KEY", "sk-made-up-"+brokertest.Word(t))
	checks := serviceQuestions(ctx, openAI)
	for name, ask := range checks {
		want, wantErr := ask(r.broker)
		got, err := ask(c)
		if d := diff(want, got) + diff(wantErr, err); d != "" {
			t.Errorf("%s (-here +daemon):\n%s", name, d)
		}
	}
	changeThroughADaemon(t, r, c)
}

// Keys that were made here get into the vault there; the slots that they make
// open it.
func TestAddSlot(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	c := r.client(t)
	path := filepath.Join(t.TempDir(), "second.key")
	cfg := keys.Config{Kind: keys.KindFile, Path: path}
	slot, err := c.AddSlot(t.Context(), cfg)
	if err != nil || slot.Key.Path != path {
		t.Fatalf("%+v, %v", slot, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if gone, err := c.RemoveSlot(t.Context(), slot.ID); err != nil || !gone {
		t.Errorf("remove: %t, %v", gone, err)
	}
	if _, err := c.AddSlot(t.Context(), r.status(t).Key); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("the key that opens it already: %v", err)
	}
	if _, err := os.Stat(r.status(t).Key.Path); err != nil {
		t.Errorf("that key: %v", err)
	}
}

// Case 58. A backup is a file of the client's: the daemon is told no path to
// open, and the file is as one that is made here.
func TestBackup(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	c := r.client(t)
	file := filepath.Join(t.TempDir(), "copy.db")
	made, err := c.Backup(t.Context(), file, false)
	if err != nil || made.File != file {
		t.Fatalf("%+v, %v", made, err)
	}
	if fi, err := os.Stat(file); err != nil || fi.Size() != made.Bytes || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi, err)
	}
	if with, err := c.Compare(t.Context(), file); err != nil || with.Lost != 0 || with.Backup.Events != made.Events {
		t.Errorf("compare: %+v, %v", with, err)
	}
	if _, err := c.Backup(t.Context(), file, false); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("where there is a file: %v", err)
	}
	if _, err := c.Backup(t.Context(), file, true); err != nil {
		t.Errorf("in its place: %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("the directory of the backup holds %v", entries)
	}
	if _, err := c.Restore(t.Context(), file, vault.RestoreOptions{Back: true}); err != nil {
		t.Errorf("restore: %v", err)
	}
	if list, err := c.Secrets(t.Context(), nil); err != nil || len(list) != 1 {
		t.Errorf("after the restore: %v, %v", list, err)
	}
}

// A vault whose key is typed is opened by the client, which asks, and stays open
// for others until it is locked. Its key does not come back.
func TestHandOver(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	passphrase := brokertest.Word(t)
	asks := typed(t, dir, passphrase)
	silent := vault.New(vault.Options{Root: dir, Claims: registry.Builtin(), Keys: keys.Source{Getenv: func(string) string { return "" }}})
	t.Cleanup(silent.Close)
	r := newRigOn(t, operator, silent)
	opts := r.options()
	opts.Local = asks
	c, err := remote.Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if h := c.Hello(); h.Open || h.Kept || h.PID != os.Getpid() || h.Version != "test" {
		t.Errorf("%+v", h)
	}
	if err := c.Unlock(t.Context()); fault.CodeOf(err) != fault.VaultLocked {
		t.Errorf("a daemon that cannot ask: %v", err)
	}
	slot, key, err := asks.FetchKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.HandOver(t.Context(), slot, opaque.New(make([]byte, keys.KeySize)), 0); fault.CodeOf(err) != fault.WrongKey {
		t.Errorf("another key: %v", err)
	}
	if err := c.HandOver(t.Context(), slot, key, 0); err != nil {
		t.Fatal(err)
	}
	if h := r.client(t).Hello(); !h.Open || !h.Kept || !r.server.KeepsKey() {
		t.Errorf("%+v", h)
	}
	if list, err := c.Secrets(t.Context(), nil); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := c.Lock(t.Context()); err != nil || r.server.KeepsKey() {
		t.Errorf("lock: %v", err)
	}
	if _, err := c.Secrets(t.Context(), nil); fault.CodeOf(err) != fault.VaultLocked {
		t.Errorf("a vault that is locked: %v", err)
	}
	if err := c.HandOver(t.Context(), slot, key, 30*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); r.server.KeepsKey() && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
	}
	if _, err := c.Secrets(t.Context(), nil); fault.CodeOf(err) != fault.VaultLocked {
		t.Errorf("a vault whose time is over: %v", err)
	}
}

// typed makes a vault with one secret that opens by a passphrase, and returns
// one which gives it to whoever asks.
func typed(t *testing.T, dir, passphrase string) *vault.Local {
	t.Helper()
	l := vault.New(vault.Options{Root: dir, Claims: registry.Builtin(), Keys: keys.Source{
		Getenv: func(string) string { return "" },
		Ask: func(context.Context, keys.Question) (opaque.Bytes, error) {
			return opaque.New([]byte(passphrase)), nil
		},
	}})
	t.Cleanup(l.Close)
	kdf := keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: []byte("0123456789abcdef")}
	if _, err := l.Init(t.Context(), keys.Config{Kind: keys.KindPassphrase, KDF: kdf}); err != nil {
		t.Fatal(err)
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "ONE", "made up")
	return l
}

// A rotation makes its key here, and seals anew there: afterwards the new key
// opens the vault, and the old one is gone.
func TestRotateMaster(t *testing.T) {
	t.Parallel()
	r := newRig(t, operator)
	r.acme(t)
	c := r.client(t)
	old := r.status(t).Key.Path
	steps := 0
	done, err := c.RotateMaster(t.Context(), vault.RotateOptions{Progress: func(int, int) { steps++ }})
	if err != nil || done.Left != nil || done.Slot.Key.Path == old || steps == 0 {
		t.Fatalf("%+v after %d steps, %v", done, steps, err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the old key is where it was")
	}
	if a, err := c.Invoke(t.Context(), items()); err != nil || a.Status != 200 {
		t.Errorf("a call with the new key: %+v, %v", a, err)
	}
	if _, err := c.FinishRotation(t.Context()); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("finishing what is finished: %v", err)
	}
}
