package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
)

func newUnlock(sh *shell) *cobra.Command {
	var limit string
	cmd := &cobra.Command{
		Use:   "unlock [--for 8h]",
		Short: "have the daemon keep the key of the vault",
		Long: `Asks for the passphrase or the recovery key of the vault, and gives the key to
the daemon, which is started if need be. Until 'aivault lock', the time limit,
or the end of the daemon, every command works without asking: what needs the
vault is done by the daemon, which hands out neither the key nor a value.

A vault that opens by itself, such as by the keyring, need not be unlocked.`,
		Example: `aivault unlock
aivault unlock --for 8h`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	text(cmd.Flags(), &limit, "for", "DURATION", "lock it again after so long, such as 30m or 8h (default: never)")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		var d time.Duration
		if cmd.Flags().Changed("for") {
			var err error
			if d, err = time.ParseDuration(limit); err != nil || d < time.Second || d > maxUnlocked {
				return fault.New(fault.Usage, "--for takes a time from 1s to %dh, such as 30m or 8h", maxUnlocked/time.Hour)
			}
		}
		st, err := be.Status(ctx)
		switch {
		case err != nil:
			return err
		case !st.Initialized:
			return fault.New(fault.InvalidRequest, "there is no vault in %s", st.Root).WithHint("make one with `aivault init`")
		case !st.Locked && !st.Provider.Typed() && sh.pass == (app.Passphrase{}):
			if err := sh.printStatus(ctx, st); err != nil {
				return err
			}
			sh.out.noticef("this vault opens by itself, with the %s: there is nothing to unlock", st.Key)
			return nil
		}
		if st, err = sh.session.Unlock(ctx, d); err != nil {
			return err
		}
		return sh.printStatus(ctx, st)
	})
	return cmd
}

// maxUnlocked is the longest time limit: who wants more wants none.
const maxUnlocked = 30 * 24 * time.Hour

func newLock(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "lock",
		Short: "have the daemon forget the key of the vault",
		Long: `Has the daemon of the vault forget the key, once the calls that are under way
are done, and close its connections. A vault that opens by itself, such as by
the keyring, opens again with the next command.`,
		Example:               "aivault lock",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
			d, err := sh.session.Daemon(ctx)
			if err != nil {
				return err
			}
			if d != nil {
				if err := d.Lock(ctx); err != nil {
					return err
				}
			}
			st, err := be.Status(ctx)
			if err != nil {
				return err
			}
			if err := sh.printStatus(ctx, st); err != nil {
				return err
			}
			switch {
			case !st.Initialized:
			case !st.Locked:
				sh.out.noticef("this vault opens by itself, with the %s: to lock it, make that key unavailable", st.Key)
			case d == nil:
				sh.out.notice("no daemon runs: nothing was unlocked")
			}
			return nil
		}),
	}
}
