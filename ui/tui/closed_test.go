package tui_test

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/tui/action"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/view"
)

// A forgetter is a screen that notes what it is to forget.
type forgetter struct {
	fakePage
	why []string
}

func (f *forgetter) Forget(why string) { f.why = append(f.why, why) }

// Checklist 9. What is half typed is forgotten before the shell has the
// terminal, also behind a dialog.
// Case 157.
func TestSuspendForgets(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	typed := &forgetter{fakePage: fakePage{title: "form", captures: true, dirty: true}}
	r.send(view.DialogMsg{Screen: typed})
	r.send(view.DialogMsg{Screen: &fakePage{title: "question"}})
	_, cmd := r.m.Update(tea.KeyMsg{Type: tea.KeyCtrlZ})
	if len(typed.why) != 1 || !strings.Contains(typed.why[0], "suspended") {
		t.Errorf("it was told to forget: %q", typed.why)
	}
	if cmd == nil {
		t.Error("the program is not suspended")
	}
	if typed.closed != 0 {
		t.Error("the form is gone")
	}
}

// Checklist 67. Where nobody was for long, half a passphrase is forgotten too.
func TestIdleGateForgets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.press("j")
	r.now = r.now.Add(14 * time.Minute)
	r.pass(500 * time.Millisecond)
	if len(r.gate.why) != 0 {
		t.Fatal("it is forgotten too early")
	}
	r.now = r.now.Add(2 * time.Minute)
	r.pass(500 * time.Millisecond)
	if len(r.gate.why) == 0 {
		t.Error("it is not forgotten")
	}
}

// A paste is overwritten once somebody had it.
func TestPasteIsWiped(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	for _, captures := range []bool{true, false} {
		r.tabs[0].captures = captures
		runes := []rune("canary\r\nof two lines")
		r.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: runes, Paste: true})
		if got := strings.Trim(string(runes), "\x00"); got != "" {
			t.Errorf("captures %v: %q is left", captures, got)
		}
	}
}

// An action that is picked from a list is the one of then, not the one of when
// the list was opened.
func TestPaletteDoesWhatThereIsNow(t *testing.T) {
	t.Parallel()
	for _, list := range []string{":", "?"} {
		r := newRig(t).open(keys.KindFile)
		done := ""
		bound := func(to string) []action.Bound {
			return []action.Bound{{ID: action.Rotate, Run: func() tea.Cmd { done = to; return nil }}}
		}
		r.tabs[0].bound = bound("first")
		r.press(list)
		r.tabs[0].bound = bound("second")
		r.press("enter")
		if done != "second" {
			t.Errorf("%s: it was done to %q", list, done)
		}
		done = ""
		r.press(list)
		r.tabs[0].bound = []action.Bound{{ID: action.Rotate, Off: "there is no secret here", Run: func() tea.Cmd { done = "gone"; return nil }}}
		r.press("enter")
		if done != "" {
			t.Errorf("%s: it was done to %q", list, done)
		}
		r.want("there is no secret here")
		r.tabs[0].bound = bound("third")
		r.press(list)
		r.tabs[0].bound = nil
		r.press("enter")
		r.want("cannot be done here any more")
	}
}

// What is typed in one screen is not lost with that of another.
//
// Checklist 56.
func TestDiscardIsOfOneScreen(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	under := &fakePage{title: "under", dirty: true}
	over := &fakePage{title: "over", dirty: true}
	r.push(under)
	r.push(over)
	r.press("esc", "right", "enter")
	if over.closed != 1 || under.closed != 0 {
		t.Errorf("closed: over %d times, under %d times", over.closed, under.closed)
	}
}

// What is to be shown elsewhere shows once what is typed here may go.
func TestShowAsksFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	typed := &fakePage{title: "typed", dirty: true}
	r.push(typed)
	r.send(view.ShowAudit{Seq: 7})
	if r.want("Throw away what you changed here?"); len(r.tabs[3].shown) != 0 {
		t.Error("it shows already")
	}
	r.press("right", "enter")
	if len(r.tabs[3].shown) != 1 || typed.closed != 1 {
		t.Errorf("shown %d, closed %d", len(r.tabs[3].shown), typed.closed)
	}
	r.want("[4 Audit]")
}

// Checklist 14. A terminal that got small does not lose what is typed.
func TestSmallKeepsWhatIsTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	typed := &fakePage{title: "form", captures: true, dirty: true}
	r.send(view.DialogMsg{Screen: typed})
	r.send(tea.WindowSizeMsg{Width: 30, Height: 8})
	r.want("what you typed")
	r.press("q")
	if r.quit || typed.closed != 0 {
		t.Error("q left")
	}
	typed.dirty = false
	r.want("q quits")
	if r.press("q"); !r.quit {
		t.Error("q does not leave")
	}
}

// What a page asks for comes to nobody while the vault is locked, and what can
// be taken back stays forgotten.
func TestNothingOverTheGate(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindPassphrase)
	r.send(view.LockMsg{})
	late := &fakePage{title: "late"}
	r.send(view.DialogMsg{Screen: late})
	if late.closed != 1 {
		t.Errorf("it was closed %d times", late.closed)
	}
	r.send(view.FailMsg{What: "reading the secrets", Err: fault.New(fault.VaultLocked, "it is locked"), Retry: func() tea.Cmd { return nil }})
	r.wantNot("late", "it is locked")
	undone := false
	undo := &ops.Undo{Text: "attach", Run: func(context.Context) (ops.Done, error) { undone = true; return ops.Done{}, nil }}
	r.send(view.DoneMsg{Done: ops.Done{Text: "attached", Undo: undo}})
	if r.want("attached"); strings.Contains(r.screen(), "z undo") {
		t.Error("undo is offered on a locked vault")
	}
	r.open(keys.KindPassphrase).press("z")
	if undone {
		t.Error("something of before the lock is taken back")
	}
}

// A vault that opens and then turns out to be damaged is not opened for ever.
func TestDamageIsToldOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	damaged := view.FailMsg{What: "reading the secrets", Err: fault.New(fault.VaultCorrupt, "a record is damaged")}
	r.send(damaged)
	r.want("gate")
	r.open(keys.KindFile).send(damaged)
	r.send(damaged)
	r.want("Secrets", "a record is damaged")
	if r.vault.locks != 1 {
		t.Errorf("it was locked %d times", r.vault.locks)
	}
	r.press("esc")
	r.now = r.now.Add(time.Minute)
	r.send(damaged)
	r.want("gate")
}

// Checklist 55. What could not be taken back for a while can be later.
func TestUndoAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	err := error(fault.New(fault.VaultBusy, "another aivault has it"))
	r.send(view.DoneMsg{Done: ops.Done{Text: "attached A", Undo: &ops.Undo{Text: "attach A", Run: func(context.Context) (ops.Done, error) {
		return ops.Done{Text: "detached A"}, err
	}}}})
	r.press("z")
	r.want("another aivault has it")
	err = nil
	r.press("esc", "z")
	r.want("detached A")
	r.press("z")
	r.want("nothing to take back")

	err = fault.New(fault.OperatorAuthRequired, "it needs the value")
	r.send(view.DoneMsg{Done: ops.Done{Text: "unbound A", Undo: &ops.Undo{Text: "unbind A", Run: func(context.Context) (ops.Done, error) {
		return ops.Done{}, err
	}}}})
	r.press("z")
	r.want("it needs the value")
	r.press("esc", "z")
	r.want("nothing to take back") // it is not in the way of others
}

// Who locks a vault that opens by itself is told that it did.
func TestLockThatDoesNotLast(t *testing.T) {
	t.Parallel()
	for _, kind := range []keys.Kind{keys.KindFile, keys.KindPassphrase} {
		r := newRig(t).open(kind)
		r.press("L")
		r.open(kind)
		const told = "the key was forgotten, and fetched again"
		if got := strings.Contains(r.screen(), told); got != (kind == keys.KindFile) {
			t.Errorf("%s: told %v", kind, got)
		}
		r.send(view.FailMsg{What: "reading", Err: fault.New(fault.KeyUnavailable, "no keyring")})
		r.open(kind)
		r.wantNot(told)
	}
}

// Keys that wait for a form are not for the passphrase when the vault is locked
// meanwhile, and do not stay.
func TestLockDropsWhatWaits(t *testing.T) {
	t.Parallel()
	for _, end := range []tea.Msg{view.LockMsg{}, tea.KeyMsg{Type: tea.KeyCtrlC}} {
		r := newRig(t).open(keys.KindPassphrase)
		r.tabs[0].bound = []action.Bound{{ID: action.Rotate, Run: func() tea.Cmd { return view.Dialog(&fakePage{title: "form"}) }}}
		_, opens := r.m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("r")})
		typed := []rune("c")
		r.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: typed})
		r.send(end)
		r.do(opens)
		if typed[0] != 0 {
			t.Errorf("%T: %q stays", end, string(typed))
		}
		if len(r.gate.keys)+len(r.tabs[0].keys) != 0 {
			t.Errorf("%T: the gate got %q, the page %q", end, r.gate.keys, r.tabs[0].keys)
		}
	}
}

// Who wanted the vault locked is told where its key was to be had without
// anybody; where somebody typed it, the lock did what was wanted.
func TestLockThatOpensByItselfSaysSo(t *testing.T) {
	t.Parallel()
	for _, kind := range []keys.Kind{keys.KindFile, keys.KindKeyring, keys.KindEnv, keys.KindPassphrase, keys.KindRecovery} {
		r := newRig(t).open(kind)
		r.press("L")
		r.open(kind)
		if told := strings.Contains(r.screen(), "fetched again where it lives"); told == kind.Typed() {
			t.Errorf("%s: told %v\n%s", kind, told, r.screen())
		}
	}
}
