package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"aivault/broker/remote"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newStatus(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "show where the vault and its key are",
		Long: `Shows the state of the vault, where it and its key are kept, and what they
protect from. It changes nothing.`,
		Example:               "aivault status",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
			if sh.pass != (app.Passphrase{}) { // is it the right one?
				if err := be.Unlock(ctx); err != nil {
					return err
				}
			}
			st, err := be.Status(ctx)
			if err != nil {
				return err
			}
			return sh.printStatus(ctx, st)
		}),
	}
}

// statusJSON is the documented shape of a status.
type statusJSON struct {
	Status struct {
		Enabled  bool       `json:"enabled"`
		Provider *string    `json:"providerType"`
		Locked   bool       `json:"locked"`
		KeyID    *string    `json:"kekId"`
		Error    *errorJSON `json:"keyError,omitempty"` // ours: why it is locked
		Slots    []slotJSON `json:"slots"`              // ours
	} `json:"status"`
	Daemon      *daemonJSON `json:"daemon"`                // ours: null if none runs that can be used
	DaemonError *errorJSON  `json:"daemonError,omitempty"` // ours: why one that runs cannot be
	Paths       struct {
		Root         string `json:"rootDir"`
		Config       string `json:"configPath"`
		Secrets      string `json:"secretsDir"`
		Audit        string `json:"auditDir"`
		Capabilities string `json:"capabilitiesPath"`
	} `json:"paths"`
}

// daemonJSON is the daemon of a vault.
type daemonJSON struct {
	PID      int    `json:"pid"`
	Version  string `json:"version"`
	Shared   bool   `json:"shared"`
	KeepsKey bool   `json:"keepsKey"`
	Until    *int64 `json:"untilMs"` // when it forgets the key; null: not by itself
}

func toDaemon(h *remote.Hello) *daemonJSON {
	if h == nil {
		return nil
	}
	return &daemonJSON{h.PID, h.Version, h.Shared, h.Kept, millis(h.Until)}
}

func toStatus(st vault.Status, daemon *remote.Hello, unusable error) statusJSON {
	var out statusJSON
	out.Daemon, out.DaemonError = toDaemon(daemon), errorOrNil(unusable)
	out.Status.Enabled = st.Initialized
	out.Status.Provider = orNull(providerType(st.Provider))
	out.Status.Locked = st.Locked
	out.Status.KeyID = orNull(st.KeyID)
	out.Status.Error = errorOrNil(st.KeyError)
	out.Status.Slots = mapTo(st.Slots, toSlot)
	out.Paths.Root = st.Root
	out.Paths.Config, out.Paths.Secrets, out.Paths.Audit, out.Paths.Capabilities = st.File, st.File, st.File, st.File
	return out
}

// providerType is the documented word for where a key lives; the keyring has
// one on macOS only.
func providerType(k keys.Kind) string {
	if k == keys.KindKeyring && runtime.GOOS == "darwin" {
		return "macos_keychain"
	}
	return string(k)
}

// providerName is providerType for people.
func providerName(k keys.Kind) string {
	switch {
	case k == keys.KindKeyring && runtime.GOOS == "darwin":
		return "macOS Keychain"
	case k == keys.KindKeyring:
		return "Keyring"
	case k == keys.KindFile:
		return "Key file"
	case k == keys.KindEnv:
		return "Environment variable"
	case k == keys.KindPassphrase:
		return "Passphrase"
	case k == keys.KindRecovery:
		return "Recovery key"
	}
	return "-"
}

func (sh *shell) printStatus(ctx context.Context, st vault.Status) error {
	daemon, unusable := sh.session.Look(ctx)
	if sh.out.json {
		return sh.out.printJSON(toStatus(st, daemon, unusable))
	}
	state := cell{"unlocked", green}
	switch {
	case !st.Initialized:
		state = cell{"not initialized", yellow}
	case fault.CodeOf(st.KeyError) == fault.VaultRollback, fault.CodeOf(st.KeyError) == fault.VaultCorrupt:
		state = cell{"not usable", red}
	case st.Locked:
		state = cell{"locked", yellow}
	}
	rows := [][]cell{
		{{"Vault", bold}},
		{{"  Status:", plain}, state},
	}
	if st.Initialized {
		rows = append(rows,
			cells("  Provider:", providerName(st.Provider)),
			cells("  Key:", keyPlace(st.Key)),
			cells("  KEK identifier:", st.KeyID),
			cells("  Vault id:", st.VaultID))
		rows = append(rows, slotRows(st)...)
	}
	switch {
	case daemon != nil:
		rows = append(rows, cells("  Daemon:", daemonState(daemon)))
	case unusable != nil:
		rows = append(rows, []cell{{"  Daemon:", plain}, {unusable.Error(), red}})
	}
	rows = append(rows, []cell{{"Paths", bold}}, cells("  Root:", st.Root), cells("  Vault:", st.File))
	sh.out.table(rows)
	sh.out.printf("%s", sh.out.strong("Protection"))
	for _, line := range protection(st) {
		sh.out.printf("  %s", line)
	}
	if st.KeyError != nil && fault.CodeOf(st.KeyError) != fault.VaultLocked {
		e := toError(st.KeyError)
		sh.out.noticef("%s", e.Message)
		if e.Hint != "" {
			sh.out.noticef("%s", e.Hint)
		}
	}
	return nil
}

// daemonState says what a daemon does.
func daemonState(h *remote.Hello) string {
	what := "running"
	switch {
	case h.Kept && h.Until.IsZero():
		what = "keeps the key until it is locked"
	case h.Kept:
		what = "keeps the key until " + moment(h.Until)
	}
	if h.Shared {
		what += ", and serves other users"
	}
	return fmt.Sprintf("%s (process %d)", what, h.PID)
}

// protection says what the vault protects from, and what not.
func protection(st vault.Status) []string {
	lines := []string{
		"No command shows a value, and every call is recorded.",
		"Code that runs as you can still call aivault in any context, change what is",
	}
	switch st.Provider {
	case keys.KindFile:
		return append(lines, "allowed, and read the key file: it is no wall. A wall needs another user.")
	case keys.KindEnv:
		return append(lines, "allowed, and read the variable: it is no wall. A wall needs another user.")
	case keys.KindPassphrase, keys.KindRecovery:
		return append(lines, "allowed, and read along while you unlock: it is no wall. A wall needs another", "user.")
	case keys.KindKeyring:
		return append(lines, "allowed, and ask the keyring: it is no wall. A wall needs another user.")
	}
	return append(lines, "allowed, and read the key: it is no wall. A wall needs another user.")
}
