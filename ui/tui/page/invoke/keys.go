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
	case p.running():
		const wait = "a call is under way; esc stops it"
		stop := []action.Bound{{ID: action.Stop, Run: p.stop}, {ID: action.Send, Off: wait}, {ID: action.DryRun, Off: wait}}
		return append(stop, p.answerActions()...)
	case p.panes.Focus() == paneRequest:
		return []action.Bound{
			p.sendAction(),
			{ID: action.DryRun, Run: p.dryRun},
			{ID: action.Next, Run: p.next},
			{ID: action.History, Off: p.noHistory(), Run: p.past},
			{ID: action.Cancel, Short: "back", Run: p.leave},
			{ID: action.Prev, Hidden: true, Run: p.prev},
		}
	}
	return append([]action.Bound{p.sendAction(), {ID: action.DryRun, Run: p.dryRun}}, p.answerActions()...)
}

// sendAction sends the request, again where it was sent.
func (p *page) sendAction() action.Bound {
	b := action.Bound{ID: action.Send, Run: p.send}
	if p.shows == showRun {
		b.Short = "send again"
	}
	return b
}

// answerActions are those of the pane of the answer.
func (p *page) answerActions() []action.Bound {
	noCall, noText, noSearch, noPretty, noRetry := "", "", "", "", ""
	switch {
	case p.shows != showRun || p.run.dry:
		noCall = "nothing was sent yet"
	case p.running():
		noCall = "the call is under way; esc stops it"
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
	raw := "as it came"
	if p.raw {
		raw = "indented"
	}
	back := []action.Bound{{ID: action.Back, Hidden: true, Run: p.back}}
	if p.running() {
		back = nil // the key stops the call
	}
	return append([]action.Bound{
		{ID: action.Retry, Off: noRetry, Run: p.send},
		{ID: action.Search, Off: noText, Run: p.beginSearch},
		{ID: action.SearchNext, Off: noSearch, Run: func() tea.Cmd { p.text.Next(); return nil }},
		{ID: action.SearchPrev, Off: noSearch, Hidden: true, Run: func() tea.Cmd { p.text.Prev(); return nil }},
		{ID: action.Raw, Off: noPretty, Short: raw, Run: p.toggleRaw},
		{ID: action.ToAudit, Off: noCall, Run: p.toAudit},
		{ID: action.NextPane, Short: "request", Run: p.toRequest},
		{ID: action.History, Off: p.noHistory(), Run: p.past},
		{ID: action.Zoom, Hidden: true, Run: func() tea.Cmd { p.panes.Zoom(); return nil }},
		{ID: action.PrevPane, Hidden: true, Run: p.toRequest},
	}, back...)
}

func (p *page) noHistory() string {
	switch {
	case len(p.history.runs) == 0:
		return "no call was made yet"
	case p.running():
		return "a call is under way"
	}
	return ""
}

func (p *page) nothingFailed() string {
	if p.failed == nil {
		return "it is being read"
	}
	return ""
}

// next goes to the next field, and after the last one to the answer.
func (p *page) next() tea.Cmd {
	if !p.last() {
		return p.req.Next()
	}
	p.req.escape()
	p.panes.SetFocus(paneAnswer)
	return nil
}

// prev goes to the field before, and before the first one to the answer.
func (p *page) prev() tea.Cmd {
	if p.req.Focused() != form.Field(p.req.method) {
		return p.req.Prev()
	}
	p.panes.SetFocus(paneAnswer)
	return nil
}

func (p *page) last() bool { return p.req.Focused() == form.Field(p.req.timeout) }

// toRequest goes to the fields: the first one after the answer, or the last one
// where it comes from there.
func (p *page) toRequest() tea.Cmd {
	if p.last() {
		p.req.Focus(p.req.method)
	}
	p.panes.SetFocus(paneRequest)
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
	p.panes.SetFocus(paneRequest)
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
