package bind

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
)

// A taking is which bindings can be taken back.
type taking struct {
	host   *view.Host
	tasks  *task.Group
	picker *widget.Picker

	capability string
	bindings   []bound
}

// A bound is one of the operator's bindings, with its secret.
type bound struct {
	broker.Binding
	secret string
	pinned bool
}

// key tells one binding from the others.
func (b *bound) key() string { return b.Capability + " " + b.Scope.String() + " " + b.Consumer }

// where says where it counts.
func (b *bound) where() string {
	s := ops.Place(b.Scope)
	if b.Consumer != "" {
		s += ", consumer " + b.Consumer
	}
	return s
}

// NewUnbind returns the dialog that takes one of the operator's bindings of a
// capability back, or of any if it is empty. Before that it says what changes.
func NewUnbind(host *view.Host, capability string) view.Screen {
	t := &taking{host: host, tasks: host.Tasks.Group(), capability: capability}
	title := "Take which binding back?"
	none := "there is no binding to take back"
	if capability != "" {
		title = "Take which binding of " + capability + " back?"
		none = "there is no binding of " + capability + " to take back"
	}
	t.picker = widget.NewPicker(host.Theme, title, nil, t.pick)
	t.picker.Fill, t.picker.None = t.fill, none
	return t.picker
}

func (t *taking) fill() tea.Cmd {
	be := t.host.Backend
	return task.Go(t.tasks, "load", func(ctx context.Context) ([]bound, error) {
		all, err := be.Bindings(ctx, t.capability)
		var out []bound
		for _, b := range all {
			if !b.Auto {
				name, pinned := secretName(ctx, be, b.Secret)
				out = append(out, bound{b, name, pinned})
			}
		}
		return out, err
	}, func(list []bound, err error) tea.Cmd {
		if err != nil {
			return view.Fail("listing the bindings", err, t.fill)
		}
		t.bindings = list
		choices := make([]widget.Choice, len(list))
		for i, b := range list {
			choices[i] = widget.Choice{Key: b.key(), Title: b.secret, Note: b.where()}
			if t.capability == "" {
				choices[i].Hint = b.Capability
			}
		}
		t.picker.SetChoices(choices)
		return nil
	})
}

// pick asks before it takes a binding back.
func (t *taking) pick(key string) tea.Cmd {
	i := slices.IndexFunc(t.bindings, func(b bound) bool { return b.key() == key })
	if i < 0 {
		return nil
	}
	b, be := t.bindings[i], t.host.Backend
	ref := broker.BindingRef{Capability: b.Capability, Scope: b.Scope, Consumer: b.Consumer}
	return task.Go(t.tasks, "effects", func(ctx context.Context) ([]broker.Effect, error) {
		return be.Effects(ctx, broker.Change{Unbind: &ref})
	}, func(effects []broker.Effect, err error) tea.Cmd {
		if err != nil {
			return view.Fail("looking what changes", err, func() tea.Cmd { return t.pick(key) })
		}
		q := form.Question{
			Title: "Unbind", Yes: "Unbind",
			Ask: "Take the binding of " + b.secret + " to " + b.Capability + " back? It counts in: " + b.where() + ".",
			Do:  func() tea.Cmd { return t.unbind(ref) },
		}
		for _, e := range effects {
			q.Consequences = append(q.Consequences, ops.EffectText(e))
			q.Danger = q.Danger || ops.Stops(e)
		}
		if len(effects) == 0 {
			q.Consequences = []string{ops.NoEffects}
		}
		back := "z binds it again"
		if !b.pinned {
			back += ", unless the vault asks for the value of the secret then"
		}
		q.Consequences = append(q.Consequences, back)
		return view.Dialog(form.NewConfirm(t.host, q))
	})
}

func (t *taking) unbind(ref broker.BindingRef) tea.Cmd {
	be, what := t.host.Backend, "unbinding from "+ref.Capability
	return task.Write(t.tasks, what, func(ctx context.Context) (ops.Done, error) {
		return ops.Unbind(ctx, be, ref)
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			return view.Fail(what, err, func() tea.Cmd { return t.unbind(ref) })
		}
		return view.Finish(d)
	})
}
