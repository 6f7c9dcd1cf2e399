package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

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
			return sh.printStatus(st)
		}),
	}
}

func newInit(sh *shell) *cobra.Command {
	var provider string
	var c app.KeyChoice
	cmd := &cobra.Command{
		Use:   "init [--provider keyring|file|env|passphrase]",
		Short: "make a new vault",
		Long: `Makes a new vault. Its key is kept in the keyring of the system; where there is
none, in a file that only you can read; with AIVAULT_DIR, in a file beside the
vault. A vault that is there already is left alone.

Other commands make the vault when something is stored: use this one to choose.`,
		Example: `aivault init
aivault init --provider passphrase`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &provider, "provider", "PROVIDER", "where the key lives: keyring (or macos-keychain), file, env or passphrase")
	text(fs, &c.Path, "file-path", "PATH", "of provider file: the key file")
	text(fs, &c.Var, "env-var", "NAME", "of provider env: the variable (default "+keys.DefaultVar+")")
	text(fs, &c.Service, "keychain-service", "NAME", "of provider keyring: the service of the entry (default "+keys.KeyringService+")")
	text(fs, &c.Account, "keychain-account", "NAME", "of provider keyring: the account of the entry (default: the vault's id)")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		if fs.Changed("provider") {
			kind, err := keys.ParseKind(provider)
			if err != nil {
				return err
			}
			c.Kind = kind
		}
		for name, kind := range map[string]keys.Kind{
			"file-path": keys.KindFile, "env-var": keys.KindEnv,
			"keychain-service": keys.KindKeyring, "keychain-account": keys.KindKeyring,
		} {
			if fs.Changed(name) && c.Kind != kind {
				return fault.New(fault.Usage, "--%s goes with --provider %s", name, kind)
			}
		}
		cfg, err := sh.keyConfig(ctx, be, c)
		if err != nil {
			return err
		}
		st, err := be.Init(ctx, cfg)
		if err != nil {
			return err
		}
		return sh.printStatus(st)
	})
	return cmd
}

// keyConfig returns where the key of a new vault goes. A vault that is there is
// found before anybody is asked for a passphrase.
func (sh *shell) keyConfig(ctx context.Context, be app.Backend, c app.KeyChoice) (keys.Config, error) {
	if st, err := be.Status(ctx); err != nil || st.Initialized {
		if err == nil {
			err = fault.New(fault.AlreadyExists, "there is a vault in %s already", st.Root).
				WithHint("`aivault status` shows it; set AIVAULT_DIR to make another one elsewhere")
		}
		return keys.Config{}, err
	}
	if c.Kind == "" {
		return sh.session.FirstUse(ctx)
	}
	return sh.session.KeyConfig(c)
}

// statusJSON is the documented shape of a status.
type statusJSON struct {
	Status struct {
		Enabled  bool       `json:"enabled"`
		Provider *string    `json:"providerType"`
		Locked   bool       `json:"locked"`
		KeyID    *string    `json:"kekId"`
		Error    *errorJSON `json:"keyError,omitempty"` // ours: why it is locked
	} `json:"status"`
	Paths struct {
		Root         string `json:"rootDir"`
		Config       string `json:"configPath"`
		Secrets      string `json:"secretsDir"`
		Audit        string `json:"auditDir"`
		Capabilities string `json:"capabilitiesPath"`
	} `json:"paths"`
}

func toStatus(st vault.Status) statusJSON {
	var out statusJSON
	out.Status.Enabled = st.Initialized
	out.Status.Provider = orNull(providerType(st.Provider))
	out.Status.Locked = st.Locked
	out.Status.KeyID = orNull(st.KeyID)
	out.Status.Error = errorOrNil(st.KeyError)
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
	}
	return "-"
}

func (sh *shell) printStatus(st vault.Status) error {
	if sh.out.json {
		return sh.out.printJSON(toStatus(st))
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
			cells("  Key:", keyPlace(st)),
			cells("  KEK identifier:", st.KeyID),
			cells("  Vault id:", st.VaultID))
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

// keyPlace is where exactly the key lives.
func keyPlace(st vault.Status) string {
	switch st.Provider {
	case keys.KindFile:
		return st.Key.Path
	case keys.KindEnv:
		if st.Key.Var == "" {
			return keys.DefaultVar
		}
		return st.Key.Var
	case keys.KindKeyring:
		return fmt.Sprintf("%s/%s", st.Key.Service, st.Key.Account)
	}
	return "a passphrase that is asked for"
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
	case keys.KindPassphrase:
		return append(lines, "allowed, and read along while you unlock: it is no wall. A wall needs another", "user.")
	case keys.KindKeyring:
		return append(lines, "allowed, and ask the keyring: it is no wall. A wall needs another user.")
	}
	return append(lines, "allowed, and read the key: it is no wall. A wall needs another user.")
}
