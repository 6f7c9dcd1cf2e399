package audit

import (
	"strings"

	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

const (
	headerFrom = 8 // the height of a list from which on it has titles over its columns
	loudLines  = 3 // how many lines a broken chain may take
	frameCells = 9 // what the edge of a box takes beside its title and its note
)

// View implements view.Screen.
func (p *page) View(w, h int) []string {
	if r := p.current(); r != nil {
		p.panes.Name(paneDetail, "#"+r.key)
	} else {
		p.panes.Name(paneDetail, "Event")
	}
	rects := p.panes.Layout(w, h)
	crumb := p.panes.Crumb()
	var panes [][]string
	for i, r := range rects {
		if r.W <= 0 {
			continue
		}
		title, note := p.paneTitle(i)
		if crumb != "" && i != paneList {
			title = crumb
		}
		if text.Width(title)+text.Width(note)+frameCells > r.W { // without the time of it
			note, _, _ = strings.Cut(note, ", ")
		}
		iw, ih := r.Inner()
		body := p.detail.View(iw, ih)
		if i == paneList {
			body = p.listBody(iw, ih)
		}
		panes = append(panes, widget.Box(p.host.Theme, title, note, p.panes.Focus() == i, r.W, r.H, body))
	}
	return widget.Join(panes...)
}

// paneTitle counts the events, and says what is known of the chain.
func (p *page) paneTitle(i int) (title, note string) {
	if i == paneDetail {
		return "Event", ""
	}
	switch _, busy := p.tasks.Busy("read"); {
	case !p.loaded && !busy:
		title = "Events"
	case searches(p.query) && (busy || p.stopped || p.log.lo > 1):
		title = text.Number(len(p.rows)) + " found so far"
	case searches(p.query):
		title = text.Number(len(p.rows)) + " found"
	default:
		title = text.Plural(int(p.newest), "event")
	}
	switch behind := p.newest - min(p.ceiling(), p.newest); {
	case p.follow:
	case behind > 0 && p.loaded:
		title += ", " + text.Number(int(behind)) + " newer: f"
	default:
		title += ", held still"
	}
	return title, p.chain.words(p.host.Now())
}

// beside is how many rows there are about before and after those that are held.
func (p *page) beside() (before, after int) {
	if searches(p.query) || p.filter.Shows() || p.log.hi == 0 {
		return 0, 0
	}
	return int(p.newest - min(p.log.hi, p.newest)), int(p.log.lo - 1)
}

// listBody draws the list, with what is to be said about it above and below.
func (p *page) listBody(w, h int) []string {
	th := p.host.Theme
	var out []string
	if s := p.chain.broken(); s != "" {
		lines := text.Wrap(th.Fail+" "+s, max(w-2, 1))
		for _, line := range lines[:min(len(lines), loudLines, max(h/3, 1))] {
			out = append(out, " "+th.Bad.Bold(true).Render(line))
		}
	}
	if s := p.typed.words(); s != "" {
		out = append(out, " "+th.Warn.Render(text.Cut(s, max(w-2, 0))))
	}
	if p.filter.Shows() {
		out = append(out, p.filter.View(w))
	}
	p.listTop = len(out)
	below := p.below()
	room := h - len(out)
	if below != "" {
		room--
	}
	p.list.Header = h >= headerFrom && p.list.Len() > 0
	out = append(out, p.list.View(w, max(room, 0), p.panes.Focus() == paneList)...)
	if below != "" {
		out = append(out, " "+below)
	}
	return out
}

// below says what is under way, or where it was stopped.
func (p *page) below() string {
	th, now := p.host.Theme, p.host.Now()
	if since, busy := p.tasks.Busy("read"); busy {
		what := reading
		if searches(p.query) {
			what = "searching" + th.Ellipsis + " " + text.Number(len(p.rows)) + " found, esc stops"
		}
		if s := widget.Waiting(th, what, since, now); s != "" {
			return s
		}
	}
	if since, busy := p.tasks.Busy("verify"); busy {
		return widget.Waiting(th, "verifying the chain, esc stops", since, now)
	}
	switch {
	case p.stopped && p.log.hi == 0:
		return th.Dim.Render("stopped; moving down goes on")
	case p.stopped && p.log.lo > 1:
		return th.Dim.Render("stopped at event #" + text.Number(int(p.log.lo)) + "; moving down goes on")
	}
	return ""
}

// emptiness says why there is nothing.
func (p *page) emptiness() []string {
	_, busy := p.tasks.Busy("read")
	switch {
	case p.failed:
		return []string{"The audit log could not be read.", "", "R reads it again."}
	case busy || !p.loaded:
		return nil
	case len(p.rows) > 0:
		return []string{"No event matches the filter.", "", "esc clears it."}
	case searches(p.query):
		return []string{"The audit log has nothing of that.", "", "esc shows all events, e chooses others."}
	}
	return []string{"The audit log is empty.", "", "Every change and every call will be here. On a command line:", ops.AuditLine(p.query).String()}
}
