//go:build unix

package flat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/flat"
)

// A conversation ends where somebody leaves, nobody reads, or the vault cannot be
// looked at; the error says which.
func TestEnds(t *testing.T) {
	t.Parallel()
	t.Run("by a signal at a question", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.furnish()
		ctx, cancel := context.WithCancel(t.Context())
		r, typing := io.Pipe()
		t.Cleanup(func() { _ = typing.Close() })
		w.env.Stdin = r
		w.env.Stdout = writerFunc(func(b []byte) (int, error) {
			if bytes.Contains(b, []byte("q: quit]")) {
				cancel()
			}
			return len(b), nil
		})
		err := flat.Run(ctx, w.env, w.be, flat.Options{FirstUse: w.session.FirstUse, KeyConfig: w.session.KeyConfig})
		if fault.CodeOf(err) != fault.Canceled {
			t.Errorf("got %v", err)
		}
	})
	t.Run("nobody reads", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.furnish()
		w.env.Stdout = writerFunc(func([]byte) (int, error) { return 0, syscall.EPIPE })
		if err := w.talk(); !app.IsBrokenPipe(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the output fails", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.furnish()
		w.env.Stdout = writerFunc(func([]byte) (int, error) { return 0, errors.New("full") })
		if err := w.talk(); fault.CodeOf(err) != fault.IO {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no vault", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.furnish()
		w.file("vault/vault.db", "this is no vault")
		if err := w.talk(); fault.CodeOf(err) != fault.VaultCorrupt {
			t.Errorf("got %v", err)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// A vault with a passphrase is locked when nothing is typed, and what needs it
// then asks for the passphrase. Checklist 67.
func TestIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hidden = []string{"open sesame", "open sesame", "open sesame"}
	r, typing := io.Pipe()
	w.env.Stdin = r
	lines := []string{"3\n", "1\n", "b\n", "q\n"}
	typed := make(chan string, len(lines))
	go func() {
		for line := range typed {
			_, _ = io.WriteString(typing, line)
		}
	}()
	first, locked := true, false
	w.env.Stdout = writerFunc(func(b []byte) (int, error) {
		w.seen.Write(b)
		locked = locked || bytes.Contains(b, []byte("was locked, as nothing was typed"))
		if bytes.HasSuffix(b, []byte("q: quit]: ")) && (first || locked) && len(lines) > 0 {
			typed <- lines[0]
			lines, first = lines[1:], false
		}
		return len(b), nil
	})
	t.Cleanup(func() { close(typed) })
	w.check(flat.Run(t.Context(), w.env, w.be, flat.Options{Idle: 200 * time.Millisecond, FirstUse: w.session.FirstUse, KeyConfig: w.session.KeyConfig}))
	_, after, found := strings.Cut(w.seen.String(), "The vault was locked, as nothing was typed for 200 ms.")
	if !found || !strings.Contains(after, "(something is typed that does not show)") || len(w.hidden) > 0 {
		t.Errorf("it shows\n%s", w.seen.String())
	}
}

// A terminal that draws ASCII only gets ASCII only.
func TestASCII(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secret("SCHLÜSSEL_日本", "", "")
	w.env.Stdin = strings.NewReader("1\nq\n")
	w.check(flat.Run(t.Context(), w.env, w.be, flat.Options{ASCII: true, FirstUse: w.session.FirstUse, KeyConfig: w.session.KeyConfig}))
	if !strings.Contains(w.seen.String(), "1. SCHL?SSEL_??, own") {
		t.Errorf("it shows\n%s", w.seen.String())
	}
}

// FuzzTalk types whatever lines: the program neither panics nor drives the
// terminal, nor shows a value, and it ends where the input does.
func FuzzTalk(f *testing.F) {
	for _, c := range conversations() {
		f.Add(strings.Join(c.lines, "\n"))
	}
	f.Add("2\n../..\n1\nn\n\n\x1b[2J\u202e\x00\n\nf\xff\n")
	f.Fuzz(func(t *testing.T, lines string) {
		if strings.Contains(lines, "f ") { // it may name any file
			t.Skip()
		}
		w := newWorld(t)
		w.furnish()
		var out bytes.Buffer
		w.env.Stdout = &out
		w.env.Stdin = strings.NewReader(lines)
		err := flat.Run(t.Context(), w.env, w.be, flat.Options{FirstUse: w.session.FirstUse, KeyConfig: w.session.KeyConfig})
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
		if i := slices.IndexFunc(bytes.Runes(out.Bytes()), func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e }); i >= 0 {
			t.Errorf("character %d drives the terminal", i)
		}
		brokertest.Scan(t, "the conversation", out.Bytes(), w.word)
	})
}
