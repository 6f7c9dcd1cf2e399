// Package task does work off the event loop and brings what came of it back.
//
// Whatever takes time (the vault, the broker, the keyring) is a command that
// runs while the program goes on drawing; its end is a message that holds a
// function, which the root calls in the event loop. So a page writes what is to
// be done and what is to be done with the result side by side, and its state is
// touched by one goroutine only.
//
// A [Group] belongs to one screen. Work in a group has a slot: what begins in a
// slot makes what is under way there of no use, so it is cancelled and its
// result dropped. Writes have none: each is brought to its end, also when its
// screen is gone, and the program waits for them before it ends.
package task

import (
	"context"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
)

// A Group is the work of one screen.
type Group struct {
	all *Tracker

	mu    sync.Mutex
	slots map[string]*job
	next  uint64
	shut  bool
}

// A job is work under way.
type job struct {
	id     uint64
	since  time.Time
	cancel context.CancelFunc
}

// A Tracker counts what is under way in all groups of a program.
type Tracker struct {
	ctx context.Context // ends with the program: reads are then of no use
	now func() time.Time

	mu     sync.Mutex
	begun  uint64 // reads and writes, ever
	reads  int
	writes map[uint64]string
	next   uint64
	idle   chan struct{} // closed when the last write ended; nil while nobody waits
	wrote  time.Time     // when a write last ended
}

// NewTracker returns a tracker for a program that ends with ctx.
func NewTracker(ctx context.Context, now func() time.Time) *Tracker {
	return &Tracker{ctx: ctx, now: now, writes: map[uint64]string{}}
}

// Group returns a new group.
func (t *Tracker) Group() *Group { return &Group{all: t, slots: map[string]*job{}} }

// Busy returns how many reads and writes are under way.
func (t *Tracker) Busy() (reads, writes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads, len(t.writes)
}

// Wrote returns when a write last ended; now, if one is under way.
func (t *Tracker) Wrote() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.writes) > 0 {
		return t.now()
	}
	return t.wrote
}

// Drain waits until no write is under way, or ctx ends; then it returns what is
// still being written.
func (t *Tracker) Drain(ctx context.Context) (left []string) {
	for {
		t.mu.Lock()
		if len(t.writes) == 0 {
			t.mu.Unlock()
			return nil
		}
		if t.idle == nil {
			t.idle = make(chan struct{})
		}
		idle := t.idle
		t.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			t.mu.Lock()
			defer t.mu.Unlock()
			for _, what := range t.writes {
				left = append(left, what)
			}
			return left
		}
	}
}

// Begun returns how many reads and writes were begun so far.
func (t *Tracker) Begun() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begun
}

func (t *Tracker) beginRead() { t.mu.Lock(); t.reads++; t.begun++; t.mu.Unlock() }
func (t *Tracker) endRead()   { t.mu.Lock(); t.reads--; t.mu.Unlock() }

func (t *Tracker) beginWrite(what string) (id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	t.begun++
	t.writes[t.next] = what
	return t.next
}

func (t *Tracker) endWrite(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.writes, id)
	t.wrote = t.now()
	if len(t.writes) == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// A Msg is the end of some work, or news of it, for the event loop: the root
// calls Apply there.
type Msg struct {
	group *Group
	slot  string
	id    uint64 // 0: it is always of use
	apply func() tea.Cmd
	more  bool // the work goes on
}

// Apply brings the result back, unless it is of no use any more.
func (m Msg) Apply() tea.Cmd {
	if m.id != 0 && !m.group.current(m.slot, m.id, m.more) {
		return nil
	}
	return m.apply()
}

// current reports whether a job is still the one of its slot, and frees that
// unless the job goes on.
func (g *Group) current(slot string, id uint64, more bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	j := g.slots[slot]
	if j == nil || j.id != id {
		return false
	}
	if !more {
		j.cancel()
		delete(g.slots, slot)
	}
	return true
}

// begin takes a slot.
func (g *Group) begin(slot string) (context.Context, uint64, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, 0, false
	}
	if old := g.slots[slot]; old != nil {
		old.cancel()
	}
	ctx, cancel := context.WithCancel(g.all.ctx)
	g.next++
	g.slots[slot] = &job{id: g.next, since: g.all.now(), cancel: cancel}
	return ctx, g.next, true
}

// Busy returns since when a slot is taken.
func (g *Group) Busy(slot string) (since time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if j := g.slots[slot]; j != nil {
		return j.since, true
	}
	return time.Time{}, false
}

// Cancel ends what is under way in a slot; its result is dropped.
func (g *Group) Cancel(slot string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if j := g.slots[slot]; j != nil {
		j.cancel()
		delete(g.slots, slot)
	}
}

// Interrupt ends what is under way in a slot; its result, as far as there is one,
// still comes back.
func (g *Group) Interrupt(slot string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if j := g.slots[slot]; j != nil {
		j.cancel()
	}
}

// Close ends everything in the group but writes.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for slot, j := range g.slots {
		j.cancel()
		delete(g.slots, slot)
	}
}

// Go does something that changes nothing, in a slot, and gives its result to
// then, in the event loop.
func Go[T any](g *Group, slot string, do func(ctx context.Context) (T, error), then func(T, error) tea.Cmd) tea.Cmd {
	ctx, id, ok := g.begin(slot)
	if !ok {
		return nil
	}
	g.all.beginRead()
	return func() tea.Msg {
		defer g.all.endRead()
		v, err := do(ctx)
		return Msg{group: g, slot: slot, id: id, apply: func() tea.Cmd { return then(v, err) }}
	}
}

// Write does something that changes the vault. It is not cancelled by anything
// but the end of a context that the caller made, and its result always comes
// back.
func Write[T any](g *Group, what string, do func(ctx context.Context) (T, error), then func(T, error) tea.Cmd) tea.Cmd {
	ctx := context.WithoutCancel(g.all.ctx)
	id := g.all.beginWrite(what)
	return func() tea.Msg {
		defer g.all.endWrite(id)
		v, err := do(ctx)
		return Msg{apply: func() tea.Cmd { return then(v, err) }}
	}
}

// streamBuffer is how many pieces of news wait for the event loop before the
// work that brings them does.
const streamBuffer = 64

// Stream is Go for work that has news on its way: each call of emit, from any
// goroutine, comes to each in the event loop, several at once where the event
// loop is behind, and all of them before then is called.
func Stream[E, T any](
	g *Group, slot string, do func(ctx context.Context, emit func(E)) (T, error), each func([]E) tea.Cmd, then func(T, error) tea.Cmd,
) tea.Cmd {
	ctx, id, ok := g.begin(slot)
	if !ok {
		return nil
	}
	g.all.beginRead()
	news := make(chan E, streamBuffer)
	var end func() tea.Cmd // set before news is closed
	work := func() tea.Msg {
		defer g.all.endRead()
		defer close(news)
		v, err := do(ctx, func(e E) {
			select {
			case news <- e:
			case <-ctx.Done():
			}
		})
		end = func() tea.Cmd { return then(v, err) }
		return nil
	}
	var read tea.Cmd
	read = func() tea.Msg {
		e, open := <-news
		if !open {
			return Msg{group: g, slot: slot, id: id, apply: func() tea.Cmd {
				if end == nil {
					return nil // the work panicked, which is the root's to tell
				}
				return end()
			}}
		}
		batch := []E{e}
		for open && len(batch) < streamBuffer {
			select {
			case e, open = <-news:
				if open {
					batch = append(batch, e)
				}
				continue
			default:
			}
			break
		}
		return Msg{group: g, slot: slot, id: id, more: true, apply: func() tea.Cmd { return tea.Batch(each(batch), read) }}
	}
	return tea.Batch(work, read)
}

// A Timer is a message that asks the root to bring fire back after a while.
type Timer struct {
	After time.Duration
	Fire  Msg
}

// After calls then in the event loop, once d is over, in a slot.
func After(g *Group, slot string, d time.Duration, then func() tea.Cmd) tea.Cmd {
	_, id, ok := g.begin(slot)
	if !ok {
		return nil
	}
	t := Timer{After: d, Fire: Msg{group: g, slot: slot, id: id, apply: then}}
	return func() tea.Msg { return t }
}
