package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newDoctor(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "verify the whole vault",
		Long: `Reads everything that is stored and verifies it: that every record is as it was
written and the current one, that none is missing, and that the audit log is
whole. It changes nothing. The exit status tells the worst that was found.`,
		Example:               "aivault doctor",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
			report, err := be.Doctor(ctx)
			if err != nil {
				return err
			}
			if err := sh.printReport(report); err != nil {
				return err
			}
			return report.Err()
		}),
	}
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
			if !c.OK {
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
