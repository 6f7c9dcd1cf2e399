package cli

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/keys/fault"
)

// usageError gives an error of parsing its code, and the usage line.
func usageError(cmd *cobra.Command, err error) error {
	if code := fault.CodeOf(err); code != fault.Usage && code != fault.Internal {
		return err
	}
	hint := fault.HintOf(err)
	if hint == "" {
		hint = "usage: " + cmd.UseLine()
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return fault.New(fault.Usage, "%s", e.Error()).WithHint("%s", hint)
	}
	return fault.New(fault.Usage, "%s", err.Error()).WithHint("%s", hint)
}

// flagError says what is wrong with a flag. What was typed may be a secret in
// the wrong place: of an unknown flag no more than its name is repeated, and of
// a bad value nothing.
func flagError(err error) error {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if e.GetSpecifiedShortnames() != "" {
			return fault.New(fault.Usage, "unknown flag -%s", e.GetSpecifiedName())
		}
		name := e.GetSpecifiedName()
		if len(name) > 30 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") != "" {
			return fault.New(fault.Usage, "there is an unknown flag")
		}
		return fault.New(fault.Usage, "unknown flag --%s", name)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if f, ok := errors.AsType[*fault.Error](e.Unwrap()); ok {
			return fault.New(fault.Usage, "--%s %s", e.GetFlag().Name, f.Msg)
		}
		return fault.New(fault.Usage, "--%s does not take this value", e.GetFlag().Name)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fault.New(fault.Usage, "--%s needs a value", e.GetFlag().Name)
	}
	return fault.New(fault.Usage, "a flag is malformed")
}

// unknownCommand is the error of arguments that name no command.
func unknownCommand(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.New(fault.Usage, "there is no command %.40q", args[0]).WithHint("`aivault help` lists the commands")
}

// noArgs refuses arguments. They are not repeated: the value of a secret may
// have been typed after a space too many.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fault.New(fault.Usage, "the command takes no arguments but flags")
	}
	return nil
}

// oneArg wants exactly one argument.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return fault.New(fault.Usage, "the %s is missing", what)
		case len(args) > 1:
			return fault.New(fault.Usage, "the command takes one %s", what)
		}
		return nil
	}
}

// crash makes an error of a panic. Its value may be anything, a secret too: it
// is shown only where the runtime made it.
func crash(r any) error {
	what := fmt.Sprintf("a panic of type %T", r)
	if e, ok := r.(runtime.Error); ok {
		what = e.Error()
	}
	where := "an unknown place"
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.HasPrefix(f.Function, "aivault/") && !strings.Contains(f.Function, "cli.crash") && !strings.Contains(f.Function, "cli.Main.func") {
			where = fmt.Sprintf("%s, line %d", f.Function, f.Line)
			break
		}
	}
	return fault.New(fault.Internal, "%s in %s", what, where)
}
