package audit

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
)

// margin is how near to an end of what is held the cursor may come before more
// is read, in rows: a few screens, so that nobody who holds a key down gets
// there first.
const margin = 150

// A way is what becomes of what a scan finds.
type way int

const (
	replace way = iota // it takes the place of what was held
	older              // it is added at the old end
	newer              // or at the new one
)

// reading is what could not be done when the log could not be read.
const reading = "reading the audit log"

// read does a scan. What is under way is of no use any more; then is called at
// the end.
func (p *page) read(w way, s scan, then func() tea.Cmd) tea.Cmd {
	be := p.host.Backend
	s.q = p.query
	p.stopped, p.again = false, false
	return task.Stream(p.tasks, "read", func(ctx context.Context, emit func(piece)) (struct{}, error) {
		return struct{}{}, s.run(ctx, be, emit)
	}, func(pieces []piece) tea.Cmd {
		atTop := w == newer && p.atTop()
		for _, piece := range pieces {
			p.take(w, piece)
			if w == replace {
				w = older
				if s.up {
					w = newer
				}
			}
		}
		p.refresh()
		if atTop {
			p.list.SelectIndex(0)
		}
		return p.rest()
	}, func(_ struct{}, err error) tea.Cmd {
		p.loaded = p.loaded || err == nil
		if err != nil {
			return p.fail(err)
		}
		p.failed, p.told = false, ""
		cmds := []tea.Cmd{p.verifyOnce()}
		if then != nil {
			cmds = append(cmds, then())
		}
		p.refresh()
		if p.again {
			cmds = append(cmds, p.Load())
		}
		return tea.Batch(append(cmds, p.moved())...)
	})
}

// atTop reports whether the cursor is to stay on the newest event, whichever
// that is: nobody is reading about the one that was.
func (p *page) atTop() bool {
	return p.follow && p.list.Index() <= 0 && p.panes.Focus() == paneList && p.log.hi >= p.newest
}

// take adds a piece to what is held.
func (p *page) take(w way, found piece) {
	p.newest = found.newest
	switch {
	case w == replace:
		p.log.replace(found)
	case w == older:
		p.log.older(found)
	default:
		p.log.newer(found)
	}
	if !p.follow && w == replace {
		p.frozen = max(p.frozen, found.hi) // an event that somebody went to shows
	}
}

// fail says what is wrong, once.
func (p *page) fail(err error) tea.Cmd {
	p.failed = true
	p.refresh()
	if fault.CodeOf(err) == fault.AuditBroken {
		p.chain = chain{known: true, err: err, at: p.host.Now()}
	}
	if p.told == err.Error() {
		return nil
	}
	p.told = err.Error()
	return view.Fail(reading, err, p.Load)
}

// Load brings what is new, if people follow the log. What is under way is
// brought to its end first: otherwise a busy log would keep it from ever
// getting there.
func (p *page) Load() tea.Cmd {
	if _, busy := p.tasks.Busy("read"); busy {
		p.again = true
		return nil
	}
	switch {
	case !p.loaded || p.log.hi == 0:
		return p.top()
	case p.follow && p.log.hi >= p.newest && p.list.Index() < maxHeld/2:
		return p.grow()
	}
	be := p.host.Backend
	return task.Go(p.tasks, "count", func(ctx context.Context) (uint64, error) {
		return newest(ctx, be)
	}, func(n uint64, err error) tea.Cmd {
		if err != nil {
			return p.fail(err)
		}
		p.newest = n
		if n < p.log.hi {
			return p.top() // another vault is in its place
		}
		p.refresh()
		return nil
	})
}

// grow reads what is new, and with it the events before, as denials that are
// counted change theirs.
func (p *page) grow() tea.Cmd {
	from := max(p.log.lo, p.log.hi-min(pageSize/2, p.log.hi-1))
	held := p.log.hi
	return p.read(newer, scan{from: from, up: true, want: maxHeld / 2}, func() tea.Cmd {
		if p.newest < held || p.log.hi < p.newest { // another vault, or far behind
			return p.top()
		}
		return nil
	})
}

// top goes to the newest event.
func (p *page) top() tea.Cmd {
	p.frozen = 0
	return p.home()
}

// home goes to the newest event that the list may show.
func (p *page) home() tea.Cmd {
	return p.read(replace, scan{from: p.frozen, want: pageRows}, func() tea.Cmd {
		p.refresh()
		p.list.SelectIndex(0)
		return nil
	})
}

// bottom goes to the oldest one, wherever that is.
func (p *page) bottom() tea.Cmd {
	return p.read(replace, scan{from: 1, up: true, want: pageRows, ends: true}, func() tea.Cmd {
		p.refresh()
		p.list.SelectIndex(p.list.Len() - 1)
		return nil
	})
}

// around goes to an event.
func (p *page) around(seq uint64) tea.Cmd {
	return p.read(replace, scan{from: seq + pageSize/2, want: pageRows, ends: true}, func() tea.Cmd {
		p.refresh()
		for _, e := range p.log.ends {
			if e.Seq == seq {
				seq = e.Intent // which is the row
			}
		}
		if !p.list.Select(keyOf(seq)) {
			return view.Note("there is no event #" + keyOf(seq) + " in the log")
		}
		return nil
	})
}

// hold keeps the list as it is, or ends that.
func (p *page) hold(on bool) {
	p.follow, p.frozen = !on, 0
	if on {
		p.frozen = p.newest
	}
}

// ceiling is up to which event the list may show.
func (p *page) ceiling() uint64 {
	if p.follow || p.frozen == 0 {
		return p.newest
	}
	return p.frozen
}

// moved reads more where the cursor comes near an end of what is held, and has
// the detail show what is under it.
func (p *page) moved() tea.Cmd {
	cmd := p.rest()
	if _, busy := p.tasks.Busy("read"); busy || p.failed || p.stopped || p.filter.Shows() || !p.loaded {
		return cmd
	}
	i, n := p.list.Index(), p.list.Len()
	switch {
	case n-i <= margin && p.log.lo > 1:
		return tea.Batch(cmd, p.read(older, scan{from: p.log.lo - 1, want: pageRows}, nil))
	case i < margin && p.log.hi > 0 && p.log.hi < p.ceiling():
		return tea.Batch(cmd, p.read(newer, scan{from: p.log.hi + 1, up: true, to: p.ceiling(), want: pageRows, ends: true}, nil))
	}
	return cmd
}

// stop ends a search. What was found stays.
func (p *page) stop() tea.Cmd {
	p.tasks.Cancel("read")
	p.stopped, p.loaded = true, true
	p.refresh()
	return nil
}
