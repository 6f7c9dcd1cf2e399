package cli

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// valueFlags are the flags that give the value of a secret. Without them a
// person is asked.
type valueFlags struct {
	value, file string
	stdin       bool
	cmd         *cobra.Command
}

// add adds the flags of a command that stores a value.
func (f *valueFlags) add(cmd *cobra.Command) {
	f.addSources(cmd)
	text(cmd.Flags(), &f.value, "value", "TEXT", "the value, where others can see it: better use one of the others")
}

// addSources adds the flags of a command that wants a value as proof.
func (f *valueFlags) addSources(cmd *cobra.Command) {
	f.cmd = cmd
	text(cmd.Flags(), &f.file, "value-file", "PATH", "read the value from a file, - for the standard input")
	cmd.Flags().BoolVar(&f.stdin, "value-stdin", false, "read the value from the standard input")
}

// given returns how many of the flags are there.
func (f *valueFlags) given() int {
	n := 0
	for _, name := range []string{"value", "value-file", "value-stdin"} {
		if flag := f.cmd.Flags().Lookup(name); flag != nil && flag.Changed {
			n++
		}
	}
	return n
}

// read returns the value that the flags give, or asks for it, twice. The
// caller clears it. The newline at the end of a one-line value is the vault's
// to drop.
func (f *valueFlags) read(ctx context.Context, sh *shell) (opaque.Bytes, error) {
	switch given := f.given(); {
	case given > 1:
		return nil, fault.New(fault.Usage, "provide only one of --value, --value-file and --value-stdin")
	case given == 0 && !sh.env.IsTerminal(sh.env.Stdin):
		return nil, fault.New(fault.Usage, "there is no value, and nobody to ask").
			WithHint("give it with --value-file PATH or --value-stdin")
	case given == 0, f.stdin && sh.env.IsTerminal(sh.env.Stdin):
		return sh.env.AskNewSecret(ctx, "Value", fault.Usage, "give the value with --value-file PATH or --value-stdin")
	case f.cmd.Flags().Changed("value"):
		if sh.env.IsTerminal(sh.env.Stderr) {
			sh.out.notice("--value can be seen in the list of processes and in your shell's history; a prompt, --value-file and --value-stdin cannot")
		}
		return opaque.New([]byte(f.value)), nil
	case f.stdin:
		return readValue(ctx, sh, "-")
	}
	return readValue(ctx, sh, f.file)
}

// shortValue is the length under which a value is short, in bytes: it is found
// in an answer only where it stands alone, see package redact, and whoever can
// have an answer say much finds it by trying.
const shortValue = 8

// noteShort says what a short value that was stored is worth (case 77).
func (sh *shell) noteShort(value opaque.Bytes) {
	if n := len(bytes.TrimRight(value.Reveal(), "\r\n")); n < shortValue {
		sh.out.noticef("the value has only %s: it can be guessed, and is removed from an answer only where it stands alone", count(n, "byte"))
	}
}

// proof returns the value that the flags give, or nil.
func (f *valueFlags) proof(ctx context.Context, sh *shell) (opaque.Bytes, error) {
	if f.given() == 0 {
		return nil, nil
	}
	return f.read(ctx, sh)
}

// withProof calls act. Where that needs the value of a secret as proof, and
// somebody is there to give it, it asks and tries again.
func (f *valueFlags) withProof(ctx context.Context, sh *shell, act func(proof opaque.Bytes) error) error {
	proof, err := f.proof(ctx, sh)
	if err != nil {
		return err
	}
	defer func() { proof.Clear() }()
	err = act(proof)
	if fault.CodeOf(err) != fault.OperatorAuthRequired || f.given() > 0 || !sh.env.Interactive() {
		return err
	}
	sh.out.notice(err.Error())
	if proof, err = sh.env.AskSecret(ctx, "Value of the secret", fault.OperatorAuthRequired, fault.HintOf(err)); err != nil {
		return err
	}
	return act(proof)
}

// readValue reads a value from what the user named.
func readValue(ctx context.Context, sh *shell, path string) (opaque.Bytes, error) {
	f, err := sh.env.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Mode&0o004 != 0 {
		sh.out.noticef("%s can be read by everybody on this machine; chmod 600 it, or delete it", path)
	}
	b, err := f.ReadAll(ctx, vault.MaxValue+2) // and a line's end
	if fault.CodeOf(err) == fault.RequestTooLarge {
		return nil, fault.New(fault.InvalidRequest, "the value is longer than %d KiB", vault.MaxValue>>10)
	}
	return opaque.New(b), err
}
