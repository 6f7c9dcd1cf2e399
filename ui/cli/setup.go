package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/setup"
)

func newSetup(sh *shell) *cobra.Command {
	return family("setup", `Makes this machine ready for shared mode: agents run as a user of their own, who
can read neither the vault nor the memory of the daemon that opened it. They may
make calls, in the contexts that were granted to that user, and nothing else.

What is so already is skipped. --dry-run shows what would be done, and needs no
rights.`,
		newSetupAccess(sh), newSetupSystemd(sh), newSetupLaunchd(sh))
}

func newSetupSystemd(sh *shell) *cobra.Command {
	var owner string
	var dry bool
	cmd := &cobra.Command{
		Use:   "systemd --daemon-user USER [--dry-run]",
		Short: "start the shared daemon with the system (Linux)",
		Long: `Installs a unit of systemd, aivaultd-shared.service, which runs the shared
daemon as the user whose vault it is, and starts it with the system. Run it as
root.

The keyring of that user is not there then. So the vault needs a key file, too
('aivault key add --provider file'), or its owner unlocks it after each start
('aivault unlock').`,
		Example: `sudo aivault setup systemd --daemon-user alice
aivault setup systemd --daemon-user alice --dry-run`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &owner, "daemon-user", "USER", "the user whose vault is shared")
	dryRun(cmd, &dry)
	require(cmd, "daemon-user")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		sh.acting = true
		h := sh.env.Host()
		if err := h.Supported(); err != nil {
			return err
		}
		s, err := sh.service(h.Lookup(owner))
		if err != nil {
			return err
		}
		plan, err := h.Systemd(cmd.Context(), s, dry)
		if err != nil {
			return err
		}
		if err := needRoot(h, &plan, dry, "setup systemd --daemon-user "+owner); err != nil {
			return err
		}
		if note := sh.bootNote(cmd, h, s.Owner); note != "" {
			plan.Notes = append([]string{note}, plan.Notes...)
		}
		return sh.carryOut(cmd.Context(), h, &plan, dry)
	}
	return cmd
}

func newSetupLaunchd(sh *shell) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "launchd [--dry-run]",
		Short: "start the shared daemon at login (macOS)",
		Long: `Installs an agent of launchd, com.aivault.aivaultd.shared, which runs the shared
daemon from the moment at which you log in. Run it as the user whose vault it
is, without sudo.`,
		Example: `aivault setup launchd
aivault setup launchd --dry-run`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	dryRun(cmd, &dry)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		sh.acting = true
		h := sh.env.Host()
		if err := h.Supported(); err != nil {
			return err
		}
		s, err := sh.service(h.Current())
		if err != nil {
			return err
		}
		plan, err := h.Launchd(cmd.Context(), s, dry)
		if err != nil {
			return err
		}
		return sh.carryOut(cmd.Context(), h, &plan, dry)
	}
	return cmd
}

// dryRun adds the flag that has a plan shown instead of carried out.
func dryRun(cmd *cobra.Command, dry *bool) {
	cmd.Flags().BoolVar(dry, "dry-run", false, "show what would be done, and do nothing")
}

// service returns the daemon of an owner's vault, as the system starts it. It
// takes what a lookup of the owner returned.
func (sh *shell) service(owner setup.User, err error) (setup.Service, error) {
	s := setup.Service{Owner: owner}
	if err != nil {
		return s, err
	}
	if s.Program, err = sh.env.Executable(); err != nil {
		return s, fault.Wrap(fault.IO, err, "finding this program")
	}
	if dir := sh.vaultDir(); dir != "" {
		if s.Dir, err = filepath.Abs(dir); err != nil {
			return s, fault.Wrap(fault.IO, err, "finding the directory that AIVAULT_DIR names")
		}
	}
	return s, nil
}

// vaultDir is the vault's directory that the environment names; empty: none.
func (sh *shell) vaultDir() string { return strings.TrimSpace(sh.env.Getenv("AIVAULT_DIR")) }

// needRoot returns an error if a plan has something left that takes root.
func needRoot(h *setup.Host, p *setup.Plan, dry bool, command string) error {
	if dry || h.UID == 0 || !p.Pending() {
		return nil
	}
	return fault.New(fault.OperatorAuthRequired, "it takes root to have it that %s", p.Missing()).
		WithHint("run `sudo aivault %s`; --dry-run shows what it does", command)
}

// bootNote says where the daemon's key can come from when nobody is logged in,
// if the vault has no slot for that; empty: it has, or it cannot be told.
func (sh *shell) bootNote(cmd *cobra.Command, h *setup.Host, owner setup.User) string {
	st, err := sh.statusOf(cmd, h, owner)
	if err != nil || st == nil {
		return ""
	}
	if !st.Status.Enabled {
		return fmt.Sprintf("%s has no vault yet: the daemon has nothing to serve until a secret is stored", owner.Name)
	}
	if slices.ContainsFunc(st.Status.Slots, func(s slotJSON) bool { return s.Kind == string(keys.KindFile) }) {
		return ""
	}
	return fmt.Sprintf("nothing opens the vault when the system starts, as %s's keyring is not there then: "+
		"have %s make a key file with `aivault key add --provider file`, or run `aivault unlock` after each start", owner.Name, owner.Name)
}

// carryOut takes the steps of a plan, and tells of each.
func (sh *shell) carryOut(ctx context.Context, h *setup.Host, p *setup.Plan, dry bool) error {
	if err := sh.takeSteps(ctx, h, p, dry); err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(toPlan(p, dry))
	}
	sh.printNotes(p)
	return nil
}

// takeSteps does so, and says nothing else. As JSON, the plan is for the caller
// to print.
func (sh *shell) takeSteps(ctx context.Context, h *setup.Host, p *setup.Plan, dry bool) error {
	for i := range p.Steps {
		s := &p.Steps[i]
		if !dry {
			if err := h.Take(ctx, s); err != nil {
				return err
			}
		}
		switch {
		case sh.out.json:
		case dry:
			sh.printStep(s)
		case s.Done:
			sh.out.printf("already  %s", s.What)
		default:
			sh.out.printf("done     %s", s.What)
		}
	}
	return nil
}

// printStep shows what a step would do.
func (sh *shell) printStep(s *setup.Step) {
	switch {
	case s.Done:
		sh.out.printf("# already: %s", s.What)
	case s.File == nil:
		sh.out.printf("$ %s", shellLine(s.Argv))
	default:
		sh.out.printf("# %s, mode %s:", s.File.Path, octal(s.File))
		for line := range strings.Lines(s.File.Content) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				line = "  " + line
			}
			sh.out.printf("%s", line)
		}
	}
}

// octal is the mode of a file as chmod takes it.
func octal(f *setup.File) string { return fmt.Sprintf("%04o", f.Mode.Perm()) }

// printNotes prints what there is to know afterwards.
func (sh *shell) printNotes(p *setup.Plan) {
	for _, note := range p.Notes {
		sh.out.printf("note: %s", note)
	}
}

// shellLine is a command as a shell takes it.
func shellLine(argv []string) string {
	words := make([]string, len(argv))
	for i, w := range argv {
		plain := w != "" && strings.Trim(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+@,:=") == ""
		if words[i] = w; !plain {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// A planJSON is a plan as programs see it, carried out unless it is a dry run.
type planJSON struct {
	DryRun bool       `json:"dryRun"`
	Steps  []stepJSON `json:"steps"`
	Notes  []string   `json:"notes"`
}

// A stepJSON is a step, with its command or its file.
type stepJSON struct {
	What    string    `json:"what"`
	Already bool      `json:"already"`
	Command []string  `json:"command,omitempty"`
	File    *fileJSON `json:"file,omitempty"`
}

type fileJSON struct {
	Path    string `json:"path"`
	Mode    string `json:"mode"` // in octal
	Content string `json:"content"`
}

func toPlan(p *setup.Plan, dry bool) planJSON {
	return planJSON{DryRun: dry, Notes: orEmpty(p.Notes), Steps: mapTo(p.Steps, func(s setup.Step) stepJSON {
		out := stepJSON{What: s.What, Already: s.Done, Command: s.Argv}
		if s.File != nil {
			out.File = &fileJSON{s.File.Path, octal(s.File), s.File.Content}
		}
		return out
	})}
}
