package app_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

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
	t.Cleanup(func() { _ = w.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.NewLines(r).Next(ctx); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("got %v", err)
	}
	if _, err := app.NewLines(iotest.ErrReader(io.ErrClosedPipe)).Next(t.Context()); fault.CodeOf(err) != fault.IO {
		t.Errorf("an input that fails: %v", err)
	}
}

// Somebody who types nothing for a while is told of, once a line.
func TestLinesIdle(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	l := app.NewLines(r)
	idle := make(chan struct{})
	l.Idle, l.IdleAfter = func() { idle <- struct{}{} }, time.Millisecond
	go func() {
		for range 2 {
			<-idle
			_, _ = io.WriteString(w, "late\n")
		}
		_ = w.Close()
	}()
	for range 2 {
		if got, err := l.Next(t.Context()); got != "late" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
