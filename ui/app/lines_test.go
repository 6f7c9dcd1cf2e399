package app_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"aivault/keys/fault"
	"aivault/ui/app"
)

func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64<<10)
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader("one\n\ntwo\r\n" + long + "\nlast"),
		"slowly":  iotest.OneByteReader(strings.NewReader("one\n\ntwo\r\n" + long + "\nlast")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := app.NewLines(r)
			for i, want := range []string{"one", "", "two", "too long", "last"} {
				got, err := l.Next(t.Context())
				if want == "too long" {
					if fault.CodeOf(err) != fault.InvalidRequest {
						t.Errorf("a line that is too long: %v", err)
					}
					continue
				}
				if got != want || err != nil {
					t.Errorf("line %d: got %.20q, %v, want %q", i, got, err, want)
				}
			}
			for range 2 {
				if _, err := l.Next(t.Context()); !errors.Is(err, io.EOF) {
					t.Errorf("at the end: %v", err)
				}
			}
		})
	}
}

// Who leaves need not press return first.
func TestLinesEndWithContext(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.NewLines(r).Next(ctx); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("got %v", err)
	}
	if _, err := app.NewLines(iotest.ErrReader(io.ErrClosedPipe)).Next(t.Context()); fault.CodeOf(err) != fault.IO {
		t.Errorf("an input that fails: %v", err)
	}
}
