package tui

import (
	"context"
	"fmt"
	"os"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/flat"
	"aivault/ui/tui/task"
	"aivault/ui/tui/term"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
)

// Options are what the command line says about the terminal interface.
type Options struct {
	Terminal   term.Options
	Passphrase app.Passphrase
}

// Run runs the terminal interface until somebody leaves it. The error is that of
// its end, for the exit status; nil where people left by themselves.
func Run(ctx context.Context, env *app.Env, o Options) error {
	settings := term.Detect(env.Getenv, o.Terminal)
	if settings.Accessible {
		return converse(ctx, env, o, settings)
	}
	in, isFile := env.Stdin.(*os.File)
	out, alsoFile := env.Stdout.(*os.File)
	if !isFile || !alsoFile {
		return fault.New(fault.Internal, "the terminal is no file")
	}
	tasks := task.NewTracker(ctx, env.Now)
	host := &view.Host{
		Theme: theme.New(look(settings)), Now: env.Now, Tasks: tasks, Keyhole: &view.Keyhole{},
	}
	session, err := app.Open(env, app.Options{
		Passphrase:    o.Passphrase,
		AskPassphrase: host.Keyhole.Ask,
		Given:         host.Keyhole.Given,
		Notice:        func(string) {}, // the screens say it all
	})
	if err != nil {
		return err
	}
	defer session.Close()
	host.Backend, host.FirstUse = session.Backend(), session.FirstUse
	_, err = term.Run(ctx, term.TTY{In: in, Out: out}, New(host, pages(), settings), settings, term.RunOptions{
		Stderr: env.Stderr,
		Drain: func(ctx context.Context) error {
			if left := tasks.Drain(ctx); len(left) > 0 {
				return fault.New(fault.OutcomeUnknown, "%s", strings.Join(left, ", "))
			}
			return session.Flush(ctx)
		},
		Trace: env.Getenv("AIVAULT_UI_TRACE"),
		Busy: func() int {
			reads, writes := tasks.Busy()
			return reads + writes
		},
	})
	return err
}

// converse is the interface as a conversation of plain lines.
func converse(ctx context.Context, env *app.Env, o Options, s term.Settings) error {
	session, err := app.Open(env, app.Options{
		Passphrase: o.Passphrase,
		Notice:     func(msg string) { fmt.Fprintf(env.Stderr, "aivault: notice: %s\n", msg) },
	})
	if err != nil {
		return err
	}
	defer session.Close()
	return flat.Run(ctx, env, session.Backend(), flat.Options{
		ASCII: s.ASCII, FirstUse: session.FirstUse, KeyConfig: session.KeyConfig,
	})
}

// look is what a terminal means for the theme.
func look(s term.Settings) theme.Options {
	depth := map[term.Colour]theme.Depth{
		term.None: theme.NoColour, term.ANSI: theme.ANSI, term.ANSI256: theme.ANSI256, term.TrueColour: theme.TrueColour,
	}
	return theme.Options{Colour: depth[s.Colour], Dark: s.Dark, Dumb: s.Dumb, ASCII: s.ASCII, Still: s.ReduceMotion}
}
