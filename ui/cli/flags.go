package cli

import (
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/keys/fault"
	"aivault/vault"
)

// A single is the value of a flag that may be given once: of two that
// contradict each other, neither is silently dropped.
type single struct {
	set  func(string) error
	get  func() string
	kind string
	seen bool
}

func (s *single) Set(v string) error {
	if s.seen {
		return fault.New(fault.Usage, "is given twice")
	}
	s.seen = true
	return s.set(v)
}

func (s *single) String() string {
	if s.get == nil { // pflag asks a zero one for its default
		return ""
	}
	return s.get()
}

func (s *single) Type() string { return s.kind }

// text adds a flag that takes a text; kind is what help shows for it.
func text(fs *pflag.FlagSet, p *string, name, kind, usage string) {
	fs.Var(&single{
		kind: kind,
		set:  func(v string) error { *p = v; return nil },
		get:  func() string { return *p },
	}, name, usage)
}

// number adds a flag that takes a number from low on.
func number(fs *pflag.FlagSet, p *int64, name, kind string, low int64, usage string) {
	fs.Var(&single{
		kind: kind,
		set: func(v string) error {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil || n < low {
				return fault.New(fault.Usage, "takes a whole number, at least %d", low)
			}
			*p = n
			return nil
		},
		get: func() string {
			if *p == 0 {
				return ""
			}
			return strconv.FormatInt(*p, 10)
		},
	}, name, usage)
}

// A texts is the value of a flag that may be given many times; each occurrence
// is one value, commas included.
type texts struct {
	values *[]string
	kind   string
}

func (t texts) Set(v string) error { *t.values = append(*t.values, v); return nil }
func (t texts) String() string     { return "" }
func (t texts) Type() string       { return t.kind }

// many adds a flag that may be given many times.
func many(fs *pflag.FlagSet, p *[]string, name, kind, usage string) {
	fs.Var(texts{p, kind}, name, usage+"; may be given more than once")
}

// require makes flags mandatory: given, and not empty.
func require(cmd *cobra.Command, names ...string) {
	earlier := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if earlier != nil {
			if err := earlier(cmd, args); err != nil {
				return err
			}
		}
		for _, name := range names {
			if f := cmd.Flags().Lookup(name); !f.Changed || isBlank(f) {
				return fault.New(fault.Usage, "--%s is required", name)
			}
		}
		return nil
	}
}

// isBlank reports whether a flag was given an empty text.
func isBlank(f *pflag.Flag) bool {
	t, repeated := f.Value.(texts)
	if repeated {
		return slices.Contains(*t.values, "")
	}
	return f.Value.String() == ""
}

// refuseEmpty refuses those of the named flags that are given and empty, as by
// a shell variable that is not set: to go on as if the flag were not there could
// mean more than was meant. What the command does not have is not looked at.
func refuseEmpty(fs *pflag.FlagSet, hint string, names ...string) error {
	for _, name := range names {
		if f := fs.Lookup(name); f != nil && f.Changed && isBlank(f) {
			return fault.New(fault.Usage, "--%s is empty", name).WithHint("%s", hint)
		}
	}
	return nil
}

// Hints for flags that are empty.
const (
	widerScope   = "leave the flag out for a wider scope"
	widerContext = "leave the flag out for a wider context"
	leaveOut     = "leave the flag out, or give it a value"
)

// revision is the flag --if-revision.
func revision(cmd *cobra.Command) *int64 {
	n := new(int64)
	number(cmd.Flags(), n, "if-revision", "N", 1, "change it only if this is still its revision")
	return n
}

func ifRevision(n *int64) vault.IfRevision { return vault.IfRevision(*n) }

// scopeFlags are the flags that say a scope.
type scopeFlags struct {
	scope, workspace, group string
	cmd                     *cobra.Command
}

// add adds the flags.
func (f *scopeFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	fs := cmd.Flags()
	text(fs, &f.scope, "scope", "SCOPE", "global, workspace or group; the ids say it if this is not given")
	text(fs, &f.workspace, "workspace-id", "ID", "the workspace")
	text(fs, &f.group, "group-id", "ID", "the group in that workspace")
}

// given reports whether any of the flags is there.
func (f *scopeFlags) given() bool {
	fs := f.cmd.Flags()
	return fs.Changed("scope") || fs.Changed("workspace-id") || fs.Changed("group-id")
}

// parse returns the scope that the flags say. An id that is given and empty is
// refused: it would widen the scope.
func (f *scopeFlags) parse() (vault.Scope, error) {
	if err := refuseEmpty(f.cmd.Flags(), widerScope, "scope", "workspace-id", "group-id"); err != nil {
		return vault.Scope{}, err
	}
	scope, err := vault.NewScope(f.workspace, f.group)
	if err != nil {
		return scope, err
	}
	if f.scope == "" || f.scope == scope.Level.String() {
		return scope, nil
	}
	switch f.scope {
	case "global":
		return scope, fault.New(fault.Usage, "--scope global does not go with --workspace-id or --group-id")
	case "workspace":
		return scope, fault.New(fault.Usage, "--scope workspace goes with --workspace-id, and without --group-id")
	case "group":
		return scope, fault.New(fault.Usage, "--scope group goes with --workspace-id and --group-id")
	}
	return scope, fault.New(fault.Usage, "--scope is global, workspace or group")
}

// contextFlags are the flags by which a caller states who it is. One that is
// given and empty is refused, as for a scope.
type contextFlags struct {
	workspace, group, consumer string
	set                        *pflag.FlagSet
}

func (f *contextFlags) add(fs *pflag.FlagSet) {
	f.set = fs
	text(fs, &f.workspace, "workspace-id", "ID", "the workspace of the call")
	text(fs, &f.group, "group-id", "ID", "the group of the call, in that workspace")
	text(fs, &f.consumer, "consumer", "NAME", "who makes the call, for bindings and the audit log")
}

func (f *contextFlags) parse() (vault.Context, error) {
	if err := refuseEmpty(f.set, widerContext, "workspace-id", "group-id", "consumer"); err != nil {
		return vault.Context{}, err
	}
	c := vault.Context{Workspace: f.workspace, Group: f.group, Consumer: f.consumer}
	return c, c.Validate()
}
