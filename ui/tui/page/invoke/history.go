package invoke

import (
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// maxHistory is how many calls are remembered.
const maxHistory = 20

// A History remembers the last calls of a run of the program, with their
// answers, in memory only. All tests of calls share one.
type History struct{ runs []*run } // the newest first

// NewHistory returns an empty history.
func NewHistory() *History { return &History{} }

func (h *History) add(r *run) {
	h.runs = slices.Insert(h.runs, 0, r)
	h.runs = h.runs[:min(len(h.runs), maxHistory)]
}

// past lets people choose one of the last calls, to see its answer again or to
// make it once more.
func (p *page) past() tea.Cmd {
	now := p.host.Now()
	choices := make([]widget.Choice, len(p.history.runs))
	for i, r := range p.history.runs {
		choices[i] = widget.Choice{Key: strconv.Itoa(i), Title: r.title(), Hint: r.result(), Note: r.where(now)}
	}
	runs := slices.Clone(p.history.runs)
	pick := widget.NewPicker(p.host.Theme, "The last calls of this run", choices, func(key string) tea.Cmd {
		i, err := strconv.Atoi(key)
		if err != nil || i >= len(runs) {
			return nil
		}
		if p.Dirty() {
			return p.askDiscard(func() tea.Cmd { return p.recall(runs[i]) })
		}
		return p.recall(runs[i])
	})
	return view.Dialog(pick)
}

// recall shows a call of the past: the request filled in, and the answer.
func (p *page) recall(r *run) tea.Cmd {
	p.capability, p.call, p.filled = r.call.Capability, r.call, true
	p.desc, p.req, p.pick = nil, nil, nil
	p.show(r)
	p.focus(paneAnswer)
	return p.Load()
}

// title is what was asked for: "GET /v1/models".
func (r *run) title() string {
	return strings.TrimSpace(r.call.Method + " " + r.call.Path)
}

// result is what came of it, in a word or two.
func (r *run) result() string {
	switch {
	case r.answer != nil:
		s := strconv.Itoa(r.answer.Status)
		if r.err != nil {
			s += ", cut off"
		}
		return s
	case r.stopped || fault.CodeOf(r.err) == fault.Canceled:
		return "stopped"
	case !r.over:
		return "under way"
	}
	return strings.ReplaceAll(string(fault.CodeOf(r.err)), "_", " ")
}

// where is which capability was called, from where, and how long ago.
func (r *run) where(now time.Time) string {
	return r.call.Capability + ", " + contextText(r.call.Context) + ", " + text.Age(r.begun, now)
}

// contextText is a context in words: "web-shop/payments, consumer ci".
func contextText(c vault.Context) string {
	s := "global"
	switch {
	case c.Group != "":
		s = c.Workspace + "/" + c.Group
	case c.Workspace != "":
		s = c.Workspace
	}
	if c.Consumer != "" {
		s += ", consumer " + c.Consumer
	}
	return s
}
