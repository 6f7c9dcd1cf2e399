package invoke

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

// Spots are where things are in the last view.
type spots struct {
	request, verdict, answer widget.Rect // with their frames; zero: they do not show
}

// shortPane is how high a pane must be to be shared by the verdict and the
// answer, frames included.
const shortPane = 16

// margin keeps text from the frame, as viewers do.
const margin = " "

// View draws the panes.
func (p *page) View(w, h int) []string {
	if p.pick != nil {
		return widget.Box(p.host.Theme, p.pick.Title(), "", true, w, h, p.pick.View(max(w-2, 0), max(h-2, 0)))
	}
	if p.req == nil {
		return p.waiting(w, h)
	}
	rects := p.panes.Layout(w, h)
	p.spots = spots{request: rects[paneRequest]}
	var left, right []string
	if r := rects[paneRequest]; r.W > 0 {
		left = p.requestBox(r, rects[paneAnswer].W == 0)
	}
	if r := rects[paneAnswer]; r.W > 0 {
		right = p.answerBoxes(r)
	}
	return fitted(widget.Join(left, right), w, h)
}

// fitted is exactly h lines of w cells, whatever the boxes could do with a pane
// of a few cells.
func fitted(lines []string, w, h int) []string {
	out := make([]string, max(h, 0))
	for i := range out {
		if i < len(lines) {
			out[i] = widget.Clip(lines[i], w)
		} else {
			out[i] = strings.Repeat(" ", max(w, 0))
		}
	}
	return out
}

// waiting says what is being read, or that it could not be.
func (p *page) waiting(w, h int) []string {
	th := p.host.Theme
	what := "reading the capabilities"
	if p.capability != "" {
		what = "reading capability " + p.capability
	}
	var lines []string
	if p.failed != nil {
		for _, line := range text.Wrap(th.Fail+" "+what+" did not work: "+p.failed.Error(), max(w-4, 1)) {
			lines = append(lines, margin+th.Bad.Render(line))
		}
		lines = append(lines, "", margin+th.Dim.Render(text.Cut("r tries again, esc goes back", max(w-4, 0))))
	} else if since, busy := p.tasks.Busy("load"); busy {
		lines = append(lines, margin+widget.Waiting(th, what, since, p.host.Now()))
	}
	return widget.Box(th, p.Title(), "", true, w, h, lines)
}

// requestBox draws the editor; alone, with the verdict in a line below.
func (p *page) requestBox(r widget.Rect, alone bool) []string {
	th := p.host.Theme
	w, h := r.Inner()
	rows := h
	if alone && h > 2 {
		rows--
	}
	focused := p.panes.Focus() == paneRequest
	p.req.Blurred = !focused
	p.req.room(w, rows)
	lines := p.req.View(w, max(rows, 0))
	if alone && h > 2 {
		lines = append(lines, margin+p.summary(max(w-2, 0)))
	}
	note := contextText(p.verdictContext())
	return widget.Box(th, p.desc.ID, note, focused, r.W, r.H, lines)
}

// answerBoxes draws the verdict, and below it what came of the call.
func (p *page) answerBoxes(r widget.Rect) []string {
	if p.shows == showVerdict {
		p.spots.verdict = r
		return p.verdictBox(r, p.panes.Focus() == paneAnswer)
	}
	p.spots.answer = r
	var out []string
	if r.H >= shortPane && !p.panes.Zoomed() {
		top := r
		top.H = p.verdictHeight(r)
		p.spots.verdict = top
		out = p.verdictBox(top, false)
		r.Y, r.H = r.Y+top.H, r.H-top.H
		p.spots.answer = r
	}
	return append(out, p.answerBox(r)...)
}

// verdictHeight is how many lines the verdict takes of a pane that it shares with
// an answer: all that it has to say, or where that is much, the verdict itself.
func (p *page) verdictHeight(r widget.Rect) int {
	lines := len(p.details.Lines(max(r.W-4, 1)))
	switch {
	case r.H >= 24:
		return min(lines+2, r.H/3)
	case p.verdict != nil && p.verdict.err != nil:
		return min(lines+2, 6)
	}
	return 3
}

func (p *page) verdictBox(r widget.Rect, focused bool) []string {
	th := p.host.Theme
	w, h := r.Inner()
	note := ""
	if p.stale {
		note = "checking"
	}
	lines := []string{margin + p.summary(max(w-2, 0))}
	if h > 1 {
		lines = p.before.View(w, h)
	}
	return widget.Box(th, "Before it is sent", note, focused, r.W, r.H, lines)
}

// answerBox draws the answer, or the dry run, with the line of the search.
func (p *page) answerBox(r widget.Rect) []string {
	th := p.host.Theme
	w, h := r.Inner()
	title, note := "Answer", ""
	var lines []string
	switch p.shows {
	case showDry:
		title, note = "Dry run", "nothing was sent"
	case showRun:
		facts := p.facts(max(w-2, 1))
		for _, line := range facts[:min(len(facts), max(h/3, 1), max(h, 0))] {
			lines = append(lines, margin+line)
		}
		if len(lines) > 1 && h-len(lines) > 3 {
			lines = append(lines, th.Border.Render(strings.Repeat(th.Thin.H, max(w, 0))))
		}
		if p.raw && p.run.indent != nil {
			note = "as it came"
		}
	}
	if p.panes.Crumb() != "" {
		title = p.panes.Crumb()
	}
	search := p.find != nil && h-len(lines) > 1
	room := h - len(lines)
	if search {
		room--
	}
	if p.textWidth != w {
		p.textWidth = w
		p.fill() // a hex view is as wide as there is room
	}
	lines = append(lines, p.text.View(w, max(room, 0))...)
	if search {
		label := margin + "/ "
		lines = append(lines, th.Key.Render(label)+strings.Join(p.find.View(max(w-len(label), 1), true)[:1], ""))
	}
	return widget.Box(th, title, note, p.panes.Focus() == paneAnswer, r.W, r.H, lines)
}

// Mouse gives the pane that was clicked the focus, and scrolls the one under the
// wheel.
func (p *page) Mouse(m tea.MouseMsg) tea.Cmd {
	if p.pick != nil {
		m.X, m.Y = m.X-1, m.Y-1
		return p.pick.Mouse(m)
	}
	if p.req == nil {
		return nil
	}
	click := m.Button == tea.MouseButtonLeft && m.Action == tea.MouseActionPress
	inside := func(r widget.Rect) bool { return m.X >= r.X && m.X < r.X+r.W && m.Y >= r.Y && m.Y < r.Y+r.H }
	switch {
	case inside(p.spots.request):
		if click {
			p.find = nil
			p.focus(paneRequest)
		}
		m.X, m.Y = m.X-p.spots.request.X-1, m.Y-p.spots.request.Y-1
		return p.req.Mouse(m)
	case inside(p.spots.answer):
		if click {
			p.focus(paneAnswer)
		}
		p.text.Mouse(m.X, m.Y, m)
	case inside(p.spots.verdict):
		if click {
			p.focus(paneAnswer)
		}
		p.before.Mouse(m.X, m.Y, m)
	}
	return nil
}

// Say says in words where the focus is.
func (p *page) Say() string {
	switch {
	case p.pick != nil:
		return p.pick.Say()
	case p.req == nil && p.failed != nil:
		return "could not be read, r tries again"
	case p.req == nil:
		return "reading, please wait"
	case p.find != nil:
		return "search for " + p.find.Say() + ", " + p.text.Say()
	case p.panes.Focus() == paneRequest && p.running():
		return p.req.Say() + ", " + p.progress(p.run)
	case p.panes.Focus() == paneRequest:
		return p.req.Say() + ", " + p.wordText()
	case p.running():
		s := p.progress(p.run) + ", esc stops it"
		if h := p.run.news.head; h != nil {
			s = "answer " + statusWords(h) + ", " + s
		}
		return s
	case p.shows == showVerdict:
		return "before it is sent, " + p.wordText()
	case p.shows == showDry:
		return "dry run, nothing was sent, " + p.text.Say()
	}
	return p.runWords() + ", " + p.text.Say()
}

func (p *page) wordText() string {
	_, words := p.word()
	return text.Line(words)
}

// runWords say what came of a call.
func (p *page) runWords() string {
	r := p.run
	switch {
	case r.answer != nil:
		return "answer " + statusWords(r.answer)
	case r.stopped:
		return stopWords(r)
	}
	return failure(r.err) + ": " + r.err.Error()
}
