// Aivault keeps API keys in an encrypted vault and makes HTTPS calls for code
// that nobody trusts: the code names a capability, such as
// openai/chat-completions, and gets the answer, but never sees a key.
//
// Run `aivault` for an overview, and `aivault COMMAND --help` for a command.
package main

import (
	"context"
	"os"

	_ "aivault/ui/guard" // cleans the environment before anything reads it

	"aivault/ui"
	"aivault/ui/app"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := app.WithSignals(context.Background())
	defer stop()
	return ui.Main(ctx, app.System(), ui.Arguments(os.Args))
}
