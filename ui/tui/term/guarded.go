package term

import (
	"reflect"
	"runtime"
	"strings"
	"sync"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
)

// Guarded returns a model that does what model does, until that panics: then it
// quits, with the terminal given back, where Bubble Tea would print the value of
// the panic, which may be a secret. [Run] guards what it runs by itself.
//
// It also passes on what Bubble Tea sends as what it stands for: each key by
// itself, and [PasteRefused]. Until the size of the terminal is known it shows
// nothing.
func Guarded(model tea.Model) tea.Model { return &guarded{model: model, crash: new(crash)} }

type guarded struct {
	model tea.Model
	crash *crash
	trace *trace
	sized bool
}

// A crash is the first panic of a program, and how it ends.
type crash struct {
	once sync.Once
	stop func() // nil: the next Update does
	mu   sync.Mutex
	err  error
}

// fault returns the panic that there was, nil if none.
func (c *crash) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// recover is to be deferred. It keeps where the panic was, and not its value.
func (c *crash) recover() {
	if recover() == nil {
		return
	}
	where := panicked()
	c.once.Do(func() {
		c.mu.Lock()
		c.err = fault.New(fault.Internal, "aivault failed unexpectedly in %s: this is a bug", where).
			WithHint("what was stored is stored; please report this line")
		c.mu.Unlock()
		if c.stop != nil {
			c.stop()
		}
	})
}

// panicked returns the function of ours that panicked, seen from a deferred one.
func panicked() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.HasPrefix(f.Function, "aivault/") && !strings.HasPrefix(f.Function, "aivault/ui/tui/term.") {
			return f.Function
		}
	}
	return "an unknown place"
}

func (g *guarded) Init() (cmd tea.Cmd) {
	defer g.crash.recover()
	return g.crash.guard(g.model.Init())
}

func (g *guarded) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	model = g
	if g.crash.fault() != nil {
		return g, tea.Quit
	}
	defer func() {
		if g.crash.fault() != nil {
			cmd = tea.Quit
		}
	}()
	defer g.crash.recover()
	var cmds []tea.Cmd
	for _, event := range events(msg) {
		if _, ok := event.(tea.WindowSizeMsg); ok {
			g.sized = true
		}
		var next tea.Cmd
		g.model, next = g.model.Update(event)
		cmds = append(cmds, g.crash.guard(next))
	}
	return g, tea.Batch(cmds...)
}

func (g *guarded) View() (view string) {
	if !g.sized || g.crash.fault() != nil {
		return ""
	}
	defer g.crash.recover()
	view = g.model.View()
	g.trace.drawn(view)
	return view
}

// guard returns a command that survives a panic of cmd, and of those that cmd
// returns in turn, as batches and sequences are.
func (c *crash) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer c.recover()
		msg = cmd()
		v := reflect.ValueOf(msg) // a tea.BatchMsg, or the type of tea.Sequence, which has no name here
		if v.Kind() != reflect.Slice || v.Type().Elem() != reflect.TypeFor[tea.Cmd]() {
			return msg
		}
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			if inner, ok := v.Index(i).Interface().(tea.Cmd); ok && inner != nil {
				list.Index(i).Set(reflect.ValueOf(c.guard(inner)))
			}
		}
		return list.Interface()
	}
}
