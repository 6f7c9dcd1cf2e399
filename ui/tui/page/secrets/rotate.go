package secrets

import (
	"context"
	"strconv"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A rotate is the form of a new value for a secret.
type rotate struct {
	*form.Form
	host  *view.Host
	tasks *task.Group

	secret vault.Secret
	uses   broker.Uses
	known  bool
	value  *form.Secret
}

// rotate opens the form of a new value for the secret under the cursor.
func (p *page) rotate() tea.Cmd {
	r := &rotate{
		host: p.host, tasks: p.host.Tasks.Group(), secret: *p.current().Secret,
		value: form.NewSecret(p.host.Theme, "New value"),
	}
	r.Form = form.New(p.host, "Rotate "+r.secret.Name, r.value)
	r.Intro = "The value that is there now is lost: rotating cannot be undone."
	r.Owner, r.Verb, r.Submit, r.Hint = r, "rotate", r.submit, r.hint
	return view.Dialog(r)
}

// Load reads who uses the secret.
func (r *rotate) Load() tea.Cmd {
	be, id := r.host.Backend, r.secret.ID
	return task.Go(r.tasks, "uses", func(ctx context.Context) (broker.Uses, error) {
		return be.Uses(ctx, id)
	}, func(u broker.Uses, err error) tea.Cmd {
		r.uses, r.known = u, err == nil
		return nil
	})
}

// Close ends what is under way, and wipes the value.
func (r *rotate) Close() {
	r.tasks.Close()
	r.Form.Close()
}

// hint says whom the new value is for.
func (r *rotate) hint(w int) []string {
	th := r.host.Theme
	s := &r.secret
	out := browse.Said(th.Text, th.Dot, s.Name+" of "+scopeWords(s.Scope)+", version "+strconv.FormatUint(s.Version, 10)+
		", rotated "+ago(s.RotatedAt, r.host.Now()), w)
	if !r.known {
		return out
	}
	for _, line := range dependants(r.uses, len(s.Attached)) {
		out = append(out, browse.Said(th.Warn, th.Alert, line, w)...)
	}
	return out
}

// dependants says who uses a secret, one sentence each.
func dependants(u broker.Uses, groups int) []string {
	var out []string
	for _, c := range u.Credentials {
		out = append(out, "credential "+c.ID+" uses it")
	}
	if n := len(u.Bindings); n > 0 {
		out = append(out, text.Plural(n, "binding")+" of capabilities to it")
	}
	if n := len(u.Capabilities); n > 0 {
		out = append(out, text.Plural(n, "capability")+" can be called with it")
	}
	if groups > 0 {
		out = append(out, "attached to "+text.Plural(groups, "group"))
	}
	if out == nil {
		out = []string{"no credential or binding uses it yet"}
	}
	return out
}

func (r *rotate) submit() tea.Cmd {
	be, id, rev, v := r.host.Backend, r.secret.ID, vault.IfRevision(r.secret.Revision), r.value.Value()
	return task.Write(r.tasks, "rotating "+r.secret.Name, func(ctx context.Context) (changed, error) {
		defer v.Clear()
		d, s, err := ops.RotateSecret(ctx, be, id, v, rev)
		return changed{d, s}, err
	}, func(out changed, err error) tea.Cmd {
		if err != nil {
			return r.conflict().failed(err)
		}
		r.Done()
		out.done.Text += "; t tests it"
		return tea.Batch(view.Close(r), view.Finish(out.done))
	})
}

func (r *rotate) conflict() meeting {
	return meeting{
		host: r.host, tasks: r.tasks, form: r.Form, was: r.secret,
		reload: func(now vault.Secret) { r.secret = now },
		overwrite: func(now vault.Secret) tea.Cmd {
			r.secret = now
			return r.Save()
		},
	}
}
