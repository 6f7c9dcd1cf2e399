package term_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/term"
)

// canary is the value of panics. Nobody may see it.
const canary = "CANARY-1f0a77"

// TestMain also makes the test binary the program that the tests run on a
// terminal.
func TestMain(m *testing.M) {
	if os.Getenv("TERM_PROBE") == "" {
		for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
			if signal.Ignored(s) { // what is ignored here would be there
				signal.Notify(make(chan os.Signal, 1), s)
			}
		}
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	ctx, stop := app.WithSignals(context.Background())
	defer stop()
	settings := term.Detect(os.Getenv, term.Options{})
	p := &probe{log: os.NewFile(3, "log"), settings: settings}
	opts := term.RunOptions{Stderr: os.Stderr, Trace: os.Getenv("AIVAULT_UI_TRACE")}
	if d, err := time.ParseDuration(os.Getenv("TERM_PROBE_DRAIN")); err == nil {
		opts.Drain = func(ctx context.Context) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	_, err := term.Run(ctx, term.TTY{In: os.Stdin, Out: os.Stdout}, p, settings, opts)
	if err != nil && fault.CodeOf(err) != fault.Canceled {
		_, _ = fmt.Fprintln(os.Stderr, "aivault:", err)
	}
	os.Exit(app.ExitStatus(ctx, err))
}

// A probe tells on a pipe what it gets, line by line.
type probe struct {
	log      *os.File
	settings term.Settings
	rows     int
	size     string
	dead     bool
}

func (p *probe) tell(format string, args ...any) { _, _ = fmt.Fprintf(p.log, format+"\n", args...) }

func (p *probe) Init() tea.Cmd { return nil }

func (p *probe) View() string {
	if p.dead {
		panic(canary)
	}
	return fmt.Sprintf("rows %d\nsize %s\nTERM %s", p.rows, p.size, os.Getenv("TERM"))
}

func (p *probe) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.size = fmt.Sprintf("%dx%d", msg.Width, msg.Height)
		p.tell("size %s", p.size)
	case tea.KeyMsg:
		if msg.Paste {
			p.tell("paste %d %q", len(string(msg.Runes)), tail(string(msg.Runes)))
			return p, nil
		}
		p.tell("key %s", msg)
		return p, p.key(msg.String())
	case tea.MouseMsg:
		p.tell("mouse %d,%d", msg.X, msg.Y)
	case tea.FocusMsg, tea.BlurMsg, term.PasteRefused, term.Suspended:
		p.tell("%T%+v", msg, msg)
	}
	return p, nil
}

func tail(s string) string { return s[max(len(s)-16, 0):] }

func (p *probe) key(name string) tea.Cmd {
	explode := func() tea.Msg { panic(canary) }
	nothing := func() tea.Msg { return nil }
	switch name {
	case "j":
		p.rows++
	case "q", "ctrl+c":
		return tea.Quit
	case "ctrl+z":
		return p.settings.Suspend()
	case "U":
		panic(errors.New(canary))
	case "V":
		p.dead = true
	case "C":
		return explode
	case "B":
		return tea.Batch(nothing, tea.Batch(nothing, explode))
	case "S":
		return tea.Sequence(nothing, tea.Batch(nothing, explode), nothing)
	case "E":
		return p.settings.Exec(exploding{}, func(error) tea.Msg { return nil })
	case "F":
		return func() tea.Msg { return strings.Repeat("x", 3) }
	}
	return nil
}

// An exploding command panics while it has the terminal.
type exploding struct{ tea.ExecCommand }
