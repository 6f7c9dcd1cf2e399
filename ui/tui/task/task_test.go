package task_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/task"
)

func tracker(t *testing.T) *task.Tracker { return task.NewTracker(t.Context(), time.Now) }

// end runs a command and brings its result back, as the root does.
func end(t *testing.T, cmd tea.Cmd) {
	t.Helper()
	msg, ok := cmd().(task.Msg)
	if !ok {
		t.Fatalf("the command sent %v", msg)
	}
	msg.Apply()
}

// What began later in a slot makes what began before of no use, in whatever order
// they end.
func TestSlot(t *testing.T) {
	t.Parallel()
	g := tracker(t).Group()
	var got []string
	load := func(name string) tea.Cmd {
		return task.Go(g, "rows", func(ctx context.Context) (string, error) { return name, ctx.Err() }, func(s string, err error) tea.Cmd {
			got = append(got, fmt.Sprint(s, err))
			return nil
		})
	}
	first, second := load("first"), load("second")
	if _, busy := g.Busy("rows"); !busy {
		t.Error("the slot is not taken")
	}
	end(t, second)
	end(t, first)
	if want := []string{"second<nil>"}; !slices.Equal(got, want) {
		t.Errorf("%q came back, want %q", got, want)
	}
	if _, busy := g.Busy("rows"); busy {
		t.Error("the slot is still taken")
	}
}

// What is superseded, cancelled or closed is told so by its context.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(g *task.Group){
		"superseded": func(g *task.Group) { task.After(g, "x", time.Hour, nil) },
		"cancelled":  func(g *task.Group) { g.Cancel("x") },
		"closed":     func(g *task.Group) { g.Close() },
	} {
		tr := tracker(t)
		g := tr.Group()
		applied := false
		var ended error
		cmd := task.Go(g, "x", func(ctx context.Context) (int, error) {
			stop(g)
			ended = ctx.Err()
			return 0, nil
		}, func(int, error) tea.Cmd { applied = true; return nil })
		end(t, cmd)
		if applied || !errors.Is(ended, context.Canceled) {
			t.Errorf("%s: its result came back: %v; its context: %v", name, applied, ended)
		}
		if reads, _ := tr.Busy(); reads != 0 {
			t.Errorf("%s: %d reads are under way", name, reads)
		}
	}
	// What is interrupted has a result all the same.
	g := tracker(t).Group()
	var ended, got error
	end(t, task.Go(g, "x", func(ctx context.Context) (int, error) {
		g.Interrupt("x")
		ended = ctx.Err()
		return 0, ended
	}, func(_ int, err error) tea.Cmd { got = err; return nil }))
	if !errors.Is(ended, context.Canceled) || !errors.Is(got, context.Canceled) {
		t.Errorf("interrupted: its context %v, its result %v", ended, got)
	}
	g = tracker(t).Group()
	g.Interrupt("x")
	g.Close()
	if task.Go(g, "x", func(context.Context) (int, error) { return 0, nil }, nil) != nil {
		t.Error("a closed group begins something")
	}
}

// Checklist 10. A write is brought to its end, also when its screen and the
// program are gone, and its result comes back.
func TestWrite(t *testing.T) {
	t.Parallel()
	ctx, quit := context.WithCancel(t.Context())
	tr := task.NewTracker(ctx, time.Now)
	g := tr.Group()
	var ended error
	applied := false
	cmd := task.Write(g, "storing A", func(ctx context.Context) (int, error) {
		quit()
		g.Close()
		ended = ctx.Err()
		return 0, nil
	}, func(int, error) tea.Cmd { applied = true; return nil })

	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if left := tr.Drain(short); !slices.Equal(left, []string{"storing A"}) {
		t.Errorf("what is being written: %q", left)
	}
	done := make(chan []string)
	go func() { done <- tr.Drain(t.Context()) }()
	end(t, cmd)
	if left := <-done; left != nil {
		t.Errorf("after its end: %q", left)
	}
	if !applied || ended != nil {
		t.Errorf("its result came back: %v; its context: %v", applied, ended)
	}
	if tr.Wrote().IsZero() {
		t.Error("it is not known when something was written")
	}
}

// All news comes before the end, in order; a closed group gets none.
func TestStream(t *testing.T) {
	t.Parallel()
	const pieces = 1000
	g := tracker(t).Group()
	var got []string
	cmd := task.Stream(g, "call", func(_ context.Context, emit func(int)) (string, error) {
		for i := range pieces {
			emit(i)
		}
		return "end", nil
	}, func(list []int) tea.Cmd {
		for _, i := range list {
			got = append(got, fmt.Sprint(i))
		}
		return nil
	}, func(s string, _ error) tea.Cmd {
		got = append(got, s)
		return nil
	})
	run(cmd)
	if len(got) != pieces+1 || got[0] != "0" || got[pieces-1] != fmt.Sprint(pieces-1) || got[pieces] != "end" {
		t.Errorf("%d came: %.100s", len(got), strings.Join(got, " "))
	}
}

// run runs a command and what follows from it, each in a goroutine of its own as
// Bubble Tea does, and applies the results in this one.
func run(cmd tea.Cmd) {
	msgs, open := make(chan tea.Msg), 0
	begin := func(c tea.Cmd) {
		if c != nil {
			open++
			go func() { msgs <- c() }()
		}
	}
	begin(cmd)
	for ; open > 0; open-- {
		switch msg := (<-msgs).(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				begin(c)
			}
		case task.Msg:
			begin(msg.Apply())
		}
	}
}
