package flat

import (
	"context"
	"strings"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// openHint is what to do where a value cannot be asked for.
const openHint = "answer f and the path of a file that holds it"

// askValue asks for the value of a secret, twice if it is new. The caller clears
// it.
func (t *talk) askValue(ctx context.Context, what string, fresh bool) (vault.Value, error) {
	t.say("%s It is typed where it does not show, or is read from a file, which one of several lines needs.", what)
	for {
		s, err := t.read(ctx, "Return, or f and the path of a file.", "return: type it", false)
		if err != nil {
			return nil, err
		}
		path, file := cutWord(s, "f")
		var v vault.Value
		switch {
		case s == "b":
			return nil, back
		case file:
			v, err = t.valueFile(ctx, path)
		case s != "":
			t.say("A value is not typed here, where it shows. If that was one, it is in the history of this terminal now: choose another one.")
			continue
		case fresh:
			v, err = t.env.AskNewSecret(ctx, "Value", fault.Usage, openHint)
		default:
			v, err = t.env.AskSecret(ctx, "Value", fault.Usage, openHint)
		}
		if err == nil || fault.CodeOf(err) == fault.Canceled {
			return v, err
		}
		v.Clear()
		t.fail(err)
	}
}

// valueFile reads a value from a file.
func (t *talk) valueFile(ctx context.Context, path string) (vault.Value, error) {
	b, err := t.readFile(ctx, path, vault.MaxValue+2) // and a line's end
	if fault.CodeOf(err) == fault.RequestTooLarge {
		err = fault.New(fault.InvalidRequest, "the value is longer than %d KiB", vault.MaxValue>>10)
	}
	if err != nil {
		return nil, err
	}
	return opaque.New(b), nil
}

// readFile reads what a path names; the standard input is ours.
func (t *talk) readFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	if path == "-" || path == "/dev/stdin" {
		return nil, fault.New(fault.InvalidRequest, "the standard input is this conversation").WithHint("give the path of a file")
	}
	f, err := t.env.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadAll(ctx, limit)
}

// cutWord takes a word off the beginning of an answer.
func cutWord(s, word string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(s, word+" ")
	return strings.TrimSpace(rest), ok
}

// withProof does something that may need the value of a secret as proof, and
// asks for it, until it is the right one, where it does.
func (t *talk) withProof(ctx context.Context, do func(proof vault.Value) error) error {
	err := do(nil)
	for fault.CodeOf(err) == fault.OperatorAuthRequired {
		t.say("%s.", capital(err.Error()))
		var proof vault.Value
		if proof, err = t.askValue(ctx, "Its value shows that it may be sent there.", false); err != nil {
			return err
		}
		err = do(proof)
		proof.Clear()
	}
	return err
}
