package cli

import (
	"github.com/spf13/cobra"

	"aivault/keys/fault"
)

func newCompletion(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print a completion script for a shell",
		Long: `Prints a script that has a shell complete commands and flags of aivault. Load it
where your shell looks for such scripts, or at its start.`,
		Example: `source <(aivault completion bash)
aivault completion zsh > "${fpath[1]}/_aivault"
aivault completion fish > ~/.config/fish/completions/aivault.fish`,
		ValidArgs:             []string{"bash", "zsh", "fish", "powershell"},
		DisableFlagsInUseLine: true,
		Args:                  oneArg("shell"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), sh.env.Stdout
			var err error
			switch args[0] {
			case "bash":
				err = root.GenBashCompletionV2(out, true)
			case "zsh":
				err = root.GenZshCompletion(out)
			case "fish":
				err = root.GenFishCompletion(out, true)
			case "powershell":
				err = root.GenPowerShellCompletionWithDesc(out)
			default:
				return fault.New(fault.Usage, "there is no completion for this shell")
			}
			sh.acting = true
			if err != nil {
				return fault.Wrap(fault.IO, err, "writing the output")
			}
			return nil
		},
	}
}
