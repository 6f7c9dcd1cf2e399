//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"aivault/broker/brokertest"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
)

// A writing command, and what there is to know about it. Each of them is killed
// at every call and fails at every call: whoever adds a command adds a row.
type writing struct {
	name  string
	world string // of worlds; empty: furnished
	args  []string
	env   []string
	// between are the events, one space between them, of what is neither the old
	// state nor the new one, and all right: of a command that is several
	// transactions, as a call is. A * stands for the things of the new state.
	between []string
	// outside tells what the command made outside the vault: nothing, or it whole.
	outside func(ctx context.Context, w *world, dir string) (string, error)
	again   []string // its arguments where it is repeated; nil: the same
	// halfway tells that it may end with two keys that open the vault, where it
	// cannot write the new one: until it is finished.
	halfway bool
}

const (
	intent  = vault.KindInvokeIntent
	outcome = vault.KindInvokeOutcome
	refresh = vault.KindOAuthRefresh
)

// failing is how a call can end that got so far.
func failing(events string) (ends []string) {
	for _, code := range []fault.Code{fault.IO, fault.DiskFull, fault.AuditUnavailable, fault.OutcomeUnknown} {
		ends = append(ends, events+" "+outcome+" error "+string(code))
	}
	return ends
}

// commands are all commands that write. $NAME is the id of a secret or slot.
func commands() []writing {
	return []writing{
		{name: "init with a file", world: "empty", args: []string{"init", "--provider", "file"}},
		{name: "init with a passphrase", world: "cheap", args: []string{"init", "--provider", "passphrase", "--passphrase-file", "pass"}, env: []string{cheapVar + "=1"}},
		{name: "first use", world: "empty", args: []string{"secrets", "create", "--name", "ONE", "--value-file", "value"}, between: []string{"*" + vault.KindVaultInit + " ok"}},
		{name: "secrets create", args: []string{"secrets", "create", "--name", "NEW", "--value-file", "value2"}},
		{name: "secrets create, pinned", args: []string{"secrets", "create", "--name", "OPENAI_API_KEY", "--value-file", "value2"}},
		{name: "secrets update", args: []string{"secrets", "update", "--id", "$ONE", "--name", "UNO", "--alias", "also"}},
		{name: "secrets rotate", args: []string{"secrets", "rotate", "--id", "$ONE", "--value-file", "value2"}},
		{name: "secrets delete", args: []string{"secrets", "delete", "--id", "$ONE"}},
		{name: "secrets attach-group", args: []string{"secrets", "attach-group", "--id", "$ONE", "--workspace-id", "w", "--group-id", "h"}},
		{name: "secrets detach-group", args: []string{"secrets", "detach-group", "--id", "$TWO", "--workspace-id", "w", "--group-id", "g"}},
		{name: "secrets import", args: []string{"secrets", "import", "--file", "import.env", "--rotate-existing"}},
		{name: "credential create", args: []string{"credential", "create", "second", "--provider", "acme", "--secret-ref", "$TWO", "--value-file", "value", "--auth", "header", "--host", "api.acme.test"}},
		{name: "credential delete", args: []string{"credential", "delete", "acme"}},
		{name: "credential delete, of the registry", args: []string{"credential", "delete", "github"}},
		{name: "capability create", args: []string{"capability", "create", "acme/more", "--credential", "acme", "--method", "GET", "--path", "/more"}},
		{name: "capability delete", args: []string{"capability", "delete", "acme/things"}},
		{name: "capability bind", args: []string{"capability", "bind", "--capability", "acme/things", "--secret-ref", "$ONE"}},
		{name: "capability unbind", args: []string{"capability", "unbind", "--capability", "acme/items"}},
		{name: "capability policy set", args: []string{"capability", "policy", "set", "--capability", "acme/items", "--rate-limit-per-minute", "7"}},
		{name: "provider add", args: []string{"provider", "add", "crates.json"}},
		{name: "provider add, in the place of another one", args: []string{"provider", "add", "boxes2.json"}},
		{name: "provider remove", args: []string{"provider", "remove", "boxes"}},
		{name: "key add", args: []string{"key", "add", "--provider", "file", "--file-path", vaultDir + "/third.key"}},
		{name: "key remove", args: []string{"key", "remove", "$other.key"}},
		{name: "rotate-master", world: "one key", args: []string{"rotate-master"}},
		{name: "rotate-master, with a key", world: "one key", args: []string{"rotate-master", "--new-key-file", "key"}, halfway: true},
		{name: "rotate-master, to a passphrase", world: "cheap and furnished", args: []string{"rotate-master", "--new-passphrase-file", "pass"}, env: []string{cheapVar + "=1"}},
		{name: "rotate-master --finish", world: "half rotated", args: []string{"rotate-master", "--finish"}},
		{name: "setup agent-access --remove", world: "shared", args: []string{"setup", "agent-access", "--remove", "--agent-user", "65534", "--workspace-id", "w"}},
		{
			name: "backup", args: []string{"backup", "backup"}, again: []string{"backup", "backup", "--force"}, outside: theBackup,
			between: []string{vault.KindVaultBackup + " ok", vault.KindVaultBackup + " ok " + vault.KindVaultBackup + " error io_error", vault.KindVaultBackup + " ok " + vault.KindVaultBackup + " error disk_full"},
		},
		{name: "restore", world: "backed up", args: []string{"restore", "backup", "--yes"}},
		{name: "doctor --accept-rollback", world: "rolled back", args: []string{"doctor", "--accept-rollback", "--yes"}},
		{name: "doctor --salvage", args: []string{"doctor", "--salvage", "saved"}, again: []string{"doctor", "--salvage", "saved again"}, outside: theSalvaged},
		{name: "compaction", world: "wasteful", args: []string{"secrets", "delete", "--id", "$BIG"}},
		{
			name: "invoke", args: []string{"invoke", "acme/items"},
			between: append(failing(intent), intent),
		},
		{
			name: "invoke, refreshing", world: "oauth", args: []string{"invoke", "acme/items"},
			between: slices.Concat(
				[]string{intent, intent + " " + refresh, "*" + intent + " " + refresh + " " + refresh + " ok"},
				failing(intent), failing(intent+" "+refresh), failing("*"+intent+" "+refresh+" "+refresh+" ok"),
			),
		},
	}
}

// worlds are what commands start from.
func worlds() map[string]func(testing.TB) *world {
	return map[string]func(testing.TB) *world{
		"":                    furnish,
		"empty":               emptyWorld,
		"cheap":               cheapWorld,
		"cheap and furnished": cheapFurnished,
		"backed up":           backedUp,
		"rolled back":         rolledBack,
		"half rotated":        halfRotated,
		"one key":             oneKey,
		"shared":              sharedWorld,
		"wasteful":            wasteful,
		"oauth":               withAccount,
	}
}

// cheapFurnished is what most commands start from, with an aivault that derives
// keys at little cost.
func cheapFurnished(t testing.TB) *world {
	w := oneKey(t)
	w.exe = cheapWorld(t).exe
	return w
}

// oneKey is what most commands start from, with one slot: where its key cannot be
// read, no other one opens the vault.
func oneKey(t testing.TB) *world {
	w := furnish(t)
	w.run(t, []string{"key", "remove", w.ids["other.key"]})
	return w
}

// halfRotated has a vault whose key is in a variable, and was given a new one,
// which is in its place.
func halfRotated(t testing.TB) *world {
	w := emptyWorld(t)
	key := func(b byte) string { return strings.Repeat(fmt.Sprintf("%02x", b), keys.KeySize) }
	w.file("key2", key(2))
	w.env = []string{keys.DefaultVar + "=" + key(1)}
	w.run(t, []string{"init", "--provider", "env"})
	w.secret(t, "ONE", "value")
	w.run(t, []string{"rotate-master", "--new-key-file", "key2"})
	w.env = []string{keys.DefaultVar + "=" + key(2)}
	return w
}

// sharedWorld has a vault in which another user may call.
func sharedWorld(t testing.TB) *world {
	w := furnish(t)
	dir := w.copy(t)
	l := w.open(dir)
	_, _, err := l.Grant(context.Background(), 65534, vault.Context{Workspace: "w"})
	must(t, err)
	l.Close()
	w.files = readFiles(t, dir)
	return w
}

// cheapWorld is an empty one, whose aivault derives keys at little cost.
func cheapWorld(t testing.TB) *world {
	w := emptyWorld(t)
	exe, err := os.Executable()
	must(t, err)
	w.exe = exe
	return w
}

// backedUp has a backup that is older than the vault.
func backedUp(t testing.TB) *world {
	w := furnish(t)
	w.run(t, []string{"backup", "backup"})
	w.secret(t, "LATE", "value")
	return w
}

// rolledBack has an older copy of the vault in its place.
func rolledBack(t testing.TB) *world {
	w := furnish(t)
	const file = vaultDir + "/vault.db"
	older := w.files[file]
	w.secret(t, "LATE", "value")
	w.files[file] = older
	return w
}

// wasteful has a vault of which nearly a quarter is free pages: to delete one of
// its large secrets, named BIG, has it compacted.
func wasteful(t testing.TB) *world {
	w := emptyWorld(t)
	w.file("big", strings.Repeat("made-up ", 7900))
	var entries strings.Builder
	for i := range 24 {
		fmt.Fprintf(&entries, "BIG%d=%s\n", i, w.values["big"])
	}
	w.file("big.env", entries.String())
	w.secret(t, "BIG", "big")
	out := w.run(t, []string{"secrets", "import", "--file", "big.env"}, []string{"secrets", "list"})
	var listed struct {
		Secrets []struct{ SecretID, Name string }
	}
	if err := json.Unmarshal(out, &listed.Secrets); err != nil {
		must(t, json.Unmarshal(out, &listed))
	}
	for _, s := range listed.Secrets {
		size := len(w.files[vaultDir+"/vault.db"])
		if s.Name == "BIG" {
			continue
		}
		before := w.files
		w.run(t, []string{"secrets", "delete", "--id", s.SecretID})
		if len(w.files[vaultDir+"/vault.db"]) < size { // that was it
			w.files, w.ids["BIG"] = before, s.SecretID
			delete(w.files, "big.env")
			return w
		}
	}
	t.Fatal("nothing has the vault compacted")
	return nil
}

// withAccount has a credential of an OAuth account, whose token is fetched by
// the first call. The service takes every refresh token, and gives another one.
func withAccount(t testing.TB) *world {
	w := furnish(t)
	var issued atomic.Int64
	w.service.Handle(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/token" {
			_, _ = io.WriteString(rw, "{}")
			return
		}
		n := issued.Add(1)
		_, _ = fmt.Fprintf(rw, `{"access_token":"made-up-access-%d","token_type":"Bearer","expires_in":3600,"refresh_token":"made-up-refresh-%d"}`, n, n)
	})
	w.file("account", fmt.Sprintf(`{"clientId":"me","clientSecret":%q,"refreshToken":%q}`, brokertest.Word(t), brokertest.Word(t)))
	w.secret(t, "ACCOUNT", "account")
	made := w.credential("account", "ACCOUNT", "--auth", "oauth2", "--token-endpoint", "https://"+w.host[1]+"/token")
	for i := range made {
		if made[i] == "value" {
			made[i] = "account"
		}
	}
	w.run(t,
		[]string{"capability", "unbind", "--capability", "acme/items"},
		[]string{"credential", "delete", "acme"}, made)
	return w
}

// theBackup tells whether there is one, which then is whole.
func theBackup(ctx context.Context, w *world, dir string) (string, error) {
	if _, err := os.Lstat(filepath.Join(dir, "backup")); err != nil {
		return "no backup", nil
	}
	l := w.open(dir)
	defer l.Close()
	if _, err := l.Compare(ctx, filepath.Join(dir, "backup")); err != nil {
		return "", err
	}
	return "a backup", nil
}

// theSalvaged tells whether there is a salvaged vault, which then is whole.
func theSalvaged(ctx context.Context, w *world, dir string) (string, error) {
	saved := filepath.Join(dir, "saved")
	if _, err := os.Lstat(filepath.Join(saved, "vault.db")); err != nil {
		return "nothing saved", nil
	}
	in := scratchIn(dir)
	if err := os.Rename(saved, filepath.Join(in, vaultDir)); err != nil {
		return "", err
	}
	l := w.open(in)
	defer l.Close()
	return "a vault saved", healthy(ctx, l)
}

// scratchIn is a directory in another one.
func scratchIn(dir string) string {
	in := filepath.Join(dir, "in")
	_ = os.MkdirAll(in, 0o700) // who uses it fails
	return in
}
