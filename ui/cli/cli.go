// Package cli is the command line of aivault: the documented commands, for
// people, scripts and agents.
//
// A file holds a group of commands, or what several of them share: how flags
// are read, what a call is made of, how things are printed. A command is made
// by a function of its own, which reads flags into a local struct, turns them
// into a request (parsing), and hands that to the vault or the broker and
// prints what comes back (acting). Only the group that the arguments name is
// made, as most of what a command costs at its start is making commands.
package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
)

// A group is a command of the first level, with those below it.
type group struct {
	name    string
	aliases []string
	short   string
	make    func(*shell) *cobra.Command
}

// groups returns the commands in the order in which help lists them.
func groups() []group {
	return []group{
		{"status", nil, "show where the vault and its key are", newStatus},
		{"init", nil, "make a new vault", newInit},
		{"key", nil, "list, add and remove ways to open the vault", newKey},
		{"rotate-master", nil, "give the vault a new root key and a new key", newRotateMaster},
		{"unlock", nil, "have the daemon keep the key of the vault", newUnlock},
		{"lock", nil, "have the daemon forget the key of the vault", newLock},
		{"secrets", nil, "store, list, share and delete secrets", newSecrets},
		{"credential", nil, "say how secrets authenticate, and at which hosts", newCredential},
		{"capability", nil, "say what may be called", newCapability},
		{"provider", nil, "list providers, and define your own", newProvider},
		{"invoke", nil, "make a call and print the answer's body", newInvoke},
		{"json", nil, "make a call and print plan and answer as JSON", newJSON},
		{"markdown", []string{"md"}, "make a call and print the answer as markdown", newMarkdown},
		{"explain", nil, "tell which secret a call would use, and why", newExplain},
		{"oauth", nil, "get tokens with the consent of an account's owner", newOAuth},
		{"audit", nil, "show who did what", newAudit},
		{"doctor", nil, "verify the whole vault", newDoctor},
		{"backup", nil, "write a copy of the vault to a file", newBackup},
		{"restore", nil, "put a backup in the place of the vault", newRestore},
		{"daemon", nil, "make the calls of others, in the background", newDaemon},
		{"restart", nil, "start the daemon of the vault anew", newRestart},
		{"setup", nil, "let another user call, through a daemon of yours", newSetup},
		{"demo", nil, "show scopes at work, on a throw-away vault", newDemo},
		{"completion", nil, "print a completion script for a shell", newCompletion},
		{"help", nil, "explain a command", newHelp},
	}
}

// A shell is what the commands of one run share.
type shell struct {
	env     *app.Env
	out     *output
	pass    app.Passphrase
	newPass *app.Passphrase // where a new one comes from; nil: pass
	paper   opaque.Bytes    // a recovery key that is to be shown
	verbose bool            // -v: an alias of --json
	json    bool
	session *app.Session
	// unrecorded is why the outcome of the last call is not in the audit log,
	// as far as the broker knew when it returned.
	unrecorded error
	asksNobody bool // though there may be a terminal
	acting     bool // parsing is over: an error is no longer one of usage
}

// Main runs the command that the arguments say, and returns the exit status.
func Main(ctx context.Context, env *app.Env, args []string) (status int) {
	sh := &shell{env: env, out: newOutput(env, wantsJSON(env, args))}
	sh.out.until = ctx
	defer func() {
		if r := recover(); r != nil {
			status = sh.fail(ctx, crash(r))
		}
	}()
	root := sh.root(args)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	sh.close(ctx)
	if err != nil && !sh.acting {
		err = usageError(cmd, err)
	}
	if err == nil {
		err = sh.out.err
	}
	return sh.fail(ctx, err)
}

// Fail prints err as a command does that it ends, and returns the exit status.
func Fail(ctx context.Context, env *app.Env, err error) int {
	return (&shell{env: env, out: newOutput(env, wantsJSON(env, nil))}).fail(ctx, err)
}

// flushTimeout bounds the writing of what is still to be recorded at the end.
const flushTimeout = 15 * time.Second

// close ends the session. What it could not record was done all the same: that
// is a notice, and no failure.
func (sh *shell) close(ctx context.Context) {
	if sh.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	err := sh.session.Flush(ctx)
	if err == nil {
		err = sh.unrecorded
	}
	if err != nil {
		sh.out.noticef("what came of the call is not in the audit log, which says unknown of it: %v", err)
	}
	sh.session.Close()
}

// fail prints err, if there is one, and returns the exit status.
func (sh *shell) fail(ctx context.Context, err error) int {
	if err != nil && ctx.Err() != nil && fault.CodeOf(err) == fault.Timeout {
		err = fault.Wrap(fault.Canceled, err, "")
	}
	sh.out.fail(err)
	return app.ExitStatus(ctx, err)
}

// root makes the tree of commands: those that args may name in full, of the
// others name and summary.
func (sh *shell) root(args []string) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:                   "aivault COMMAND",
		Short:                 "a vault for API keys, and a broker that makes calls with them",
		DisableFlagsInUseLine: true,
		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableSuggestions:    true,
		CompletionOptions:     cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:                  func(_ *cobra.Command, args []string) error { return unknownCommand(args) },
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			// Now it is known what is a flag, and what only looked like one.
			if fs := cmd.Flags(); fs.Changed("json") || fs.Changed("verbose") {
				sh.out.json = sh.json || sh.verbose
			} else {
				sh.out.json = wantsJSON(sh.env, nil)
			}
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			sh.acting = true
			if version {
				return sh.printVersion()
			}
			return sh.overview(cmd)
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.SetHelpFunc(sh.help)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	root.SetOut(sh.env.Stdout)
	root.SetErr(sh.env.Stderr)
	sh.globalFlags(root.PersistentFlags())
	all := slices.ContainsFunc(args, func(a string) bool {
		return a == "help" || a == "completion" || strings.HasPrefix(a, cobra.ShellCompRequestCmd)
	})
	for _, g := range groups() {
		var cmd *cobra.Command
		if all || slices.ContainsFunc(args, func(a string) bool { return a == g.name || slices.Contains(g.aliases, a) }) {
			cmd = g.make(sh)
		} else {
			cmd = &cobra.Command{Use: g.name, Run: func(*cobra.Command, []string) {}}
		}
		cmd.Short, cmd.Aliases = g.short, g.aliases
		if g.name == "help" {
			root.SetHelpCommand(cmd)
		}
		root.AddCommand(cmd)
	}
	return root
}

// globalFlags adds the flags that every command has.
func (sh *shell) globalFlags(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.BoolVar(&sh.json, "json", false, "print JSON")
	fs.BoolVarP(&sh.verbose, "verbose", "v", false, "the same")
	text(fs, &sh.pass.File, "passphrase-file", "PATH", "read the vault's passphrase or recovery key from a file, - for the standard input")
	text(fs, &sh.pass.FD, "passphrase-fd", "N", "read it from an open descriptor")
	text(fs, &sh.pass.Text, "passphrase", "TEXT", "the same, where others can see it")
}

// run makes the function of a command that works on the vault.
func (sh *shell) run(act func(ctx context.Context, be app.Backend, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		session, err := sh.open(cmd)
		if err != nil {
			return err
		}
		err = act(cmd.Context(), session.Backend(), args)
		if fault.CodeOf(err) == fault.Usage {
			sh.acting = false
		}
		return err
	}
}

// open opens the session, once the command line is known to parse.
func (sh *shell) open(cmd *cobra.Command) (*app.Session, error) {
	given := 0
	for _, name := range []string{"passphrase", "passphrase-file", "passphrase-fd"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			given++
			if f.Value.String() == "" {
				return nil, fault.New(fault.Usage, "--%s is empty", name)
			}
		}
	}
	if given > 1 {
		return nil, fault.New(fault.Usage, "provide only one of --passphrase, --passphrase-file and --passphrase-fd")
	}
	sh.acting = true
	opts := app.Options{
		Passphrase: sh.pass, NewPassphrase: sh.newPass, Recovery: sh.keepRecovery, Notice: sh.out.notice,
	}
	if sh.asksNobody {
		opts.AskPassphrase = app.AskNobody
	}
	session, err := app.Open(sh.env, opts)
	sh.session = session
	return session, err
}

// wantsJSON reports whether JSON is asked for; errors in the command line
// itself must know it before the command line is parsed.
func wantsJSON(env *app.Env, args []string) bool {
	if strings.EqualFold(strings.TrimSpace(env.Getenv("AIVAULT_OUTPUT")), "json") {
		return true
	}
	for _, a := range args {
		switch a {
		case "--":
			return false
		case "--json", "--json=true", "--verbose", "--verbose=true", "-v":
			return true
		}
	}
	return false
}

// family makes a command that is nothing but those below it.
func family(use, long string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:                   use + " COMMAND",
		Long:                  long,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			names := make([]string, 0, len(commands))
			for _, c := range commands {
				if !c.Hidden {
					names = append(names, c.Name())
				}
			}
			list := strings.Join(names, ", ")
			if len(args) == 0 {
				return fault.New(fault.Usage, "%s needs a command: %s", cmd.CommandPath(), list)
			}
			return fault.New(fault.Usage, "%s has no command %.40q, only %s", cmd.CommandPath(), args[0], list)
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}
