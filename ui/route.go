package ui

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/term"
)

// A screen is what a person asks for who names no command: the terminal
// interface, on these terms.
type screen struct {
	term term.Options
	pass app.Passphrase
}

// parseScreen reads arguments that name no command. Where ok is false they are
// for the command line, which also knows best what is wrong with a flag that
// nobody has.
func parseScreen(args []string) (s screen, ok bool, err error) {
	fs := pflag.NewFlagSet("aivault", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&s.term.Theme, "theme", "", "")
	fs.BoolVar(&s.term.NoMouse, "no-mouse", false, "")
	fs.BoolVar(&s.term.Accessible, "accessible", false, "")
	fs.StringVar(&s.pass.File, "passphrase-file", "", "")
	fs.StringVar(&s.pass.FD, "passphrase-fd", "", "")
	if fs.Parse(args) != nil || fs.NArg() > 0 {
		return screen{}, false, nil
	}
	fs.Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" && err == nil {
			err = fault.New(fault.Usage, "--%s is empty", f.Name)
		}
	})
	switch {
	case err != nil:
	case s.term.Theme != "" && !slices.Contains(term.Themes(), s.term.Theme):
		err = fault.New(fault.Usage, "--theme is one of %s", strings.Join(term.Themes(), ", "))
	case s.pass.File != "" && s.pass.FD != "":
		err = fault.New(fault.Usage, "provide only one of --passphrase-file and --passphrase-fd")
	}
	return s, true, err
}

// needsTerminal is the error of screens that nobody could see, or no key reach.
func needsTerminal(env *app.Env) error {
	if env.IsTerminal(env.Stdin) && env.IsTerminal(env.Stdout) {
		return nil
	}
	return fault.New(fault.Usage, "without a terminal a command is needed: 'aivault help' lists them, 'aivault status' shows the vault")
}
