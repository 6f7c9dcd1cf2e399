package secrets

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A create is the form of a new secret.
type create struct {
	*form.Form
	page  *page
	tasks *task.Group
	claim claim

	name    *form.Text
	value   *form.Secret
	scope   *form.Text
	aliases *form.List
	only    *form.Check
}

// create opens the form of a new secret, for the node.
func (p *page) create() tea.Cmd {
	scope := p.node.scope
	if p.node.all {
		scope = vault.GlobalScope()
		if r := p.current(); r != nil && !p.stale() {
			scope = r.Scope
		}
	}
	return view.Dialog(newCreate(p, scope))
}

func newCreate(p *page, scope vault.Scope) *create {
	th := p.host.Theme
	c := &create{
		page: p, tasks: p.host.Tasks.Group(),
		name:    form.NewText(th, "Name", ""),
		value:   form.NewSecret(th, "Value"),
		scope:   form.NewText(th, "Scope", scopePath(scope)),
		aliases: form.NewList(th, "Aliases"),
		only:    form.NewCheck(th, "Use", "only by groups that it is attached to", false),
	}
	c.claim = claim{host: p.host, tasks: c.tasks, value: c.value.Value}
	c.name.Help = "one that a provider claims, such as STRIPE_API_KEY, pins the secret to it"
	c.name.Validate = checkName
	c.name.OnChange = c.look
	c.scope.Help = "global, a workspace, or workspace/group; new ones can be typed"
	c.scope.Validate = func(s string) error { _, err := ops.ParsePlace(s); return err }
	c.scope.Suggest = p.suggest
	c.scope.OnChange = func() tea.Cmd {
		c.SetFields(c.fields()...)
		return c.look()
	}
	c.aliases.Help = "further names, with spaces between them"
	c.aliases.Each = checkName
	c.Form = form.New(p.host, "New secret", c.fields()...)
	c.Owner, c.Verb, c.Submit, c.Hint = c, "store", c.submit, c.claim.lines
	return c
}

// fields are those that apply: only a secret of the global scope can be kept
// from all but the groups that it is attached to.
func (c *create) fields() []form.Field {
	list := []form.Field{c.name, c.value, c.scope, c.aliases}
	if s, err := ops.ParsePlace(c.scope.Value()); err == nil && s.Level == vault.Global {
		list = append(list, c.only)
	}
	return list
}

// Close ends what is under way, and wipes the value.
func (c *create) Close() {
	c.tasks.Close()
	c.Form.Close()
}

// look finds out what the name comes to, as it is typed.
func (c *create) look() tea.Cmd {
	scope, err := ops.ParsePlace(c.scope.Value())
	if err != nil {
		c.claim.none()
		return nil
	}
	return c.claim.look(c.name.Value(), scope)
}

func (c *create) submit() tea.Cmd {
	scope, err := ops.ParsePlace(c.scope.Value())
	if err != nil {
		c.Failed(err, c.scope)
		return nil
	}
	n := vault.NewSecret{
		Name: c.name.Value(), Aliases: c.aliases.Words(), Scope: scope,
		AttachedOnly: c.only.On && scope.Level == vault.Global, Value: c.value.Value(),
	}
	be := c.page.host.Backend
	return task.Write(c.tasks, "storing "+n.Name, func(ctx context.Context) (changed, error) {
		defer n.Value.Clear()
		d, s, err := ops.CreateSecret(ctx, be, n)
		return changed{d, s}, err
	}, func(out changed, err error) tea.Cmd {
		if err != nil {
			c.failed(err)
			return nil
		}
		c.Done()
		return tea.Batch(view.Close(c), view.Finish(out.done), c.page.goTo(out.secret))
	})
}

// failed says what is wrong below the field that it is about.
func (c *create) failed(err error) {
	if fault.CodeOf(err) == fault.AlreadyExists {
		c.Failed(err, c.name)
		return
	}
	c.Failed(err, nil)
}

// changed is what came of a change of one secret.
type changed struct {
	done   ops.Done
	secret vault.Secret
}

func checkName(s string) error {
	_, err := vault.ParseName(s)
	return err
}

// suggested is how many scopes are suggested at most.
const suggested = 50

// suggest returns the scopes that could be meant, those that begin with what
// was typed first.
func (p *page) suggest(typed string) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	var begin, within []string
	for _, s := range p.scopes {
		switch path := scopePath(s.Scope); {
		case strings.HasPrefix(strings.ToLower(path), typed):
			begin = append(begin, path)
		case strings.Contains(strings.ToLower(path), typed):
			within = append(within, path)
		}
	}
	out := slices.Concat(begin, within)
	return out[:min(len(out), suggested)]
}
