package audit

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/auditrow"
	"aivault/ui/tui/form"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// Terms are a query as somebody typed it.
type terms struct {
	kind, capability, secret, actor, outcome, workspace, group, since string
}

// termsOf returns the terms of a query.
func termsOf(q vault.AuditQuery) terms {
	t := terms{
		kind: strings.TrimSuffix(q.Kind, "."), capability: q.Capability, actor: q.Actor, outcome: q.Outcome,
		workspace: q.Workspace, group: q.Group,
	}
	if q.Secret != (vault.ID{}) {
		t.secret = q.Secret.String()[:8]
	}
	if !q.Since.IsZero() {
		t.since = q.Since.Local().Format(time.RFC3339)
	}
	return t
}

// words say which events are shown: "only kind secret · outcome denied".
func (t terms) words() string {
	var parts []string
	for _, p := range [][2]string{
		{"kind", t.kind},
		{"capability", t.capability},
		{"secret", t.secret},
		{"actor", t.actor},
		{"outcome", t.outcome},
		{"workspace", t.workspace},
		{"group", t.group},
		{"since", t.since},
	} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "only " + strings.Join(parts, " · ")
}

// query returns the query of terms; found is the secret that they name.
func (t terms) query(found vault.ID, now time.Time) vault.AuditQuery {
	q := vault.AuditQuery{
		Kind: t.kind, Capability: t.capability, Secret: found, Actor: t.actor, Outcome: t.outcome,
		Workspace: t.workspace, Group: t.group,
	}
	if t.kind != "" && !strings.Contains(t.kind, ".") {
		q.Kind += "." // every kind has a dot, so this is a family
	}
	if t.since != "" {
		q.Since, _ = auditrow.Since(t.since, now)
	}
	return q
}

// A chooser is the form of which events are shown.
type chooser struct {
	*form.Form
	page  *page
	tasks *task.Group

	kind, capability, secret, actor, outcome, workspace, group, since *form.Text
}

// edit opens the form.
func (p *page) edit() tea.Cmd {
	th, t := p.host.Theme, p.typed
	c := &chooser{page: p, tasks: p.host.Tasks.Group()}
	field := func(label, value, help string, of func(*row) string) *form.Text {
		f := form.NewText(th, label, value)
		f.Help = help
		f.Suggest = func(typed string) []string { return matching(typed, p.seen(of)) }
		return f
	}
	c.kind = field("Kind", t.kind, "such as secret.create, or a family such as secret", nil)
	c.kind.Suggest = func(typed string) []string { return matching(typed, kinds()) }
	c.outcome = field("Outcome", t.outcome, "ok, denied, error or unknown, or a code such as rate_limited", nil)
	c.outcome.Suggest = func(typed string) []string { return matching(typed, outcomes()) }
	c.outcome.Validate = func(s string) error {
		if s = strings.TrimSpace(s); s == "" || auditrow.IsOutcome(s) {
			return nil
		}
		return fault.New(fault.Usage, "%q is no outcome", text.Line(s)).WithHint("ok, denied, error, unknown, or a code such as rate_limited")
	}
	c.since = field("Since", t.since, "an age as 90m, 2h or 7d, a day as 2026-01-31, or a time", nil)
	c.since.Suggest = nil
	c.since.Validate = func(s string) error {
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		if _, ok := auditrow.Since(s, p.host.Now()); !ok {
			return fault.New(fault.Usage, "%q is no time", text.Line(s)).WithHint("write 90m, 2h, 7d, 2026-01-31, or 2026-01-31T12:00:00Z")
		}
		return nil
	}
	c.capability = field("Capability", t.capability, "such as openai/chat-completions", func(r *row) string { return r.Capability })
	c.secret = field("Secret", t.secret, "its name, or the first digits of its id", nil)
	c.secret.Suggest = nil
	c.actor = field("Actor", t.actor, "who did it, such as operator", func(r *row) string { return r.Actor })
	c.workspace = field("Workspace", t.workspace, "of the caller, or of what was changed", func(r *row) string { return r.Workspace })
	c.group = field("Group", t.group, "a group of the workspace", func(r *row) string { return r.Group })
	c.Form = form.New(p.host, "Which events", c.kind, c.outcome, c.since, c.capability, c.secret, c.workspace, c.group, c.actor)
	c.Intro = "All that are filled in must fit."
	c.Owner, c.Verb, c.Submit = c, "show", c.submit
	return view.Dialog(c)
}

// Close ends what is under way.
func (c *chooser) Close() {
	c.tasks.Close()
	c.Form.Close()
}

func (c *chooser) submit() tea.Cmd {
	value := func(f *form.Text) string { return strings.TrimSpace(f.Value()) }
	t := terms{
		kind: value(c.kind), capability: value(c.capability), secret: value(c.secret), actor: value(c.actor),
		outcome: value(c.outcome), workspace: value(c.workspace), group: value(c.group), since: value(c.since),
	}
	be, now := c.page.host.Backend, c.page.host.Now()
	if t.group != "" && t.workspace == "" {
		c.Failed(fault.New(fault.Usage, "a group goes with its workspace"), c.workspace)
		return nil
	}
	return task.Go(c.tasks, "secret", func(ctx context.Context) (vault.ID, error) {
		return findSecret(ctx, be, t.secret)
	}, func(id vault.ID, err error) tea.Cmd {
		if err != nil {
			c.Failed(err, c.secret)
			return nil
		}
		c.Done()
		return tea.Batch(view.Close(c), c.page.choose(t, t.query(id, now)))
	})
}

// findSecret returns the secret that somebody named; it may be gone if it is
// named by its whole id.
func findSecret(ctx context.Context, be app.Backend, s string) (vault.ID, error) {
	if s == "" {
		return vault.ID{}, nil
	}
	if id, err := vault.ParseSecretRef(s); err == nil {
		return id, nil
	}
	found, err := be.FindSecret(ctx, s)
	if err == nil {
		return found.ID, nil
	}
	all, listErr := be.Secrets(ctx, nil)
	if listErr != nil {
		return vault.ID{}, listErr
	}
	all = slices.DeleteFunc(all, func(o vault.Secret) bool { return o.Name != s && !slices.Contains(o.Aliases, s) })
	switch len(all) {
	case 0:
		return vault.ID{}, fault.New(fault.SecretNotFound, "there is no secret %q", text.Line(s)).WithHint("one that is gone is found by its whole id")
	case 1:
		return all[0].ID, nil
	}
	return vault.ID{}, fault.New(fault.InvalidRequest, "%s have this name", text.Plural(len(all), "secret")).
		WithHint("give the first digits of an id: %s or %s", all[0].ID.String()[:8], all[1].ID.String()[:8])
}

// seen returns what the rows that are held have in a field.
func (p *page) seen(of func(*row) string) []string {
	set := map[string]bool{}
	var out []string
	for i := range p.rows {
		if v := of(&p.rows[i]); v != "" && !set[v] {
			set[v] = true
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// matching returns the texts that have what was typed in them.
func matching(typed string, all []string) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	var out []string
	for _, s := range all {
		if strings.Contains(strings.ToLower(s), typed) {
			out = append(out, s)
		}
	}
	return out
}

// kinds are the families of events, and their kinds.
func kinds() []string {
	return []string{
		"invoke", "secret", "credential", "capability", "oauth", "grant", "provider", "vault", vault.KindInvokeDenied,
		vault.KindSecretCreate, vault.KindSecretUpdate, vault.KindSecretRotate, vault.KindSecretDelete, vault.KindSecretAttach,
		vault.KindSecretDetach, vault.KindSecretHosts, vault.KindCredentialCreate, vault.KindCredentialDelete,
		vault.KindCredentialDisable, vault.KindCredentialEnable, vault.KindCapabilityCreate, vault.KindCapabilityDelete,
		vault.KindCapabilityBind, vault.KindCapabilityUnbind, vault.KindCapabilityPolicy, vault.KindOAuthRefresh, vault.KindGrantAdd, vault.KindGrantRemove,
		vault.KindProviderAdd, vault.KindProviderRemove, vault.KindVaultInit,
		vault.KindVaultBackup, vault.KindVaultRestore, vault.KindVaultAccept, vault.KindVaultSalvage, vault.KindVaultRotate,
		vault.KindVaultUnlock, vault.KindVaultLock,
	}
}

// outcomes are what an event can have come to.
func outcomes() []string {
	out := []string{vault.OutcomeOK, vault.OutcomeDenied, vault.OutcomeError, vault.OutcomeUnknown}
	for _, c := range fault.Codes() {
		out = append(out, string(c))
	}
	return out
}
