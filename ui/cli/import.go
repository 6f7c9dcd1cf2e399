package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/vault"
)

// maxImport is the size of the largest file of entries, in bytes.
const maxImport = 16 << 20

func newSecretsImport(sh *shell) *cobra.Command {
	var scope scopeFlags
	var entries []string
	var file string
	var rotate bool
	cmd := &cobra.Command{
		Use:   "import --file PATH",
		Short: "store many secrets",
		Long: `Stores each NAME=value as 'secrets create' does. In a file, empty lines and
those that begin with # are skipped, 'export ' before a name is dropped, and so
are quotes around a value. Of two entries with one name the later counts.

A name that exists in the scope is skipped, or rotated with --rotate-existing.
What could not be stored is reported, and the exit status says so.`,
		Example: `aivault secrets import --file .env --workspace-id shop
aivault secrets import --file - --rotate-existing < keys.env`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &file, "file", "PATH", "a file with a NAME=value on each line, - for the standard input")
	many(fs, &entries, "entry", "NAME=VALUE", "an entry, where others can see it")
	fs.BoolVar(&rotate, "rotate-existing", false, "give names that exist the new value")
	scope.add(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := scope.parse()
		if err != nil {
			return err
		}
		list, err := sh.importEntries(ctx, entries, file)
		if err != nil {
			return err
		}
		defer func() {
			for _, e := range list {
				e.Value.Clear()
			}
		}()
		result, err := be.ImportSecrets(ctx, s, list, rotate)
		if err != nil {
			return err
		}
		return sh.printImport(ctx, be, result)
	})
	return cmd
}

// importEntries returns the entries of the flags and of the file, each name
// once.
func (sh *shell) importEntries(ctx context.Context, flags []string, path string) ([]vault.ImportEntry, error) {
	var list []vault.ImportEntry
	for i, e := range flags {
		name, value, ok := strings.Cut(e, "=")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, fault.New(fault.Usage, "entry %d is not NAME=VALUE", i+1)
		}
		list = append(list, vault.ImportEntry{Name: strings.TrimSpace(name), Value: opaque.New([]byte(value))})
	}
	if len(flags) > 0 && sh.env.IsTerminal(sh.env.Stderr) {
		sh.out.notice("--entry can be seen in the list of processes and in your shell's history; --file cannot")
	}
	if path != "" {
		b, err := sh.env.ReadFile(ctx, path, maxImport)
		if err != nil {
			return nil, err
		}
		fromFile, err := parseEntries(b)
		clear(b)
		if err != nil {
			return nil, err
		}
		list = append(list, fromFile...)
	}
	if len(list) == 0 {
		return nil, fault.New(fault.Usage, "there is nothing to import")
	}
	return lastOfEach(list), nil
}

// parseEntries reads the lines of a file. Values are copied. Errors name the
// line, and nothing of what it says.
func parseEntries(b []byte) ([]vault.ImportEntry, error) {
	var list []vault.ImportEntry
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(b, []byte("\ufeff"))) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if rest, ok := bytes.CutPrefix(line, []byte("export ")); ok {
			line = rest
		}
		name, value, ok := bytes.Cut(line, []byte("="))
		name, value = bytes.TrimSpace(name), bytes.TrimSpace(value)
		if !ok || len(name) == 0 {
			return nil, fault.New(fault.InvalidRequest, "line %d is not NAME=value", n).
				WithHint("a value of several lines cannot be imported: use `aivault secrets create --value-file`")
		}
		if q := len(value) - 1; q > 0 && (value[0] == '"' || value[0] == '\'') {
			if value[q] != value[0] {
				return nil, fault.New(fault.InvalidRequest, "line %d has a quote that is not closed", n)
			}
			value = value[1:q]
		}
		list = append(list, vault.ImportEntry{Name: string(name), Value: opaque.Clone(value)})
	}
	return list, nil
}

// lastOfEach keeps the last entry of each name.
func lastOfEach(list []vault.ImportEntry) []vault.ImportEntry {
	last := map[string]int{}
	for i, e := range list {
		last[e.Name] = i
	}
	kept := list[:0:0]
	for i, e := range list {
		if last[e.Name] == i {
			kept = append(kept, e)
		} else {
			e.Value.Clear()
		}
	}
	return kept
}

// printImport prints what became of the entries. Its error is that of the first
// entry that failed.
func (sh *shell) printImport(ctx context.Context, be app.Backend, r vault.ImportResult) error {
	type failure struct {
		Name string `json:"name"`
		errorJSON
	}
	name := func(s vault.Secret) string { return s.Name }
	if sh.out.json {
		err := sh.out.printJSON(struct {
			Created []string  `json:"created"`
			Rotated []string  `json:"rotated"`
			Skipped []string  `json:"skipped"`
			Failed  []failure `json:"failed"`
		}{
			mapTo(r.Created, name), mapTo(r.Rotated, name), orEmpty(r.Skipped),
			mapTo(r.Failed, func(f vault.ImportFailure) failure { return failure{f.Name, toError(f.Err)} }),
		})
		if err != nil {
			return err
		}
	} else {
		var rows [][]cell
		add := func(st style, what, name, why string) {
			rows = append(rows, []cell{{what, st}, {name, plain}, {why, plain}})
		}
		for _, s := range r.Created {
			add(green, "created", s.Name, "")
		}
		for _, s := range r.Rotated {
			add(green, "rotated", s.Name, "")
		}
		for _, s := range r.Skipped {
			add(yellow, "skipped", s, "exists already")
		}
		for _, f := range r.Failed {
			add(red, "failed", f.Name, f.Err.Error())
		}
		sh.out.table(rows)
	}
	for _, s := range r.Created {
		if err := sh.provisioned(ctx, be, s); err != nil {
			return err
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	first := r.Failed[0]
	err := fault.New(fault.CodeOf(first.Err), "%s of %d could not be imported, the first is %.80q: %s",
		count(len(r.Failed), "entry"), len(r.Created)+len(r.Rotated)+len(r.Skipped)+len(r.Failed), first.Name, first.Err)
	if e, ok := errors.AsType[*fault.Error](first.Err); ok && e.Hint != "" {
		return err.WithHint("%s", e.Hint)
	}
	return err
}
