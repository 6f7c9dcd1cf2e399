package app

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/neutral"
)

// maxPassphrase is more than the longest passphrase, so that one that is too
// long is refused as such.
const maxPassphrase = 4 << 10

// A Passphrase says where the passphrase of a vault comes from, or its recovery
// key: whichever it is shows by itself. The zero Passphrase is a question on the
// terminal. At most one field is set.
type Passphrase struct {
	Text string // on the command line, where others can see it
	File string // its first line; - is the standard input
	FD   string // the number of a descriptor that is open already
}

// get returns what q asks for; flags are those that could have given it.
func (p Passphrase) get(ctx context.Context, env *Env, q keys.Question, flags string) (opaque.Bytes, error) {
	switch {
	case p.Text != "":
		return opaque.New([]byte(p.Text)), nil
	case p.File != "":
		f, err := env.OpenFile(p.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return f.line(ctx)
	case p.FD != "":
		n, err := strconv.ParseUint(p.FD, 10, 16)
		if err != nil {
			return nil, fault.New(fault.Usage, "--passphrase-fd takes the number of an open descriptor")
		}
		f := File{Name: "descriptor " + p.FD, r: os.NewFile(uintptr(n), "passphrase")}
		return f.line(ctx)
	}
	what := q.String()
	hint := "run it on a terminal, give the " + what + " with " + flags + ", or run `aivault unlock` first"
	if q.New {
		hint = "run it on a terminal, or give the " + what + " with " + flags
		return env.AskNewSecret(ctx, "New passphrase of the vault", fault.VaultLocked, hint)
	}
	prompt := strings.ToUpper(what[:1]) + what[1:] + " of the vault"
	if q.Why != nil { // seen only where there is a terminal
		prompt = "aivault: " + neutral.Text(q.Why.Error()) + "\n" + prompt
	}
	return env.AskSecret(ctx, prompt, fault.VaultLocked, hint)
}

// line reads a passphrase, without the end of its line.
func (f *File) line(ctx context.Context) (opaque.Bytes, error) {
	b, err := f.ReadAll(ctx, maxPassphrase)
	if err != nil {
		return nil, err
	}
	if line, ok := bytes.CutSuffix(b, []byte("\n")); ok {
		b = bytes.TrimSuffix(line, []byte("\r"))
	}
	return opaque.New(b), nil
}
