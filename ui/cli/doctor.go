package cli

import (
	"context"

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
			rows = append(rows, []cell{mark, {c.Name, plain}, {c.Detail, plain}})
			if !c.OK && c.Remedy != "" {
				rows = append(rows, cells("", "", c.Remedy))
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
