package tui

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// How often the root looks whether the vault was changed, and after how long
// without a key a vault that has a passphrase is locked.
const (
	lookEvery = 500 * time.Millisecond
	idleLock  = 15 * time.Minute
	// ownChange is how soon after a change of ours another one is taken for a
	// part of it, as what came of a call is recorded later than the call.
	ownChange = 1500 * time.Millisecond
)

// A watch is what the root knows of the vault file.
type watch struct {
	state vault.State
	seq   uint64    // of the newest event that was seen; 0: none was looked at
	since time.Time // events before that are no news
}

// A change is what a look found.
type change struct {
	state  vault.State
	events []vault.Event // newer than those that were seen, the newest first
}

// look looks at the vault file now and then, for ever.
func (m *Model) look() tea.Cmd {
	return task.After(m.tasks, "look", lookEvery, func() tea.Cmd {
		return tea.Batch(m.lookNow(), m.lockIfIdle())
	})
}

// lookNow looks at the vault file, and then again a while later.
func (m *Model) lookNow() tea.Cmd {
	if m.gate != nil {
		return m.look()
	}
	be, before := m.host.Backend, m.watch
	return task.Go(m.tasks, "look", func(ctx context.Context) (change, error) {
		state, err := be.State(ctx)
		c := change{state: state}
		if err != nil || state == before.state {
			return c, err
		}
		// What it means is of interest only; that something changed is known.
		c.events, _ = be.Audit(ctx, vault.AuditQuery{After: before.seq, Limit: 50})
		return c, nil
	}, func(c change, err error) tea.Cmd {
		next := m.look()
		if err != nil || m.gate != nil || c.state == m.watch.state {
			return next // what is wrong with the vault, the page that needs it tells
		}
		m.watch.state = c.state
		if len(c.events) > 0 {
			m.watch.seq = c.events[0].Seq
		}
		return tea.Batch(next, m.reload(), m.tellChange(c.events))
	})
}

// tellChange says what somebody else changed. Calls are not worth it: agents
// make them all day.
func (m *Model) tellChange(events []vault.Event) tea.Cmd {
	now := m.host.Now()
	if now.Sub(m.host.Tasks.Wrote()) < ownChange || now.Sub(m.touched) < ownChange {
		return nil
	}
	var what []string
	for _, e := range events {
		if e.Time.Before(m.watch.since) || strings.HasPrefix(e.Kind, "invoke.") || strings.HasPrefix(e.Kind, "oauth.") {
			continue
		}
		what = append(what, deed(e.Kind))
	}
	switch len(what) {
	case 0:
		return nil
	case 1:
		return m.say(noteToast("another process " + what[0]))
	}
	return m.say(noteToast("another process " + what[0] + ", and made " + text.Plural(len(what)-1, "other change")))
}

// deed says what an event of a kind did.
func deed(kind string) string {
	words := map[string]string{
		vault.KindSecretCreate: "stored a secret", vault.KindSecretUpdate: "renamed a secret, or changed its aliases",
		vault.KindSecretRotate: "rotated a secret", vault.KindSecretDelete: "deleted a secret",
		vault.KindSecretAttach: "attached a secret to a group", vault.KindSecretDetach: "detached a secret from a group",
		vault.KindSecretHosts: "gave a secret a host", vault.KindCredentialCreate: "made a credential",
		vault.KindCredentialDelete: "deleted a credential", vault.KindCredentialDisable: "disabled a credential",
		vault.KindCredentialEnable: "enabled a credential", vault.KindCapabilityCreate: "made a capability",
		vault.KindCapabilityDelete: "deleted a capability", vault.KindCapabilityBind: "bound a secret to a capability",
		vault.KindCapabilityUnbind: "took a binding away", vault.KindCapabilityPolicy: "changed the limits of a capability",
		vault.KindGrantAdd: "allowed another user to make calls", vault.KindGrantRemove: "took that back from another user",
		vault.KindProviderAdd: "defined a provider", vault.KindProviderRemove: "removed a provider",
	}
	if w, ok := words[kind]; ok {
		return w
	}
	return "changed the vault (" + kind + ")"
}

// lockIfIdle locks a vault that has a passphrase when nobody is there.
func (m *Model) lockIfIdle() tea.Cmd {
	// Both clocks: one stands while the machine sleeps, the other may be set.
	now := m.host.Now()
	if now.Sub(m.active) < idleLock && now.Round(0).Sub(m.active.Round(0)) < idleLock {
		return nil
	}
	if m.gate != nil {
		m.forget("forgotten after 15 minutes without a key; type it again")
	}
	if m.locksItself() {
		return m.lock("locked after 15 minutes without a key")
	}
	return nil
}

// spinEvery is how often a spinner moves.
const spinEvery = 120 * time.Millisecond

// spin has the screen drawn again while something is under way.
func (m *Model) spin() tea.Cmd {
	reads, writes := m.host.Tasks.Busy()
	if m.busyTick || m.quitting || reads+writes == 0 {
		return nil
	}
	m.busyTick = true
	return task.After(m.tasks, "spin", spinEvery, func() tea.Cmd {
		m.busyTick = false
		return nil
	})
}
