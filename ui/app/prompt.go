package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// errNoTTY is the error of asking where nobody can answer.
var errNoTTY = errors.New("there is no terminal to ask on")

// maxLine is how much a terminal takes in one line (N_TTY_BUF_SIZE of Linux,
// less on other systems): what is typed beyond that is dropped by the system,
// so a line that is nearly as long cannot be trusted to be whole.
const maxLine = 4095

// AskSecret asks for a line that is not echoed, such as the value of a secret,
// on the terminal that a person sits at, whatever the streams are connected
// to. The caller clears it. Where there is no terminal, the error is code with
// the given hint.
//
// However it ends, by a signal too, the terminal shows again what is typed.
func (e *Env) AskSecret(ctx context.Context, prompt string, code fault.Code, hint string) (opaque.Bytes, error) {
	in, out, err := e.OpenTTY()
	if err != nil {
		return nil, fault.Wrap(code, errNoTTY, "").WithHint("%s", hint)
	}
	defer in.Close()
	if out != in {
		defer out.Close()
	}
	restore, err := hideInput(in)
	if err != nil {
		return nil, fault.Wrap(code, errNoTTY, "").WithHint("%s", hint)
	}
	defer func() {
		restore()
		_, _ = io.WriteString(out, "\n") // the one that was typed did not show
	}()
	if _, err := fmt.Fprintf(out, "%s: ", prompt); err != nil {
		return nil, fault.Wrap(fault.IO, err, "writing to the terminal")
	}
	return readLine(ctx, in)
}

// AskNewSecret asks twice, until both answers are the same.
func (e *Env) AskNewSecret(ctx context.Context, prompt string, code fault.Code, hint string) (opaque.Bytes, error) {
	first, err := e.AskSecret(ctx, prompt, code, hint)
	if err != nil {
		return nil, err
	}
	second, err := e.AskSecret(ctx, prompt+" (again)", code, hint)
	if err != nil {
		first.Clear()
		return nil, err
	}
	defer second.Clear()
	if !first.Equal(second) {
		first.Clear()
		return nil, fault.New(fault.InvalidRequest, "the two entries are not the same").WithHint("try again")
	}
	return first, nil
}

// Confirm asks a question on the terminal that a person sits at, and reports
// whether the answer is yes, in full. Where nobody can be asked, the error is code
// with the given hint.
func (e *Env) Confirm(ctx context.Context, question string, code fault.Code, hint string) (bool, error) {
	in, out, err := e.OpenTTY()
	if err != nil {
		return false, fault.Wrap(code, errNoTTY, "").WithHint("%s", hint)
	}
	defer in.Close()
	if out != in {
		defer out.Close()
	}
	if _, err := fmt.Fprintf(out, "%s Type yes to go on: ", question); err != nil {
		return false, fault.Wrap(fault.IO, err, "writing to the terminal")
	}
	answer, err := readLine(ctx, in)
	if err != nil {
		return false, err
	}
	defer answer.Clear()
	return string(bytes.ToLower(bytes.TrimSpace(answer.Reveal()))) == "yes", nil
}

// readLine reads up to the end of a line, or until ctx ends.
func readLine(ctx context.Context, in *os.File) (opaque.Bytes, error) {
	type result struct {
		line []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		buf := make([]byte, maxLine+1)
		n, err := in.Read(buf) // a terminal hands over one line at a time
		done <- result{buf[:n], err}
	}()
	var r result
	select {
	case <-ctx.Done():
		_ = in.SetReadDeadline(time.Unix(1, 0)) // where it works, it ends the goroutine
		return nil, fault.Wrap(fault.Canceled, context.Cause(ctx), "nothing was entered")
	case r = <-done:
	}
	line := opaque.New(r.line)
	switch {
	case r.err != nil && !errors.Is(r.err, io.EOF):
		line.Clear()
		return nil, fault.Wrap(fault.IO, r.err, "reading from the terminal")
	case line.Len() == 0:
		return nil, fault.New(fault.InvalidRequest, "nothing was entered").WithHint("try again")
	case line.Len() >= maxLine:
		line.Clear()
		return nil, fault.New(fault.InvalidRequest, "a terminal does not take lines of more than %d bytes", maxLine-1).
			WithHint("put the value into a file, or pipe it in")
	}
	return opaque.New(bytes.TrimRight(r.line, "\r\n")), nil
}
