package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/vault"
)

// rotation is what `rotate-master` takes.
type rotation struct {
	key, keyFile string
	fresh        app.Passphrase
	finish       bool
	cmd          *cobra.Command
}

func newRotateMaster(sh *shell) *cobra.Command {
	f := rotation{}
	cmd := &cobra.Command{
		Use:   "rotate-master [--new-key-file PATH | --new-passphrase-file PATH | --finish]",
		Short: "give the vault a new root key and a new key",
		Long: `Makes a new root key, seals everything anew, and has a new key take the place of
the one that opened the vault. The new key lives where the old one did: a random
one in the keyring or in a new file beside the old one, a passphrase that is
asked for. The old key is removed once the new one has opened the vault. Every
other way to open it works as before.

A key that only you can put in its place, such as that in a variable, is given
with --new-key-file: 32 bytes as base64, or 64 hex digits. Both keys open the
vault then, until the new one is in its place and 'aivault rotate-master
--finish' has dropped the old one. With a new passphrase, the way by which the
vault was opened becomes a passphrase, whatever it was.

Backups from before open with the keys of then: make a new one. Whenever the
command is cut off, the old key or the new one opens the vault.`,
		Example: `aivault rotate-master
openssl rand -base64 32 > new.key
aivault rotate-master --new-key-file new.key
AIVAULT_KEY=$(cat new.key) aivault rotate-master --finish`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	f.cmd = cmd
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &f.keyFile, "new-key-file", "PATH", "of a key in a variable or a file: read the new one from a file, - for the standard input")
	text(fs, &f.key, "new-key", "TEXT", "the same, where others can see it")
	text(fs, &f.fresh.File, "new-passphrase-file", "PATH", "make it a passphrase, read from a file, - for the standard input")
	text(fs, &f.fresh.Text, "new-passphrase", "TEXT", "the same, where others can see it")
	fs.BoolVar(&f.finish, "finish", false, "drop the old key, once the new one is in its place")
	run := sh.run(func(ctx context.Context, be app.Backend, _ []string) error { return f.run(ctx, sh, be) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sh.newPass = &f.fresh // --passphrase-file and its like open the vault
		return run(cmd, args)
	}
	return cmd
}

func (f *rotation) run(ctx context.Context, sh *shell, be app.Backend) error {
	if err := f.parse(sh); err != nil {
		return err
	}
	if f.finish {
		r, err := be.FinishRotation(ctx)
		if err != nil {
			return err
		}
		return sh.printRotation(ctx, be, &r)
	}
	opts, err := f.options(ctx, sh, be)
	if err != nil {
		return err
	}
	defer opts.NewKey.Clear()
	var done func()
	opts.Progress, done = sh.progress("sealing anew")
	r, err := be.RotateMaster(ctx, opts)
	done()
	if err != nil {
		return err
	}
	return sh.printRotation(ctx, be, &r)
}

// parse checks the flags before anything is opened or asked.
func (f *rotation) parse(sh *shell) error {
	fs := f.cmd.Flags()
	if err := refuseEmpty(fs, leaveOut, "new-key", "new-key-file", "new-passphrase", "new-passphrase-file"); err != nil {
		return err
	}
	given, seen := 0, ""
	for _, name := range []string{"new-key", "new-key-file", "new-passphrase", "new-passphrase-file", "finish"} {
		if !fs.Changed(name) {
			continue
		}
		if given++; name == "new-key" || name == "new-passphrase" {
			seen = name
		}
	}
	switch {
	case given > 1:
		return fault.New(fault.Usage, "provide only one of --new-key, --new-key-file, --new-passphrase, --new-passphrase-file and --finish")
	case sh.pass.File == "-" && (f.keyFile == "-" || f.fresh.File == "-"):
		return fault.New(fault.Usage, "the standard input cannot be both what opens the vault and what is new")
	case seen != "" && sh.env.IsTerminal(sh.env.Stderr):
		sh.out.noticef("--%s can be seen in the list of processes and in your shell's history; --%s-file cannot", seen, seen)
	}
	return nil
}

// maxKeyText is the length of the longest text that is read as a key, in bytes.
const maxKeyText = 1 << 10

// options returns what the flags ask for. A passphrase that takes the place of one
// gets the cost of a new one.
func (f *rotation) options(ctx context.Context, sh *shell, be app.Backend) (opts vault.RotateOptions, err error) {
	passphrase := f.fresh != (app.Passphrase{})
	switch {
	case f.key != "":
		opts.NewKey, err = parseNewKey([]byte(f.key))
	case f.keyFile != "":
		var b []byte
		if b, err = sh.env.ReadFile(ctx, f.keyFile, maxKeyText); err == nil {
			opts.NewKey, err = parseNewKey(b)
		}
	case !passphrase:
		var slots []vault.Slot
		slots, err = be.Slots(ctx)
		for _, s := range slots {
			passphrase = passphrase || s.Opened && s.Key.Kind == keys.KindPassphrase
		}
	}
	if err == nil && passphrase {
		opts.Key, err = sh.session.KeyConfig(app.KeyChoice{Kind: keys.KindPassphrase})
	}
	return opts, err
}

// parseNewKey reads a key, and clears its text.
func parseNewKey(b []byte) (opaque.Bytes, error) {
	defer clear(b)
	return keys.ParseKey(b)
}

// progress returns what tells people how far something is that may take a while, on
// a terminal only, and what takes that away again.
func (sh *shell) progress(what string) (tell func(done, total int), end func()) {
	if sh.out.json || !sh.env.IsTerminal(sh.env.Stderr) {
		return nil, func() {}
	}
	told := false
	tell = func(done, total int) {
		told = true
		percent := 100
		if total > 0 {
			percent = done * 100 / total
		}
		_, _ = fmt.Fprintf(sh.out.msg, "\raivault: %s: %3d%%", what, percent)
	}
	return tell, func() {
		if told {
			_, _ = io.WriteString(sh.out.msg, "\r\x1b[K")
		}
	}
}

// printRotation prints what a rotation changed, as JSON with the status.
func (sh *shell) printRotation(ctx context.Context, be app.Backend, r *vault.Rotation) error {
	if r.Left != nil {
		sh.out.noticef("the old key is still there: %v", r.Left)
		if hint := fault.HintOf(r.Left); hint != "" {
			sh.out.notice(hint)
		}
	}
	if sh.out.json {
		st, err := be.Status(ctx)
		if err != nil {
			return fault.Afterwards(err)
		}
		daemon, unusable := sh.session.Look(ctx)
		return sh.out.printJSON(rotationJSON{toStatus(st, daemon, unusable), toRotation(r)})
	}
	sh.out.printf("the vault has a new root key, of generation %d", r.Generation)
	switch {
	case r.Unfinished:
		sh.out.printf("slot %s has the new key: %s", shortSlot(r.Slot), r.Slot.Key)
		sh.out.printf("slot %s with the old one opens the vault, too, until the new key is in its place", shortSlot(r.Old))
		sh.out.printf("and `aivault rotate-master --finish` was run with it")
	case r.Old.Retiring:
		sh.out.printf("slot %s stays: %s", shortSlot(r.Slot), r.Slot.Key)
		sh.out.printf("slot %s with the old key is gone", shortSlot(r.Old))
	default:
		sh.out.printf("slot %s has the place of slot %s: %s", shortSlot(r.Slot), shortSlot(r.Old), r.Slot.Key)
	}
	sh.out.printf("backups from before open with the keys of then: make a new one with `aivault backup`")
	return sh.out.err
}

// rotationJSON is the documented status, and what of it is new.
type rotationJSON struct {
	statusJSON
	Rotation rotatedJSON `json:"rotation"`
}

type rotatedJSON struct {
	Generation uint32     `json:"generation"`
	Slot       string     `json:"slot"`
	Replaced   string     `json:"replacedSlot"`
	Unfinished bool       `json:"unfinished"` // the replaced one still opens the vault
	Left       *errorJSON `json:"oldKeyLeft,omitempty"`
	Seq        uint64     `json:"seq"` // of the event that says so
}

func toRotation(r *vault.Rotation) rotatedJSON {
	return rotatedJSON{r.Generation, r.Slot.ID.String(), r.Old.ID.String(), r.Unfinished, errorOrNil(r.Left), r.Seq}
}
