package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
)

func newDaemon(sh *shell) *cobra.Command {
	var o app.ServeOptions
	var idle string
	var version bool
	cmd := &cobra.Command{
		Use:   "daemon [--socket PATH] [--shared] [--once]",
		Short: "make the calls of others, in the background",
		Long: `Serves the vault to the commands of the same user: they make their calls through
it, so that connections are used again, and it keeps the key of a vault that was
unlocked. Commands start a daemon when they need one; it leaves after 15 minutes
without work.

With --shared, other users may call too, through a socket of the machine: in
the contexts that 'aivault setup agent-access' granted them, and nothing else.

This command stays in the foreground, for a service manager, until it is told to
end. Started under the name aivaultd, the program is this command.`,
		Example: `aivault daemon
aivault daemon --shared`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &o.Socket, "socket", "PATH", "listen here, too")
	fs.BoolVar(&o.Shared, "shared", false, "let other users call, in the contexts granted to them")
	fs.BoolVar(&o.Once, "once", false, "leave after the first request")
	text(fs, &idle, "idle", "DURATION", "leave after so long without a request, such as 15m (default: stay)")
	fs.BoolVar(&version, "version", false, "print the version")
	serve := sh.run(func(ctx context.Context, _ app.Backend, _ []string) error {
		if err := refuseEmpty(fs, leaveOut, "socket", "idle"); err != nil {
			return err
		}
		if fs.Changed("idle") {
			var err error
			if o.Idle, err = time.ParseDuration(idle); err != nil || o.Idle < time.Second {
				return fault.New(fault.Usage, "--idle takes a time of at least 1s, such as 15m")
			}
		}
		o.Ready = func(sockets []string) { sh.out.notice("listening at " + strings.Join(sockets, " and ")) }
		return sh.session.Serve(ctx, o)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if version {
			sh.acting = true
			return sh.printVersion()
		}
		sh.asksNobody = true
		return serve(cmd, args)
	}
	return cmd
}

func newRestart(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "restart",
		Short: "start the daemon of the vault anew",
		Long: `Ends the daemon of the vault, which finishes the calls that are under way for up
to five seconds, and starts another one, such as after an update. A vault that
was unlocked is locked then.`,
		Example:               "aivault restart",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: sh.run(func(ctx context.Context, _ app.Backend, _ []string) error {
			socket, err := sh.session.Restart(ctx)
			if err != nil {
				return err
			}
			if sh.out.json {
				exe, err := sh.env.Executable()
				if err != nil {
					return fault.Wrap(fault.Internal, err, "finding this program")
				}
				return sh.out.printJSON(struct {
					Restarted bool   `json:"restarted"`
					Socket    string `json:"socket"`
					Daemon    string `json:"daemonPath"`
				}{true, socket, exe})
			}
			sh.out.printf("the daemon was restarted: %s", socket)
			return nil
		}),
	}
}
