package bind

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// rest is how long nobody types before it is looked up what binding would do.
const rest = 120 * time.Millisecond

// An outlook is what a binding would do.
type outlook struct {
	shown    bool // there is something to say
	replaces string
	effects  []broker.Effect
	err      error // why it cannot be
}

func (p *Page) changed() tea.Cmd { return p.look(rest) }

// look finds out what the binding would do, after a while.
func (p *Page) look(after time.Duration) tea.Cmd {
	p.tasks.Cancel("effects")
	n, ok := p.filled()
	if !ok {
		p.tasks.Cancel("rest")
		p.outlook = outlook{}
		return nil
	}
	be := p.host.Backend
	return task.After(p.tasks, "rest", after, func() tea.Cmd {
		return task.Go(p.tasks, "effects", func(ctx context.Context) (outlook, error) {
			return foresee(ctx, be, n), nil
		}, func(o outlook, _ error) tea.Cmd {
			p.outlook = o
			return nil
		})
	})
}

// foresee tells what a binding would do. An error is part of that.
func foresee(ctx context.Context, be app.Backend, n broker.NewBinding) outlook {
	o := outlook{shown: true}
	if o.effects, o.err = be.Effects(ctx, broker.Change{Bind: &n}); o.err != nil {
		return o
	}
	there, err := be.Bindings(ctx, n.Capability)
	if err != nil {
		o.err = err
		return o
	}
	for _, b := range there {
		if b.Auto || b.Scope != n.Scope || b.Consumer != n.Consumer {
			continue
		}
		o.replaces = "it is bound so already"
		if b.Secret != n.Secret {
			name, _ := secretName(ctx, be, b.Secret)
			o.replaces = "it takes the place of the binding of " + name
		}
	}
	return o
}

// secretName names a secret that may be gone, and reports whether it is pinned.
func secretName(ctx context.Context, be app.Backend, id vault.ID) (name string, pinned bool) {
	s, err := be.FindSecret(ctx, id.String())
	if err != nil {
		return id.String()[:8], false
	}
	return s.Name + " (" + ops.Place(s.Scope) + ")", s.PinnedProvider != ""
}

// hint is the outlook in lines of at most w cells.
func (p *Page) hint(w int) []string {
	th := p.host.Theme
	var out []string
	add := func(style lipgloss.Style, glyph, s string) {
		for i, line := range text.Wrap(s, max(w-2, 1)) {
			lead := "  "
			if i == 0 {
				lead = glyph + " "
			}
			out = append(out, style.Render(text.Cut(lead+line, w)))
		}
	}
	o := &p.outlook
	switch {
	case p.failed != "":
		add(th.Bad, th.Fail, "what there is could not be read: "+p.failed)
		return out
	case !o.shown:
		return nil
	case o.err != nil:
		s := o.err.Error()
		if hint := fault.HintOf(o.err); hint != "" {
			s += "; " + hint
		}
		add(th.Warn, th.Alert, s)
		return out
	}
	if o.replaces != "" {
		add(th.Text, th.Dot, o.replaces)
	}
	if len(o.effects) == 0 {
		add(th.Dim, th.Dot, ops.NoEffects)
	}
	for _, e := range o.effects {
		if ops.Stops(e) {
			add(th.Bad, th.Alert, ops.EffectText(e))
		} else {
			add(th.Good, th.Dot, ops.EffectText(e))
		}
	}
	return out
}
