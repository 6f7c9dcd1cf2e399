package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newBackup(sh *shell) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE [--force]",
		Short: "write a copy of the vault to a file",
		Long: `Writes a copy of the vault to a file, as it is at one moment, while others go on
with it. The copy is sealed as the vault is, and opens with the same keys: keep
a way to them somewhere else, too. It is verified before it gets its name, and a
file that is there already stays unless --force replaces it.`,
		Example: `aivault backup /media/usb/aivault-2026-03-01.backup
aivault backup ~/Sync/aivault.backup --force`,
		DisableFlagsInUseLine: true,
		Args:                  oneArg("file"),
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there already")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		b, err := be.Backup(ctx, args[0], force)
		if err != nil {
			return err
		}
		if sh.out.json {
			return sh.out.printJSON(toBackup(b))
		}
		sh.out.printf("%s holds the vault: %s, the last of %s; it was verified", b.File, count(int(b.Events), "event"), moment(b.Last))
		return nil
	})
	return cmd
}

// A backupJSON is a backup as programs see it.
type backupJSON struct {
	File    string `json:"file"`
	VaultID string `json:"vaultId"`
	Bytes   int64  `json:"bytes"`
	Events  uint64 `json:"events"`
	Last    *int64 `json:"lastMs"`
}

func toBackup(b vault.Backup) backupJSON {
	return backupJSON{File: b.File, VaultID: b.VaultID, Bytes: b.Bytes, Events: b.Events, Last: millis(b.Last)}
}

func newRestore(sh *shell) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore FILE [--yes]",
		Short: "put a backup in the place of the vault",
		Long: `Puts a backup in the place of the vault, whether that is in order, damaged or
missing. The backup is verified first, as 'aivault doctor' does, and must be of
the vault that is here, if there is one. Where it does not hold all that the
vault holds, what would be lost is told, and it takes a yes, on the terminal or
by --yes. The audit log of the restored vault says that it was.

The file that is replaced stays beside the vault as vault.db.before-restore,
until the next restore replaces it; delete it when you do not need it any more.`,
		Example: `aivault restore /media/usb/aivault-2026-03-01.backup
aivault restore ~/Sync/aivault.backup --yes`,
		DisableFlagsInUseLine: true,
		Args:                  oneArg("file"),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "restore it even where something is lost")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		opts := vault.RestoreOptions{Back: yes}
		if !yes && sh.env.Interactive() {
			var err error
			if opts, err = sh.askRestore(ctx, be, args[0]); err != nil {
				return err
			}
		}
		r, err := be.Restore(ctx, args[0], opts)
		if err != nil {
			return err
		}
		return sh.printRestored(&r)
	})
	return cmd
}

// askRestore asks whether what a restore loses may be lost.
func (sh *shell) askRestore(ctx context.Context, be app.Backend, file string) (vault.RestoreOptions, error) {
	c, err := be.Compare(ctx, file)
	if err != nil || !c.Back() {
		return vault.RestoreOptions{}, err
	}
	for _, line := range losses(&c) {
		sh.out.say(line)
	}
	ok, err := sh.env.Confirm(ctx, "Restore the backup?", fault.Conflict, "say so with --yes")
	if err == nil && !ok {
		err = fault.New(fault.Conflict, "the backup was not restored; nothing was changed")
	}
	return vault.RestoreOptions{Back: true, UpTo: c.Events}, err
}

// losses says what restoring a backup loses.
func losses(c *vault.Comparison) []string {
	lines := []string{fmt.Sprintf("the backup ends with event %d, of %s", c.Backup.Events, moment(c.Backup.Last))}
	if c.Damage != nil {
		lines = append(lines, fmt.Sprintf("the vault cannot be read: %v", c.Damage))
		if c.Events > 0 {
			lines = append(lines, fmt.Sprintf("as far as is remembered, it ended with event %d, of %s", c.Events, moment(c.Last)))
		}
		return append(lines, "what the backup does not hold of it is lost")
	}
	lines = append(lines, fmt.Sprintf("the vault ends with event %d, of %s", c.Events, moment(c.Last)),
		fmt.Sprintf("lost would be %s, of which %d changed something", count(int(c.Lost), "event"), c.LostChanges))
	if c.Newest != nil {
		lines = append(lines, "the last one: "+eventLine(c.Newest))
	}
	if c.NewestChange != nil && c.NewestChange != c.Newest {
		lines = append(lines, "the last change: "+eventLine(c.NewestChange))
	}
	return lines
}

// eventLine is an event in short.
func eventLine(e *vault.Event) string {
	s := fmt.Sprintf("%d, of %s, %s", e.Seq, moment(e.Time), e.Kind)
	for _, what := range []string{e.Capability, e.Credential, e.Note} {
		if what != "" {
			return s + " " + what
		}
	}
	return s
}

func (sh *shell) printRestored(r *vault.Restored) error {
	if !sh.out.json {
		sh.out.printf("%s was restored: %s, the last of %s", r.Backup.File, count(int(r.Backup.Events), "event"), moment(r.Backup.Last))
		switch {
		case r.Damage != nil:
			sh.out.printf("lost: what the backup does not hold of the vault that was there, which could not be read")
		case r.Back():
			sh.out.printf("lost: %s, of which %d changed something", count(int(r.Lost), "event"), r.LostChanges)
		}
		if r.Replaced != "" {
			sh.out.printf("the file that was there is now %s", r.Replaced)
		}
		return nil
	}
	out := struct {
		Backup      backupJSON `json:"backup"`
		Lost        uint64     `json:"lostEvents"`
		LostChanges uint64     `json:"lostChanges"`
		LostLast    *int64     `json:"lostLastMs"`
		Damage      *errorJSON `json:"damage,omitempty"` // of the vault that was replaced
		Replaced    *string    `json:"replaced"`
		Seq         uint64     `json:"seq"` // of the event that says so
	}{
		Backup: toBackup(r.Backup), Lost: r.Lost, LostChanges: r.LostChanges,
		Damage: errorOrNil(r.Damage), Replaced: orNull(r.Replaced), Seq: r.Seq,
	}
	if r.Lost > 0 {
		out.LostLast = millis(r.Last)
	}
	return sh.out.printJSON(out)
}
