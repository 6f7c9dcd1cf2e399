package invoke

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/view"
)

// Captures reports that what is typed is text.
func (p *page) Captures() bool {
	return p.pick != nil || p.find != nil || p.panes.Focus() == paneRequest && p.req != nil
}

// Actions are those of the pane with the focus.
func (p *page) Actions() []action.Bound {
	switch {
	case p.pick != nil:
		return []action.Bound{p.pick.Actions()[0], {ID: action.Cancel, Run: func() tea.Cmd { return view.Close(p) }}}
	case p.find != nil:
		return []action.Bound{{ID: action.Cancel, Short: "end search", Run: p.endSearch}}
	case p.req == nil:
		return []action.Bound{{ID: action.Retry, Off: p.nothingFailed(), Run: p.Load}}
	case p.panes.Focus() == paneRequest:
		return p.requestActions()
	}
	return p.answerActions()
}

// wait is why something is not done while a call is under way.
const wait = "a call is under way; esc stops it"

// underWay is wait while a call is under way.
func (p *page) underWay() string {
	if p.running() {
		return wait
	}
	return ""
}

// requestActions are those of the editor. While a call is under way, the key
// that goes back stops it.
func (p *page) requestActions() []action.Bound {
	off := p.underWay()
	leave := action.Bound{ID: action.Cancel, Short: "back", Run: p.leave}
	if off != "" {
		leave = action.Bound{ID: action.Stop, Run: p.stop}
	}
	return []action.Bound{
		{ID: action.Send, Off: off, Run: p.send},
		{ID: action.DryRun, Off: off, Run: p.dryRun},
		{ID: action.Next, Run: p.next},
		{ID: action.History, Off: p.noHistory(), Run: p.past},
		leave,
		{ID: action.Prev, Hidden: true, Run: p.prev},
	}
}

// answerActions are those of the pane of the answer.
func (p *page) answerActions() []action.Bound {
	noCall, noText, noSearch, noPretty, noRetry, off := "", "", "", "", "", p.underWay()
	switch {
	case p.shows != showRun || p.run.dry:
		noCall = "nothing was sent yet"
	default:
		noCall = off
	}
	if p.shows == showVerdict {
		noText = "there is no answer to search in"
	}
	if _, of := p.text.Match(); of == 0 {
		noSearch = "search for something first, with /"
	}
	if p.shows != showRun || p.run.indent == nil {
		noPretty = "the answer is no JSON that could be indented"
	}
	if p.shows != showRun || p.run.err == nil || !p.run.over {
		noRetry = "there is nothing to try again"
	}
	raw, send, retry := "raw", "send", p.send
	if p.raw {
		raw = "pretty"
	}
	if p.shows == showRun {
		send = "again"
		if p.run.dry {
			send, retry = "send", p.dryRun
		}
	}
	first, last := action.Bound{ID: action.Send, Short: send, Run: p.send}, action.Bound{ID: action.Back, Hidden: true, Run: p.back}
	if off != "" {
		first, last = action.Bound{ID: action.Stop, Run: p.stop}, action.Bound{ID: action.Send, Off: off}
	}
	return []action.Bound{
		first,
		{ID: action.Retry, Off: noRetry, Run: retry},
		{ID: action.Search, Off: noText, Run: p.beginSearch},
		{ID: action.SearchNext, Off: noSearch, Run: func() tea.Cmd { p.text.Next(); return nil }},
		{ID: action.SearchPrev, Off: noSearch, Hidden: true, Run: func() tea.Cmd { p.text.Prev(); return nil }},
		{ID: action.Raw, Off: noPretty, Short: raw, Run: p.toggleRaw},
		{ID: action.ToAudit, Off: noCall, Run: p.toAudit},
		{ID: action.NextPane, Short: "request", Run: p.toRequest},
		{ID: action.DryRun, Off: off, Run: p.dryRun},
		{ID: action.History, Off: p.noHistory(), Run: p.past},
		{ID: action.Zoom, Hidden: true, Run: func() tea.Cmd { p.panes.Zoom(); return nil }},
		{ID: action.PrevPane, Hidden: true, Run: p.toRequest},
		last,
	}
}

func (p *page) noHistory() string {
	if len(p.history.runs) == 0 {
		return "no call was made yet"
	}
	return p.underWay()
}

func (p *page) nothingFailed() string {
	if p.failed == nil {
		return "it is being read"
	}
	return ""
}

// focus gives a pane the focus; the screen, if another one had all of it, is
// shared again.
func (p *page) focus(pane int) {
	if p.panes.Zoomed() && p.panes.Focus() != pane {
		p.panes.Zoom()
	}
	p.panes.SetFocus(pane)
}

// next goes to the next field, and after the last one to the answer.
func (p *page) next() tea.Cmd {
	if !p.last() {
		return p.req.Next()
	}
	p.req.escape()
	p.focus(paneAnswer)
	return nil
}

// prev goes to the field before, and before the first one to the answer.
func (p *page) prev() tea.Cmd {
	if p.req.Focused() != form.Field(p.req.method) {
		return p.req.Prev()
	}
	p.focus(paneAnswer)
	return nil
}

func (p *page) last() bool { return p.req.Focused() == form.Field(p.req.timeout) }

// toRequest goes to the fields: the first one after the answer, or the last one
// where it comes from there.
func (p *page) toRequest() tea.Cmd {
	if p.last() {
		p.req.Focus(p.req.method)
	}
	p.focus(paneRequest)
	return nil
}

// back ends a search, or a zoom, or goes from the answer to the request.
func (p *page) back() tea.Cmd {
	if _, of := p.text.Match(); of > 0 {
		return p.endSearch()
	}
	if p.panes.Zoomed() {
		p.panes.Zoom()
		return nil
	}
	p.focus(paneRequest)
	return nil
}

// Key takes what is typed, and keys that scroll.
func (p *page) Key(k tea.KeyMsg) tea.Cmd {
	switch {
	case p.pick != nil:
		return p.pick.Key(k)
	case p.find != nil:
		return p.searchKey(k)
	case p.req == nil:
	case p.panes.Focus() == paneRequest:
		return p.req.Key(k)
	case p.shows == showVerdict:
		p.before.KeyMsg(k)
	default:
		p.text.KeyMsg(k)
	}
	return nil
}

// beginSearch begins to type what is searched for.
func (p *page) beginSearch() tea.Cmd {
	p.find = form.NewText(p.host.Theme, "Search", "")
	p.text.Search("")
	return nil
}

func (p *page) searchKey(k tea.KeyMsg) tea.Cmd {
	if k.String() == "enter" && !k.Paste {
		return p.keepSearch()
	}
	cmd, _ := p.find.Key(k)
	p.text.Search(p.find.Value())
	return cmd
}

// keepSearch ends typing, and keeps what was found.
func (p *page) keepSearch() tea.Cmd {
	p.find = nil
	return nil
}

// endSearch forgets the search.
func (p *page) endSearch() tea.Cmd {
	p.find = nil
	p.text.Search("")
	return nil
}

// toggleRaw shows the body as it came, or indented.
func (p *page) toggleRaw() tea.Cmd {
	p.raw = !p.raw
	p.text.Top()
	p.fill()
	return nil
}
