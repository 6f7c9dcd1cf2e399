package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newDoctor(sh *shell) *cobra.Command {
	var accept, yes bool
	var salvage string
	cmd := &cobra.Command{
		Use:   "doctor [--accept-rollback [--yes] | --salvage DIR]",
		Short: "verify the whole vault",
		Long: `Reads everything that is stored and verifies it: that every record is as it was
written and the current one, that none is missing, that the audit log is whole,
that the vault is no older than it was seen before, and that nobody else can get
at its files. It changes nothing in the vault. The exit status tells the worst
that was found.

An older copy of the vault's file is not used: what was deleted since would be
there again. --accept-rollback takes it for the vault from now on, if all else
is in order; the audit log says so. It takes a yes, on the terminal or by --yes.

--salvage makes a new vault of all that verifies of a damaged one, and lists
what does not. The damaged one is only read. The new one can be looked at with
AIVAULT_DIR=DIR, and restored as a backup: 'aivault restore DIR/vault.db'.`,
		Example: `aivault doctor
aivault doctor --salvage /tmp/salvaged`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVar(&accept, "accept-rollback", false, "take an older copy of the vault for the vault")
	fs.BoolVar(&yes, "yes", false, "of --accept-rollback: do not ask")
	text(fs, &salvage, "salvage", "DIR", "make a new vault in DIR of what verifies of a damaged one")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		switch {
		case accept && salvage != "":
			return fault.New(fault.Usage, "provide only one of --accept-rollback and --salvage")
		case yes && !accept:
			return fault.New(fault.Usage, "--yes goes with --accept-rollback")
		case fs.Changed("salvage"):
			if err := refuseEmpty(fs, "name a new directory", "salvage"); err != nil {
				return err
			}
			return sh.salvage(ctx, be, salvage)
		case accept:
			return sh.acceptRollback(ctx, be, yes)
		}
		report, err := be.Doctor(ctx)
		if err != nil {
			return err
		}
		report.Checks = append(report.Checks, sh.session.CheckDaemon(ctx))
		if err := sh.printReport(report); err != nil {
			return err
		}
		return report.Err()
	})
	return cmd
}

// acceptRollback takes an older copy for the vault, if nothing else is wrong
// with it.
func (sh *shell) acceptRollback(ctx context.Context, be app.Backend, yes bool) error {
	report, err := be.Doctor(ctx)
	if err != nil {
		return err
	}
	older := ""
	report.Checks = slices.DeleteFunc(report.Checks, func(c vault.Check) bool {
		found := !c.OK && c.Code == fault.VaultRollback
		if found {
			older = c.Detail
		}
		return found
	})
	if err := report.Err(); err != nil {
		return err
	}
	if older != "" && !yes {
		if !sh.env.Interactive() {
			return fault.New(fault.OperatorAuthRequired, "%s", older).WithHint("to go on with it, say so with --yes; nothing was changed")
		}
		sh.out.say(older)
		ok, err := sh.env.Confirm(ctx, "Use it all the same?", fault.OperatorAuthRequired, "say so with --yes")
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.Conflict, "the older copy was not accepted; nothing was changed")
		}
	}
	seq, err := be.AcceptOlder(ctx)
	if err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(struct {
			Accepted bool   `json:"accepted"`
			Seq      uint64 `json:"seq"`
		}{true, seq})
	}
	sh.out.printf("this copy is the vault from now on; event %d says so", seq)
	return nil
}

func (sh *shell) printReport(r vault.Report) error {
	if !sh.out.json {
		rows := [][]cell{}
		for _, c := range r.Checks {
			mark := cell{"ok", green}
			if !c.OK {
				mark = cell{"bad", red}
			}
			lines := wrap(c.Detail)
			if c.Remedy != "" {
				lines = append(lines, wrap(c.Remedy)...)
			}
			rows = append(rows, []cell{mark, {c.Name, plain}, {lines[0], plain}})
			for _, line := range lines[1:] {
				rows = append(rows, cells("", "", line))
			}
		}
		sh.out.table(rows)
		return nil
	}
	type check struct {
		Name   string     `json:"name"`
		OK     bool       `json:"ok"`
		Detail string     `json:"detail"`
		Code   fault.Code `json:"code,omitempty"`
		Remedy string     `json:"remedy,omitempty"`
	}
	return sh.out.printJSON(struct {
		Healthy bool    `json:"healthy"`
		Checks  []check `json:"checks"`
	}{r.Err() == nil, mapTo(r.Checks, func(c vault.Check) check { return check(c) })})
}

// wrap breaks a sentence into lines that fit beside the names of checks. There
// is at least one.
func wrap(s string) []string {
	const width = 60
	lines := []string{""}
	for _, word := range strings.Fields(s) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case columns(*last)+1+columns(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
