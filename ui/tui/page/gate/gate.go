// Package gate is what shows until the vault is open: where there is none yet,
// while its key is fetched, while a passphrase is needed, and where something is
// in the way. Each has a screen of its own that says what it is and what can be
// done; all look the same.
package gate

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys"
	"aivault/keys/fault"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A state is what the gate shows.
type state int

const (
	looking  state = iota // the vault is looked at, and its key fetched
	stopped               // somebody ended that
	absent                // there is no vault yet
	creating              // one is being made
	asking                // a passphrase or a recovery key is needed
	opening               // it is tried
	failed                // see err
)

// busyAgain is after what time a vault that another process holds is tried
// again.
const busyAgain = 2 * time.Second

// awaitEvery is how often it is looked whether somebody unlocked the vault
// elsewhere.
const awaitEvery = time.Second

// forgetAfter is how long a passphrase may stand half typed.
const forgetAfter = 2 * time.Minute

// A Gate is the screen.
type Gate struct {
	host  *view.Host
	tasks *task.Group

	state  state
	since  time.Time    // of the state
	status vault.Status // as far as it is known
	first  keys.Config  // where the key of a new vault would go
	err    error        // why it is not open
	made   *ops.Done    // a vault, here
	reason error        // why what asks nobody did not open it, while it asks; nil: nothing does so
	field  *form.Secret // of what is typed
}

// New returns the screen, which sends view.OpenedMsg once the vault is open.
func New(host *view.Host) view.Screen {
	g := &Gate{host: host, tasks: host.Tasks.Group(), field: form.NewPassphrase(host.Theme, "Passphrase", false)}
	g.enter(looking)
	return g
}

func (g *Gate) enter(s state) {
	g.state, g.since = s, g.host.Now()
}

// Load looks at the vault, unless somebody is typing or something is under way.
func (g *Gate) Load() tea.Cmd {
	switch g.state {
	case creating, opening:
		return nil
	case asking:
		if !g.field.Empty() {
			return nil
		}
	}
	return g.look()
}

// looked is what a look found.
type looked struct {
	state  vault.State // from before
	status vault.Status
	first  keys.Config
	kept   bool // the daemon keeps the key
}

// look looks at the vault and fetches its key, where nobody need be asked.
func (g *Gate) look() tea.Cmd {
	g.enter(looking)
	return task.Go(g.tasks, "open", func(ctx context.Context) (looked, error) {
		l, err := g.see(ctx)
		if err == nil && !l.status.Initialized {
			l.first, err = g.host.FirstUse(ctx)
		}
		return l, err
	}, func(l looked, err error) tea.Cmd {
		g.status, g.first = l.status, l.first
		ended := g.state == stopped // by esc, meanwhile
		switch {
		case err != nil && ended:
			return nil
		case err != nil:
			return g.fail(err)
		case !l.status.Initialized:
			g.enter(absent)
			return nil
		case !l.status.Locked:
			return g.opened(l)
		}
		return g.locked(ended)
	})
}

// locked asks for what opens the vault, if somebody can type that; otherwise it
// shows what is in the way. Where a key should have opened it without asking, it
// says why that did not.
func (g *Gate) locked(ended bool) tea.Cmd {
	err := g.status.KeyError
	code, typed := fault.CodeOf(err), g.status.Typed()
	g.reason = nil
	switch {
	case code == fault.VaultLocked && typed.Any():
	case typed.Any() && (code == fault.KeyUnavailable || code == fault.WrongKey || code == fault.Canceled && ended):
		g.reason = err
	case ended:
		return nil
	default:
		return g.fail(err)
	}
	g.field.Wipe()
	g.field = form.NewPassphrase(g.host.Theme, sentenceCase(typed.String()), false)
	return g.ask("")
}

// opened tells that the vault is open, and after that how it was made, if that
// was done here.
func (g *Gate) opened(l looked) tea.Cmd {
	open := view.Send(view.OpenedMsg{Status: l.status, State: l.state, Kept: l.kept})
	if g.made == nil {
		return open
	}
	done := *g.made
	g.made = nil
	return tea.Sequence(open, view.Finish(done))
}

// see looks at the vault.
func (g *Gate) see(ctx context.Context) (l looked, err error) {
	if l.state, err = g.host.Backend.State(ctx); err == nil {
		l.status, err = g.host.Backend.Status(ctx)
		l.kept = err == nil && !l.status.Locked && g.host.Kept != nil && g.host.Kept(ctx)
	}
	return l, err
}

// await looks again once somebody unlocked the vault elsewhere, unless something
// is being typed here.
func (g *Gate) await() tea.Cmd {
	if g.host.Kept == nil {
		return nil
	}
	return task.After(g.tasks, "kept", awaitEvery, func() tea.Cmd {
		return task.Go(g.tasks, "kept", func(ctx context.Context) (bool, error) {
			return g.host.Kept(ctx), nil
		}, func(kept bool, _ error) tea.Cmd {
			switch {
			case g.state != asking:
				return nil
			case kept && g.field.Empty():
				return g.look()
			}
			return g.await()
		})
	})
}

// ask asks for the passphrase or recovery key; why is what was wrong with the last
// one.
func (g *Gate) ask(why string) tea.Cmd {
	g.field.Wipe()
	g.field.SetError(why)
	g.enter(asking)
	return g.await()
}

// fail shows what is in the way. A vault that somebody else holds is tried again
// by itself.
func (g *Gate) fail(err error) tea.Cmd {
	g.err = err
	if fault.CodeOf(err) == fault.Canceled {
		g.enter(stopped)
		return nil
	}
	g.enter(failed)
	if fault.CodeOf(err) != fault.VaultBusy {
		return nil
	}
	return task.After(g.tasks, "open", busyAgain, g.look)
}

// unlock tries what was typed.
func (g *Gate) unlock() tea.Cmd {
	if err := g.field.Check(); err != nil {
		g.field.SetError(err.Error())
		return nil
	}
	g.host.Keyhole.Put(g.field.Value())
	g.field.Wipe()
	g.enter(opening)
	return task.Go(g.tasks, "open", func(ctx context.Context) (looked, error) {
		if err := g.host.Backend.Unlock(ctx); err != nil {
			return looked{}, err
		}
		return g.see(ctx)
	}, func(l looked, err error) tea.Cmd {
		switch fault.CodeOf(err) {
		case "":
			return g.opened(l)
		case fault.WrongKey:
			return g.ask(wrong(g.status.Typed(), err))
		case fault.VaultLocked, fault.Canceled:
			return g.ask("")
		}
		return g.fail(err)
	})
}

// forgetLater forgets a passphrase that nobody goes on typing.
func (g *Gate) forgetLater() tea.Cmd {
	if !g.field.Dirty() {
		g.tasks.Cancel("forget")
		return nil
	}
	return task.After(g.tasks, "forget", forgetAfter, func() tea.Cmd {
		if g.state != asking || !g.field.Dirty() {
			return nil
		}
		return g.ask("what was typed is forgotten, as nobody went on; type it again")
	})
}

// create makes a new vault.
func (g *Gate) create() tea.Cmd {
	cfg := g.first
	g.enter(creating)
	return task.Write(g.tasks, "making the vault", func(ctx context.Context) (ops.Done, error) {
		done, _, err := ops.Init(ctx, g.host.Backend, cfg)
		return done, err
	}, func(done ops.Done, err error) tea.Cmd {
		switch fault.CodeOf(err) {
		case "":
			g.made = &done
		case fault.AlreadyExists: // somebody else made one meanwhile
		default:
			return g.fail(err)
		}
		return g.look()
	})
}

// stop ends what is under way.
func (g *Gate) stop() tea.Cmd {
	g.host.Keyhole.Put(nil)
	if g.state == opening {
		g.tasks.Cancel("open")
		return g.ask("")
	}
	if g.state == looking {
		g.tasks.Interrupt("open") // what is known by then comes back: see locked
	} else {
		g.tasks.Cancel("open")
	}
	g.err = nil
	g.enter(stopped)
	return nil
}

// clear forgets what was typed; where there is nothing, what asks nobody is tried
// again.
func (g *Gate) clear() tea.Cmd {
	if g.reason != nil && !g.field.Dirty() && g.field.Error() == "" {
		return g.look()
	}
	return g.ask("")
}

// Actions are those of the state.
func (g *Gate) Actions() []action.Bound {
	retry := action.Bound{ID: action.Retry, Run: g.look}
	stop := action.Bound{ID: action.Back, Short: "stop", Run: g.stop}
	switch g.state {
	case looking, opening:
		return []action.Bound{stop}
	case absent:
		return []action.Bound{{ID: action.Create, Run: g.create}, retry}
	case failed:
		if fault.CodeOf(g.err) == fault.VaultBusy {
			return []action.Bound{stop, retry}
		}
		return []action.Bound{retry}
	case stopped:
		return []action.Bound{retry}
	case asking:
		short := "clear"
		if g.reason != nil {
			short = "clear, or try again"
		}
		return []action.Bound{{ID: action.Back, Short: short, Run: g.clear}}
	}
	return nil
}

// Key types what opens the vault; enter does what the screen is for.
func (g *Gate) Key(k tea.KeyMsg) tea.Cmd {
	if g.state == asking {
		if k.String() == "enter" && !k.Paste {
			return g.unlock()
		}
		cmd, _ := g.field.Key(k)
		return tea.Batch(cmd, g.forgetLater())
	}
	if k.String() == "enter" {
		switch g.state {
		case absent:
			return g.create()
		case failed, stopped:
			return g.look()
		}
	}
	return nil
}

// Mouse does nothing: there is nothing to choose from.
func (g *Gate) Mouse(tea.MouseMsg) tea.Cmd { return nil }

// Captures reports whether something is typed.
func (g *Gate) Captures() bool { return g.state == asking }

// Forget wipes a passphrase that is half typed.
func (g *Gate) Forget(why string) {
	if g.field.Dirty() {
		g.field.Wipe()
		g.field.SetError(why)
	}
}

// Close ends what is under way, and forgets what was typed.
func (g *Gate) Close() {
	g.tasks.Close()
	g.field.Wipe()
	g.host.Keyhole.Put(nil)
}
