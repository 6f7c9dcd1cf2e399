package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newKey(sh *shell) *cobra.Command {
	return family("key", `The ways to open the vault. Each is a slot: a key in the keyring, in a file or
in a variable, a passphrase, or a recovery key on paper. Any one of them opens
it; those that ask nobody are tried first.`,
		newKeyList(sh), newKeyAdd(sh), newKeyRemove(sh))
}

func newKeyList(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:                   "list",
		Short:                 "list the ways to open the vault",
		Long:                  `Lists the slots of the vault, in the order in which they are tried.`,
		Example:               "aivault key list",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
			slots, err := be.Slots(ctx)
			if err != nil {
				return err
			}
			if sh.out.json {
				return sh.out.printJSON(mapTo(slots, toSlot))
			}
			if len(slots) == 0 {
				sh.out.printf("There is no vault yet. Make one with: aivault init")
				return nil
			}
			short := shortIDs(slots, func(s vault.Slot) vault.ID { return s.ID })
			rows := [][]cell{heading("ID", "KIND", "CREATED", "", "WHERE")}
			for i, s := range slots {
				created := "-"
				if !s.CreatedAt.IsZero() {
					created = moment(s.CreatedAt)
				}
				rows = append(rows, cells(short[i], string(s.Key.Kind), created, slotState(s), keyPlace(s.Key)))
			}
			sh.out.table(rows)
			sh.out.printf("%s", count(len(slots), "slot"))
			return nil
		}),
	}
}

// keyAdd is what `key add` takes.
type keyAdd struct {
	place    placeFlags
	recovery bool
	fresh    app.Passphrase
}

func newKeyAdd(sh *shell) *cobra.Command {
	var f keyAdd
	cmd := &cobra.Command{
		Use:   "add --provider keyring|file|env|passphrase | --recovery",
		Short: "add a way to open the vault",
		Long: `Adds a slot: another way to open the vault, beside those that there are. To get
in where the keyring was lost, give the passphrase or the recovery key of the
vault when the command asks for it, or with --passphrase-file.

With --recovery, makes a recovery key of 170 random bits and shows it once, on a
terminal only.`,
		Example: `aivault key add --recovery
aivault key add --provider keyring
aivault key add --provider passphrase`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVar(&f.recovery, "recovery", false, "make a recovery key, to be written down")
	f.place.add(cmd)
	fs.Lookup("keychain-account").Usage = "of provider keyring: the account of the entry (default: one of its own)"
	text(fs, &f.fresh.File, "new-passphrase-file", "PATH", "of provider passphrase: read the new one from a file, - for the standard input")
	run := sh.run(func(ctx context.Context, be app.Backend, _ []string) error { return f.run(ctx, sh, be) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sh.newPass = &f.fresh // --passphrase-file and its like open the vault
		return run(cmd, args)
	}
	return cmd
}

func (f *keyAdd) run(ctx context.Context, sh *shell, be app.Backend) error {
	choice, err := f.parse(sh)
	if err != nil {
		return err
	}
	if st, err := be.Status(ctx); err != nil {
		return err
	} else if !st.Initialized {
		return fault.New(fault.InvalidRequest, "there is no vault in %s", st.Root).WithHint("make one with `aivault init`")
	}
	if f.recovery {
		slot, err := sh.addRecovery(ctx, be)
		if err == nil {
			sh.out.printf("slot %s added", shortSlot(slot))
		}
		return err
	}
	cfg, err := sh.session.KeyConfig(choice)
	if err != nil {
		return err
	}
	slot, err := be.AddSlot(ctx, cfg)
	if err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(toSlot(slot))
	}
	sh.out.printf("slot %s added: %s", shortSlot(slot), slot.Key)
	return nil
}

// parse checks the flags before anything is opened or asked.
func (f *keyAdd) parse(sh *shell) (app.KeyChoice, error) {
	fs := f.place.cmd.Flags()
	if err := refuseEmpty(fs, leaveOut, "provider", "file-path", "env-var", "keychain-service", "keychain-account", "new-passphrase-file"); err != nil {
		return app.KeyChoice{}, err
	}
	choice, err := f.place.parse()
	switch {
	case err != nil:
		return choice, err
	case f.recovery && choice.Kind != "":
		return choice, fault.New(fault.Usage, "provide only one of --provider and --recovery")
	case f.recovery:
		return choice, sh.canShow()
	case choice.Kind == "":
		return choice, fault.New(fault.Usage, "--provider or --recovery is required")
	case fs.Changed("new-passphrase-file") && choice.Kind != keys.KindPassphrase:
		return choice, fault.New(fault.Usage, "--new-passphrase-file goes with --provider passphrase")
	case f.fresh.File == "-" && sh.pass.File == "-":
		return choice, fault.New(fault.Usage, "the standard input cannot be both passphrases")
	}
	return choice, nil
}

func newKeyRemove(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID",
		Short: "remove a way to open the vault",
		Long: `Removes a slot, by its id or the beginning of it. The only one stays, and so
does one without which nothing would open the vault now. What the key was made
of is left where it is; with that, a copy of the vault from before can still be
opened.`,
		Example:               "aivault key remove 3f6c21d8",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("slot's id"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			slots, err := be.Slots(ctx)
			if err != nil {
				return err
			}
			slot, found, err := findSlot(slots, args[0])
			if err != nil {
				return err
			}
			id, removed := args[0], false
			if found {
				id = slot.ID.String()
				if removed, err = be.RemoveSlot(ctx, slot.ID); err != nil {
					return err
				}
			}
			if err := sh.printSlotRemoved(id, slot, removed); err != nil || !removed {
				return err
			}
			return sh.warnOfRest(ctx, be)
		}),
	}
}

// findSlot returns the slot that ref names: its id, or a prefix of that which is
// unique and at least 6 long.
func findSlot(slots []vault.Slot, ref string) (slot vault.Slot, found bool, err error) {
	const least = 6
	if len(ref) < least || strings.Trim(ref, "0123456789abcdefABCDEF-") != "" {
		return slot, false, fault.New(fault.InvalidRequest, "this is no slot's id").
			WithHint("give the id, or at least %d characters of its beginning; `aivault key list` shows the ids", least)
	}
	for _, s := range slots {
		switch id := s.ID.String(); {
		case !strings.HasPrefix(id, strings.ToLower(ref)):
		case found:
			return slot, false, fault.New(fault.InvalidRequest, "%s is the beginning of more than one slot's id", ref).
				WithHint("`aivault key list` shows the ids")
		default:
			slot, found = s, true
		}
	}
	return slot, found, nil
}

func (sh *shell) printSlotRemoved(id string, slot vault.Slot, removed bool) error {
	if sh.out.json {
		return sh.out.printJSON(goneJSON{removed, id})
	}
	if !removed {
		sh.out.printf("there is no slot %s", id)
		return nil
	}
	sh.out.printf("slot %s removed: %s", shortSlot(slot), slot.Key)
	return nil
}

// warnOfRest says what it means that there are no slots left but certain ones.
func (sh *shell) warnOfRest(ctx context.Context, be app.Backend) error {
	st, err := be.Status(ctx)
	if err != nil {
		return fault.Afterwards(err)
	}
	for _, s := range st.Slots {
		if s.Key.Kind != keys.KindRecovery {
			return nil
		}
	}
	sh.out.notice("nothing but a recovery key opens the vault now: whoever loses that paper loses the vault; `aivault key add` makes another way in")
	return nil
}

// slotJSON is a slot.
type slotJSON struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Where     string `json:"where"`
	CreatedAt *int64 `json:"createdAtMs"` // null if it is not known
	InUse     bool   `json:"inUse"`
	Retiring  bool   `json:"retiring,omitempty"` // until `rotate-master --finish`
}

// slotState says what there is to say of a slot.
func slotState(s vault.Slot) string {
	switch {
	case s.Opened && s.Retiring:
		return "in use, retiring"
	case s.Opened:
		return "in use"
	case s.Retiring:
		return "retiring"
	}
	return ""
}

func toSlot(s vault.Slot) slotJSON {
	return slotJSON{s.ID.String(), string(s.Key.Kind), keyPlace(s.Key), millis(s.CreatedAt), s.Opened, s.Retiring}
}

// slotRows are the lines of a status about slots, where there is more than the
// one that it tells of anyway.
func slotRows(st vault.Status) [][]cell {
	if len(st.Slots) < 2 {
		return nil
	}
	rows := make([][]cell, len(st.Slots))
	for i, s := range st.Slots {
		title := ""
		if i == 0 {
			title = "  Slots:"
		}
		text := fmt.Sprintf("%s  %s", shortSlot(s), s.Key)
		if s.Retiring {
			text += " (retiring)"
		}
		rows[i] = cells(title, text)
	}
	return rows
}

func shortSlot(s vault.Slot) string { return s.ID.String()[:8] }

// keyPlace is where exactly a key lives.
func keyPlace(c keys.Config) string {
	switch c.Kind {
	case keys.KindFile:
		return c.Path
	case keys.KindEnv:
		return c.Variable()
	case keys.KindKeyring:
		return fmt.Sprintf("%s/%s", c.Service, c.Account)
	case keys.KindRecovery:
		return "on paper"
	}
	return "a passphrase that is asked for"
}
