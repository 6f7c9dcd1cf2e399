package tui

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// A toast is the line that says what was done.
type toast struct {
	text string
	line string // the command line that does the same
	undo bool   // it can be taken back
	done bool   // something was done, as opposed to said
}

func noteToast(s string) toast { return toast{text: s} }

// How long a toast stays.
const (
	noteStays = 6 * time.Second
	doneStays = 20 * time.Second
)

// say shows a toast for a while.
func (m *Model) say(t toast) tea.Cmd {
	m.toast = t
	stays := noteStays
	if t.done {
		stays = doneStays
	}
	return task.After(m.tasks, "toast", stays, func() tea.Cmd {
		m.toast = toast{}
		return nil
	})
}

// done tells what was done, and remembers the way back.
func (m *Model) done(d ops.Done) tea.Cmd {
	t := toast{text: d.Text, done: true, undo: d.Undo != nil && m.gate == nil}
	if len(d.Lines) > 0 {
		m.line = d.Lines
		t.line = d.Lines[0].String()
		if len(d.Lines) > 1 {
			t.line += " …"
		}
	}
	if d.Undo != nil && m.gate == nil { // a locked vault forgot what can be taken back
		m.undo = append(m.undo, *d.Undo)
		if len(m.undo) > maxUndo {
			m.undo = m.undo[1:]
		}
	}
	return tea.Batch(m.say(t), m.reload())
}

// shutAgain is how soon an error that closed the vault does not do so again: the
// way in found nothing wrong, so that a damaged record would close and open the
// vault for ever.
const shutAgain = 10 * time.Second

// fail shows an error until it is dismissed. Where the vault cannot be opened
// any more, the way in takes the place of everything.
func (m *Model) fail(f view.FailMsg) tea.Cmd {
	switch fault.CodeOf(f.Err) {
	case fault.Canceled:
		return m.say(noteToast(f.What + ": cancelled"))
	case fault.VaultLocked, fault.KeyUnavailable, fault.WrongKey, fault.VaultCorrupt, fault.VaultNewer:
		now := m.host.Now()
		switch {
		case m.gate != nil && f.Retry != nil:
			return nil // it was being read when the vault was locked, as the gate says
		case m.gate == nil && now.Sub(m.shut) >= shutAgain:
			m.shut = now
			return m.lock(f.What + ": " + f.Err.Error())
		}
	}
	// What loads again and again fails again and again, and is told once.
	say := f.What + "\n" + f.Err.Error()
	for _, d := range m.dialogs {
		if m.failures[d] == say {
			return nil
		}
	}
	d := form.NewMessage(m.host, f.What, f.Err, f.Retry)
	m.failures = map[view.Screen]string{d: say}
	return m.dialog(d)
}

// locking forgets the key and shows the way in.
func (m *Model) locking() tea.Cmd {
	m.gate = m.pages.Gate(m.host)
	be := m.host.Backend
	return task.Write(m.tasks, "locking", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, be.Lock(ctx)
	}, func(_ struct{}, err error) tea.Cmd {
		if m.gate == nil {
			return nil
		}
		cmd := m.gate.Load()
		if err != nil {
			return tea.Batch(cmd, m.fail(view.FailMsg{What: "locking the vault", Err: err}))
		}
		return cmd
	})
}

// toastLine returns the line of the toast, in w cells.
func (m *Model) toastLine(w int) string {
	th := m.host.Theme
	if m.toast.text == "" {
		return ""
	}
	if !m.toast.done {
		return th.Warn.Render(text.Cut(th.Dot+" "+m.toast.text, w))
	}
	lead := text.Cut(th.OK+" "+m.toast.text, w)
	out, room := th.Good.Render(lead), w-text.Width(lead)
	add := func(s string) {
		s = text.Cut(" "+th.Dot+" "+s, room)
		if room < 8 || strings.TrimSpace(s) == "" {
			return
		}
		out += th.Dim.Render(s)
		room -= text.Width(s)
	}
	if m.toast.undo {
		add("z undo")
	}
	if m.toast.line != "" {
		add(m.toast.line)
	}
	return out
}
