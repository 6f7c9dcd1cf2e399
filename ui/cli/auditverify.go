package cli

import (
	"context"

	"github.com/spf13/cobra"

	"aivault/ui/app"
)

func newAuditVerify(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "verify the whole log",
		Long: `Verifies the audit log from its first event to its last: that none was changed,
moved, added or taken out. Where one does not verify, its number is named, and
the exit status is 7.`,
		Example:               "aivault audit verify",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
			st, err := be.VerifyAudit(ctx)
			if err != nil {
				return err
			}
			if sh.out.json {
				return sh.out.printJSON(struct {
					Events uint64 `json:"events"`
					First  *int64 `json:"firstMs"`
					Last   *int64 `json:"lastMs"`
				}{st.Events, millis(st.First), millis(st.Last)})
			}
			if st.Events == 0 {
				sh.out.printf("The audit log is empty.")
				return nil
			}
			sh.out.printf("%s, %s to %s: none was changed or is missing", count(int(st.Events), "event"), moment(st.First), moment(st.Last))
			return nil
		}),
	}
}
