package tui_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/tui/action"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// What is pasted is no keys: it reaches fields only, with line feeds.
func TestPasteReachesFieldsOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	paste := func() tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("q\rq\r\nq"), Paste: true} }
	r.send(paste())
	if len(r.tabs[0].keys) != 0 || r.quit {
		t.Errorf("the page got %q, quit %v", r.tabs[0].keys, r.quit)
	}
	r.want("nothing here takes a paste")
	r.tabs[0].captures = true
	r.send(paste())
	if got := strings.Join(r.tabs[0].keys, "|"); got != "paste q\nq\nq" {
		t.Errorf("the field got %q", got)
	}
}

func TestTabsAndScreens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.want("gate", "locked")
	r.press("2")
	r.want("the vault is not open yet")
	r.open(keys.KindKeyring)
	r.want("[1 Secrets]", "unlocked", "Secrets, row 1 of 1")
	r.send(tea.WindowSizeMsg{Width: 100, Height: 24})
	r.want("keyring · unlocked")
	r.press("3")
	r.want("[3 Credentials]", "Credentials, row 1 of 1")
	r.send(view.OpenWhy{Capability: "x/y"})
	r.want("Why x/y")
	r.press("esc")
	r.wantNot("Why x/y")
	r.press("esc")
	r.want("this is the first page; q quits")
	r.send(view.ShowAudit{Seq: 7})
	r.want("[4 Audit]")
	if len(r.tabs[3].shown) != 1 {
		t.Errorf("the page was told to show %v", r.tabs[3].shown)
	}
	r.press("q")
	if !r.quit {
		t.Error("q does not quit")
	}
	for _, p := range r.tabs {
		if p.closed != 1 {
			t.Errorf("%s was closed %d times", p.title, p.closed)
		}
	}
}

// Checklist 6. One confirmation where something is typed.
func TestControlCLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.press("ctrl+c")
	if !r.quit {
		t.Error("ctrl+c does not leave the gate")
	}
	r = newRig(t).open(keys.KindFile)
	typed := &fakePage{title: "form", captures: true, dirty: true}
	r.push(typed)
	r.press("ctrl+c")
	if r.quit {
		t.Fatal("what was typed is lost without a word")
	}
	r.want("press ctrl+c again")
	r.press("x", "ctrl+c")
	if r.quit {
		t.Fatal("another key in between does not count as second thoughts")
	}
	r.press("ctrl+c")
	if !r.quit || typed.closed != 1 {
		t.Errorf("quit %v, closed %d", r.quit, typed.closed)
	}
}

// Checklist 56.
func TestWhatIsTypedIsNotClosedUnasked(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"esc"} {
		r := newRig(t).open(keys.KindFile)
		typed := &fakePage{title: "form", captures: true, dirty: true}
		r.push(typed)
		r.press(key)
		r.want("Throw away what you changed here?")
		r.press("enter") // the button that keeps it has the focus
		if typed.closed != 0 {
			t.Errorf("%s: enter discards", key)
		}
		r.press(key, "right", "enter")
		if typed.closed != 1 {
			t.Errorf("%s: it was closed %d times", key, typed.closed)
		}
		r.wantNot("form, row")
	}
}

// Checklist 55, 38. What was done shows with its command line and is undone.
func TestDoneAndUndone(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	r.press("z")
	r.want("there is nothing to take back")
	r.press("@")
	r.want("nothing was done yet")
	loads, undone := r.tabs[0].loads, 0
	undo := &ops.Undo{Text: "attach A to w/g", Run: func(context.Context) (ops.Done, error) {
		undone++
		return ops.Done{Text: "detached A from w/g", Lines: []ops.Line{{"aivault", "secrets", "detach-group"}}}, nil
	}}
	r.send(view.DoneMsg{Done: ops.Done{Text: "attached A to w/g", Lines: []ops.Line{{"aivault", "secrets", "attach-group"}}, Undo: undo}})
	r.want("attached A to w/g", "z undo", "aivault secrets attach-group")
	if r.tabs[0].loads != loads+1 {
		t.Error("the page was not loaded again")
	}
	r.press("@")
	r.want("The same on a command line")
	r.press("esc", "z")
	r.want("detached A from w/g")
	if undone != 1 {
		t.Errorf("undone %d times", undone)
	}
	r.press("z")
	r.want("there is nothing to take back")

	refused := &ops.Undo{Text: "rename A", Run: func(context.Context) (ops.Done, error) {
		return ops.Done{}, fault.New(fault.Conflict, "somebody changed it since")
	}}
	r.send(view.DoneMsg{Done: ops.Done{Text: "renamed", Undo: refused}})
	r.press("z")
	r.want("somebody changed it since")
}

// Checklist 69. It stays until it is dismissed, and the same one is told once.
func TestErrorsStay(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	fail := view.FailMsg{What: "storing A", Err: fault.Wrap(fault.AlreadyExists, errors.New("deep"), "there is an A").WithHint("choose another name")}
	r.send(fail)
	r.send(fail)
	r.pass(time.Hour)
	r.want("storing A: there is an A", "choose another name")
	r.wantNot("already_exists")
	r.press("enter")
	r.want("already_exists")
	r.press("esc")
	r.wantNot("there is an A")
}

// Checklist 67. A vault that has a passphrase is locked when nobody is there.
func TestLocksItself(t *testing.T) {
	t.Parallel()
	for _, kind := range []keys.Kind{keys.KindPassphrase, keys.KindKeyring} {
		r := newRig(t).open(kind)
		for range 40 {
			r.pass(500 * time.Millisecond)
		}
		r.press("j")
		r.now = r.now.Add(15*time.Minute - 2*time.Second)
		r.pass(500 * time.Millisecond)
		if r.vault.locks != 0 {
			t.Fatalf("%s: it is locked too early", kind)
		}
		r.pass(2 * time.Second)
		r.pass(time.Second)
		if locked := r.vault.locks == 1; locked != (kind == keys.KindPassphrase) {
			t.Errorf("%s: locked %v", kind, locked)
		}
	}
}

// What the daemon keeps, others work with: it is not locked because nobody is at
// these screens.
func TestKeptIsNotLocked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send(view.OpenedMsg{Status: vault.Status{Initialized: true, Provider: keys.KindPassphrase}, Kept: true})
	r.now = r.now.Add(time.Hour)
	r.pass(500 * time.Millisecond)
	r.pass(time.Second)
	if r.vault.locks != 0 {
		t.Error("it was locked")
	}
}

// What was half typed goes when the vault is locked; where one was stays.
func TestLockAndBack(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindPassphrase)
	r.press("3")
	typed := &fakePage{title: "form", captures: true, dirty: true}
	r.send(view.DialogMsg{Screen: typed})
	r.send(view.LockMsg{})
	if typed.closed != 1 || r.vault.locks != 1 {
		t.Errorf("closed %d, locked %d", typed.closed, r.vault.locks)
	}
	r.want("gate")
	r.open(keys.KindPassphrase)
	r.want("[3 Credentials]")
}

// A vault that nobody changes is not read again and again.
func TestNothingChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	r.vault.audit = []vault.Event{{Seq: 5, Kind: vault.KindSecretCreate}}
	r.pass(500 * time.Millisecond) // the first look
	loads := r.tabs[0].loads
	r.pass(500 * time.Millisecond)
	if r.tabs[0].loads != loads {
		t.Error("the page is loaded though nothing changed")
	}
}

// Checklist 14, 15, 17. Every size has a frame of exactly that size.
func TestEverySizeHasAFrame(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	r.send(view.OpenWhy{Capability: strings.Repeat("long/", 30)})
	r.send(view.NoteMsg{Text: strings.Repeat("a long note ", 30)})
	r.send(view.FailMsg{What: "storing", Err: fault.New(fault.IO, "%s", strings.Repeat("words ", 80))})
	for w := range 130 {
		for _, h := range []int{0, 1, 5, 11, 12, 13, 24, 60} {
			r.send(tea.WindowSizeMsg{Width: w, Height: h})
			if w == 0 || h == 0 {
				if r.m.View() != "" {
					t.Fatalf("%dx%d draws", w, h)
				}
				continue
			}
			lines := strings.Split(r.screen(), "\n")
			if len(lines) != h {
				t.Fatalf("%dx%d: %d lines", w, h, len(lines))
			}
			for _, line := range lines {
				if text.Width(line) > w {
					t.Fatalf("%dx%d: %q is %d wide", w, h, line, text.Width(line))
				}
			}
			if (w < 40 || h < 12) && w > 20 && h > 4 && !strings.Contains(r.screen(), "too small") {
				t.Fatalf("%dx%d:\n%s", w, h, r.screen())
			}
		}
	}
}

// Checklist 30, 31, 32.
func TestHelpAndPalette(t *testing.T) {
	t.Parallel()
	r := newRig(t).open(keys.KindFile)
	ran := 0
	r.tabs[0].bound = []action.Bound{
		{ID: action.Rotate, Run: func() tea.Cmd { ran++; return nil }},
		{ID: action.Detach, Off: "select a group first"},
	}
	r.want("r rotate")
	r.wantNot("x detach")
	r.press("x")
	r.want("select a group first")
	r.press("?")
	r.want("What can be done here", "Rotate the secret")
	r.press("rotat", "enter")
	if ran != 1 {
		t.Errorf("enter ran it %d times", ran)
	}
	r.press(":", "follow")
	r.want("only in audit")
	r.press("esc", "r")
	if ran != 2 {
		t.Errorf("the key ran it, together %d times", ran)
	}
}

// No two actions that can meet have a key in common,
// and what destroys is on a capital letter.
func TestActionsDoNotCollide(t *testing.T) {
	t.Parallel()
	everywhere := []action.Where{action.Everywhere}
	lists := append(everywhere, action.Browse)
	together := map[action.Where][]action.Where{
		action.Everywhere: nil, action.Browse: everywhere, action.Secrets: lists, action.Capabilities: lists, action.Credentials: lists,
		action.Audit: lists, action.Attach: lists, action.Why: lists, action.Gate: everywhere,
	}
	// The checklist has rows to check in the place of rows to mark and to open.
	never := map[[2]action.ID]bool{{action.Check, action.Mark}: true, {action.Share, action.Open}: true}
	seen := map[action.ID]bool{}
	for _, s := range action.All() {
		if seen[s.ID] || s.Title == "" || s.Short == "" || len(s.Keys) == 0 || s.Where == "" {
			t.Errorf("%q is there twice, or incomplete", s.ID)
		}
		seen[s.ID] = true
		for _, key := range s.Keys {
			if s.Danger && (len(key) != 1 || key < "A" || key > "Z") {
				t.Errorf("%s destroys and is on %q", s.ID, key)
			}
		}
		for _, other := range action.All() {
			if other.ID == s.ID || never[[2]action.ID{s.ID, other.ID}] || other.Where != s.Where && !slices.Contains(together[s.Where], other.Where) {
				continue
			}
			for _, key := range s.Keys {
				if slices.Contains(other.Keys, key) {
					t.Errorf("%s and %s are both on %q", s.ID, other.ID, key)
				}
			}
		}
	}
}
