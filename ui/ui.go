// Package ui is aivault as people and scripts meet it. It routes: to the
// helper that reaches the keyring, which aivault starts of itself, to the
// screens of package tui where no command is named, and else to the command line
// in package cli.
package ui

import (
	"context"
	"path/filepath"
	"strings"

	"aivault/keys"
	"aivault/ui/app"
	"aivault/ui/cli"
	"aivault/ui/tui"
)

// Main runs aivault with the given arguments, which do not include the name of
// the program, and returns its exit status.
func Main(ctx context.Context, env *app.Env, args []string) int {
	if len(args) == 1 && args[0] == keys.HelperArg {
		return keys.RunHelper(ctx, env.Stdin, env.Stdout)
	}
	screen, ok, err := parseScreen(args)
	if !ok {
		return cli.Main(ctx, env, args)
	}
	if err == nil {
		err = needsTerminal(env)
	}
	if err == nil {
		err = tui.Run(ctx, env, tui.Options{Terminal: screen.term, Passphrase: screen.pass})
	}
	return cli.Fail(ctx, env, err)
}

// daemonName is the name under which the program is its command daemon.
const daemonName = "aivaultd"

// Arguments returns what [Main] is to be given of the arguments of a process,
// the first of which is the name under which it was started.
func Arguments(argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	if name := filepath.Base(argv[0]); strings.TrimSuffix(name, ".exe") == daemonName {
		return append([]string{"daemon"}, argv[1:]...)
	}
	return argv[1:]
}
