package cli

import (
	"context"

	"github.com/spf13/cobra"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/vault"
)

func newInit(sh *shell) *cobra.Command {
	var place placeFlags
	var noRecovery bool
	cmd := &cobra.Command{
		Use:   "init [--provider keyring|file|env|passphrase] [--no-recovery]",
		Short: "make a new vault",
		Long: `Makes a new vault. Its key is kept in the keyring of the system; where there is
none, in a file that only you can read; with AIVAULT_DIR, in a file beside the
vault. A vault that is there already is left alone.

A vault whose key is in the keyring also gets a recovery key, which is shown
once, and on a terminal only: with it the vault opens when the keyring is lost.

Other commands make the vault when something is stored: use this one to choose.`,
		Example: `aivault init
aivault init --provider passphrase`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	cmd.Flags().SortFlags = false
	place.add(cmd)
	cmd.Flags().BoolVar(&noRecovery, "no-recovery", false, "of provider keyring: make no recovery key")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		choice, err := place.parse()
		if err != nil {
			return err
		}
		cfg, err := sh.keyConfig(ctx, be, choice)
		if err != nil {
			return err
		}
		st, err := be.Init(ctx, cfg)
		if err != nil {
			return err
		}
		if err := sh.printStatus(ctx, st); err != nil || noRecovery || cfg.Kind != keys.KindKeyring {
			return err
		}
		if sh.canShow() != nil {
			sh.out.notice("the keyring alone opens this vault; `aivault key add --recovery`, on a terminal, makes a second way in, for the day when that is lost")
			return nil
		}
		_, err = sh.addRecovery(ctx, be)
		return err
	})
	return cmd
}

// placeFlags are the flags that say where a new key is to live.
type placeFlags struct {
	provider string
	choice   app.KeyChoice
	cmd      *cobra.Command
}

func (f *placeFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	fs := cmd.Flags()
	text(fs, &f.provider, "provider", "PROVIDER", "where the key lives: keyring (or macos-keychain), file, env or passphrase")
	text(fs, &f.choice.Path, "file-path", "PATH", "of provider file: the key file")
	text(fs, &f.choice.Var, "env-var", "NAME", "of provider env: the variable (default "+keys.DefaultVar+")")
	text(fs, &f.choice.Service, "keychain-service", "NAME", "of provider keyring: the service of the entry (default "+keys.KeyringService+")")
	text(fs, &f.choice.Account, "keychain-account", "NAME", "of provider keyring: the account of the entry (default: the vault's id)")
}

// parse returns the choice; its kind is empty if none was made.
func (f *placeFlags) parse() (app.KeyChoice, error) {
	fs := f.cmd.Flags()
	c := f.choice
	if fs.Changed("provider") {
		kind, err := keys.ParseKind(f.provider)
		if err != nil {
			return c, err
		}
		c.Kind = kind
	}
	for name, kind := range map[string]keys.Kind{
		"file-path": keys.KindFile, "env-var": keys.KindEnv,
		"keychain-service": keys.KindKeyring, "keychain-account": keys.KindKeyring,
	} {
		if fs.Changed(name) && c.Kind != kind {
			return c, fault.New(fault.Usage, "--%s goes with --provider %s", name, kind)
		}
	}
	return c, nil
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

// canShow reports whether a recovery key can be shown: to a person, never to a
// program or a file, which would keep it. Otherwise it says so: fault.Usage.
func (sh *shell) canShow() error {
	switch {
	case !sh.out.terminal:
		return fault.New(fault.Usage, "a recovery key is shown on a terminal only, and the output is none").
			WithHint("run it on a terminal, with nothing to take its output")
	case sh.out.json:
		return fault.New(fault.Usage, "a recovery key is shown to people only, and not as JSON").
			WithHint("run it without --json, -v and AIVAULT_OUTPUT")
	}
	return nil
}

// keepRecovery takes a new recovery key. It is shown once it opens the vault.
func (sh *shell) keepRecovery(text opaque.Bytes) error {
	sh.paper.Clear()
	sh.paper = text
	return sh.canShow()
}

// addRecovery adds a recovery key, and shows it.
func (sh *shell) addRecovery(ctx context.Context, be app.Backend) (vault.Slot, error) {
	slot, err := be.AddSlot(ctx, keys.Config{Kind: keys.KindRecovery})
	defer sh.paper.Clear()
	if err != nil {
		return slot, err
	}
	sh.out.printf("%s, shown this once:", sh.out.strong("Recovery key"))
	sh.out.printf("")
	line := append(append([]byte("  "), sh.paper.Reveal()...), '\n')
	sh.out.write(line)
	clear(line)
	sh.out.printf("")
	sh.out.printf("Write it down, and keep it away from this machine: whoever has it and a copy of")
	sh.out.printf("the vault opens it. When no other key is to be had, such as after the keyring was")
	sh.out.printf("lost, a command asks for it on a terminal or takes it from --passphrase-file;")
	sh.out.printf("`aivault key add` then makes a new slot.")
	if sh.out.err != nil { // nobody saw it
		_, _ = be.RemoveSlot(context.WithoutCancel(ctx), slot.ID)
	}
	return slot, sh.out.err
}
