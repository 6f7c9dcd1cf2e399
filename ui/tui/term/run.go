package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	xterm "golang.org/x/term"

	"aivault/keys/fault"
)

// framesPerSecond is enough for people, and half of what Bubble Tea would take
// of the processor when nothing happens.
const framesPerSecond = 30

const (
	drainTime  = 5 * time.Second        // for writes in flight, at the end
	drainQuiet = 150 * time.Millisecond // before a person is told what takes so long
	hangupTime = 200 * time.Millisecond // between a terminal's end and SIGHUP
)

// TTY is a terminal. In and Out may be one file.
type TTY struct{ In, Out *os.File }

// RunOptions are how a program runs. The zero RunOptions are valid.
type RunOptions struct {
	// Stderr gets what is to be said once the terminal is given back; nil: nothing.
	Stderr io.Writer
	// Drain returns when no write is in flight any more, or ctx ends, which it
	// does after 5 s: then with an error that says what was abandoned. Nil: there
	// are none.
	Drain func(ctx context.Context) error
	// Trace is the file that AIVAULT_UI_TRACE names, see [trace]; empty: none.
	// Busy is how many operations are under way. It is called from anywhere.
	Trace string
	Busy  func() int
}

// Run runs model on a terminal until it quits, and gives the terminal back as it
// was. It returns the model as it was last.
//
// Ctx is that of app.WithSignals: when it ends, so does the program, with an
// error of the code [fault.Canceled] that app.ExitStatus makes 128 and the
// signal of; nobody needs to be told, and a terminal that does not read would
// not let one. A panic of the model or of a command is a [fault.Internal] that
// says where it was, for the caller to print. What Drain
// reports is the error of an end that has no other.
//
// A terminal that does not read cannot hold the end up: 2 s after that began,
// or with a second signal, what is still to be drawn is abandoned, and 1 s
// later the process ends, its terminal out of raw mode.
func Run(ctx context.Context, tty TTY, model tea.Model, s Settings, opts RunOptions) (tea.Model, error) {
	state, err := xterm.GetState(int(tty.In.Fd()))
	if err != nil {
		return model, fault.Wrap(fault.IO, err, "reading the state of the terminal")
	}
	lipgloss.SetColorProfile(s.Profile()) // neither may be found out by asking
	lipgloss.SetHasDarkBackground(s.Dark)

	within, stop := context.WithCancel(ctx)
	defer stop()
	out := NewOutput(tty.Out)
	defer func() { _ = out.Close() }()
	out.trace = openTrace(opts.Trace, opts.Busy)
	defer out.trace.close()
	g := &guarded{model: model, crash: &crash{stop: stop}, trace: out.trace}

	dog := newWatchdog(ctx, out, func() { _ = xterm.Restore(int(tty.In.Fd()), state) })
	defer dog.release()
	p := tea.NewProgram(g, programOptions(tty, out, s, dog)...)
	unwatch := context.AfterFunc(within, func() { // not tea.WithContext: it does not wait for its reader
		dog.watch()
		p.Quit()
	})
	defer unwatch()

	err = g.run(p)
	if g.crash.fault() != nil {
		_, _ = io.WriteString(out, allOff) // Bubble Tea may not have come to it
	}
	_ = xterm.Restore(int(tty.In.Fd()), state)
	unwatch()
	dog.stop()
	if out.abandoned.Load() {
		opts.Stderr = nil
	}
	abandoned := drain(ctx, opts)
	end := g.ended(ctx, err)
	if end == nil {
		return g.model, abandoned
	}
	if abandoned != nil { // the exit status tells of the other
		opts.say(abandoned.Error())
	}
	return g.model, end
}

// say tells a person something, once the terminal is given back.
func (o *RunOptions) say(sentence string) {
	if o.Stderr != nil {
		_, _ = fmt.Fprintf(o.Stderr, "aivault: %s\n", sentence)
	}
}

// allOff ends every mode that Bubble Tea begins: bracketed paste, mouse, focus
// reports, a hidden cursor, the alternate screen.
const allOff = "\x1b[?2004l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?25h\x1b[?1049l"

func programOptions(tty TTY, out *Output, s Settings, dog *watchdog) []tea.ProgramOption {
	list := []tea.ProgramOption{
		tea.WithInput(NewInput(tty.In)),
		tea.WithOutput(out),
		tea.WithFPS(framesPerSecond),
		tea.WithoutSignalHandler(),
		tea.WithoutCatchPanics(),
		tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
			if _, ok := msg.(tea.QuitMsg); ok {
				dog.watch()
			}
			return msg
		}),
	}
	if !s.Accessible {
		list = append(list, tea.WithAltScreen(), tea.WithReportFocus())
	}
	if s.Mouse {
		list = append(list, tea.WithMouseCellMotion())
	}
	return list
}

// run runs p. What panics outside of the model, such as the callback of an
// editor's end, is caught here.
func (g *guarded) run(p *tea.Program) error {
	defer p.Kill()
	defer g.crash.recover()
	_, err := p.Run()
	return err
}

// ended returns what is to be known of a program's end.
func (g *guarded) ended(ctx context.Context, err error) error {
	if crashed := g.crash.fault(); crashed != nil {
		return crashed
	}
	if err == nil && ctx.Err() == nil {
		return nil
	}
	if errors.Is(err, tea.ErrInterrupted) {
		return fault.Wrap(fault.Canceled, err, "")
	}
	if ctx.Err() == nil { // with a terminal's end comes SIGHUP, in any order
		select {
		case <-ctx.Done():
		case <-time.After(hangupTime):
		}
	}
	if ctx.Err() != nil {
		return fault.Wrap(fault.Canceled, context.Cause(ctx), "")
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return fault.Wrap(fault.IO, err, "using the terminal")
}

// drain waits for writes in flight, also if a signal ended the program. The error
// is that one of them may not be stored.
func drain(ctx context.Context, opts RunOptions) error {
	if opts.Drain == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	notice := time.AfterFunc(drainQuiet, func() { opts.say("waiting for a change to be stored") })
	err := opts.Drain(ctx)
	notice.Stop()
	if _, ours := errors.AsType[*fault.Error](err); err == nil || ours {
		return err
	}
	return fault.New(fault.OutcomeUnknown, "a change was abandoned").WithHint("`aivault audit` shows whether it is stored")
}
