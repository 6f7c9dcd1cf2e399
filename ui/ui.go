// Package ui is aivault as people and scripts meet it. It routes: to the
// helper that reaches the keyring, which aivault starts of itself, to the
// screens of package tui where no command is named, and else to the command line
// in package cli.
package ui

import (
	"context"

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
