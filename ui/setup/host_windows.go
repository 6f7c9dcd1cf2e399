package setup

import "context"

// There is no shared mode on Windows, and no plan for it: nothing calls these.

func stat(string) (Stat, error) { return Stat{}, errNoSharedMode("windows") }

func run(context.Context, Command) (Output, error) { return Output{}, errNoSharedMode("windows") }
