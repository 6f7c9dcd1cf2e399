package attach

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"aivault/broker"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
)

// rest is how long nobody changes anything before it is looked up what the
// changes do.
const rest = 120 * time.Millisecond

// look finds out what the changes do to calls, after a while.
func (p *Page) look(after time.Duration) tea.Cmd {
	p.weigh()
	changes := p.pending
	p.tasks.Cancel("effects")
	if len(changes) == 0 {
		p.tasks.Cancel("rest")
		p.preview.none()
		if p.behind && !p.list.Dirty() {
			return p.Load() // what happened meanwhile can show now
		}
		return nil
	}
	var made []string
	for _, c := range changes {
		sign, verb, to := "+", "attach ", " to "
		if c.Detach {
			sign, verb, to = "-", "detach ", " from "
		}
		made = append(made, sign+" "+verb+p.sheet.byID[c.Secret].Name+to+c.Group.String())
	}
	p.preview.wait(made)
	be := p.host.Backend
	return task.After(p.tasks, "rest", after, func() tea.Cmd {
		return task.Go(p.tasks, "effects", func(ctx context.Context) ([]broker.Effect, error) {
			return be.Effects(ctx, broker.Change{Share: changes})
		}, func(effects []broker.Effect, err error) tea.Cmd {
			p.preview.known(effects, err)
			return nil
		})
	})
}

// A preview says what changes are about to do.
type preview struct {
	host   *view.Host
	viewer *widget.Viewer

	made    []string  // the changes; none: nothing is about to change
	since   time.Time // when it began to be looked up; zero: it is known
	effects []string
	stops   []bool // of each of the effects: calls stop working
	err     error

	width int  // that the lines were made for; 0: they must be made
	stale bool // what they say of others
}

func newPreview(host *view.Host) *preview {
	return &preview{host: host, viewer: widget.NewViewer(host.Theme)}
}

// none says that nothing is about to change.
func (v *preview) none() {
	v.made, v.effects, v.stops, v.err, v.since, v.width = nil, nil, nil, nil, time.Time{}, 0
	v.viewer.Top()
}

// wait says which changes there are, while it is looked up what they do. What
// others do shows until then, unless that takes long.
func (v *preview) wait(made []string) {
	v.made, v.since, v.width = made, v.host.Now(), 0
}

func (v *preview) known(effects []broker.Effect, err error) {
	v.effects, v.stops, v.err, v.since, v.width = nil, nil, err, time.Time{}, 0
	for _, e := range effects {
		v.effects = append(v.effects, ops.EffectText(e))
		v.stops = append(v.stops, ops.Stops(e))
	}
}

// view returns the preview in h lines of w cells.
func (v *preview) view(w, h int, stale bool) []string {
	waiting := ""
	if !v.since.IsZero() {
		waiting = widget.Waiting(v.host.Theme, "looking what calls will use", v.since, v.host.Now())
	}
	if v.width != w || v.stale != stale || waiting != "" {
		v.width, v.stale = w, stale
		if waiting != "" {
			v.width = 0
		}
		v.viewer.SetStyled(v.lines(max(w-1, 1), waiting, stale))
	}
	return v.viewer.View(w, h)
}

// lines are what the preview says.
func (v *preview) lines(w int, waiting string, stale bool) []widget.Styled {
	th := v.host.Theme
	var out []widget.Styled
	add := func(style lipgloss.Style, lead, s string) { out = append(out, hang(style, lead, s, w)...) }
	if stale {
		add(th.Warn, th.Alert, "somebody else changed it since it was read; you are asked before anything is overwritten")
		out = append(out, widget.Styled{})
	}
	if len(v.made) == 0 {
		add(th.Dim, "", "nothing is changed yet")
		return out
	}
	out = append(out, widget.Styled{{Text: "Calls", Style: th.Head}})
	switch {
	case waiting != "":
		add(th.Warn, "", "looking what they will use")
	case v.err != nil:
		add(th.Bad, th.Fail, "what they will use cannot be told: "+v.err.Error())
	case len(v.effects) == 0 && v.since.IsZero():
		add(th.Dim, th.Dot, ops.NoEffects)
	default:
		for i, s := range v.effects {
			if v.stops[i] {
				add(th.Bad, th.Alert, s)
			} else {
				add(th.Good, th.Dot, s)
			}
		}
	}
	out = append(out, widget.Styled{}, widget.Styled{{Text: "To apply", Style: th.Head}})
	for _, s := range v.made {
		sign, rest, _ := strings.Cut(s, " ")
		add(th.Text, sign, rest)
	}
	return out
}

// hang is a sentence in lines of at most w cells, after a sign that stands
// alone.
func hang(style lipgloss.Style, sign, s string, w int) []widget.Styled {
	indent := ""
	if sign != "" {
		indent = "  "
	}
	var out []widget.Styled
	for i, line := range text.Wrap(s, max(w-len(indent), 1)) {
		lead := indent
		if i == 0 && sign != "" {
			lead = sign + " "
		}
		out = append(out, widget.Styled{{Text: lead, Style: style}, {Text: line, Style: style}})
	}
	return out
}
