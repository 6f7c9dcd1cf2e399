package tui

import (
	"context"
	"fmt"
	"os"
	"slices"
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

// A Program is the terminal interface without a terminal: the root, and the
// vault that it works on.
type Program struct {
	*Model
	Host    *view.Host
	session *app.Session
}

// Open returns the program for a terminal with these settings, and for the vault
// that the environment names, which nothing is asked of yet. Close it after use.
func Open(ctx context.Context, env *app.Env, settings term.Settings, pass app.Passphrase) (*Program, error) {
	host := &view.Host{
		Theme: theme.New(look(settings)), Now: env.Now, Tasks: task.NewTracker(ctx, env.Now), Keyhole: &view.Keyhole{},
	}
	session, err := app.Open(env, app.Options{
		Passphrase:    pass,
		AskPassphrase: host.Keyhole.Ask,
		Given:         host.Keyhole.Given,
		Notice:        func(string) {}, // the screens say it all
	})
	if err != nil {
		return nil, err
	}
	host.Backend, host.FirstUse, host.Kept = session.Backend(), session.FirstUse, session.Kept
	return &Program{Model: New(host, pages(), settings), Host: host, session: session}, nil
}

// Busy returns how many operations are under way.
func (p *Program) Busy() int {
	reads, writes := p.Host.Tasks.Busy()
	return reads + writes
}

// Drain waits until no write is under way, and what calls left to be recorded is
// durable.
func (p *Program) Drain(ctx context.Context) error {
	if left := p.Host.Tasks.Drain(ctx); len(left) > 0 {
		slices.Sort(left)
		return fault.New(fault.OutcomeUnknown, "abandoned: %s", strings.Join(left, ", ")).WithHint("`aivault audit` shows whether it is stored")
	}
	return p.session.Flush(ctx)
}

// Close wipes what is still typed, which a signal leaves there, and closes the
// vault.
func (p *Program) Close() {
	p.closeAll()
	p.session.Close()
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
	p, err := Open(ctx, env, settings, o.Passphrase)
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = term.Run(ctx, term.TTY{In: in, Out: out}, p.Model, settings, term.RunOptions{
		Stderr: env.Stderr,
		Drain:  p.Drain,
		Trace:  env.Getenv("AIVAULT_UI_TRACE"),
		Busy:   p.Busy,
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
