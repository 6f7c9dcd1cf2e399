package credential

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

const (
	// pause is how long nothing is typed before it is checked what it comes to.
	pause = 120 * time.Millisecond
	// maxCACert is the size of the largest file of certificates, in bytes.
	maxCACert = 256 << 10
)

// A createForm is the form of a credential.
type createForm struct {
	*form.Form
	host  *view.Host
	tasks *task.Group
	known sources

	id, provider, secret, scope *form.Text
	auth                        *authFields
	hosts                       *form.List
	private                     *form.Check
	ca                          *form.Text
	value                       *form.Secret // shows while it is needed
	open                        vault.ID     // the secret that the form was opened for

	found   broker.Draft // what it would be
	problem error        // why it cannot be made as it is
	checked bool         // one of them is known
	proof   bool         // the value is needed, as far as is known
}

// NewForm returns the form of a credential, of a secret if one is given.
func NewForm(host *view.Host, open view.OpenCredential) view.Screen {
	th := host.Theme
	f := &createForm{
		host: host, tasks: host.Tasks.Group(), open: open.Secret,
		id:       form.NewText(th, "Id", ""),
		provider: form.NewText(th, "Provider", ""),
		secret:   form.NewText(th, "Secret", ""),
		scope:    form.NewText(th, "Scope", ops.Place(host.Context.Scope())),
		auth:     newAuthFields(th),
		hosts:    form.NewList(th, "Hosts"),
		private:  form.NewCheck(th, "Private", "the hosts may be private ones, or this machine", false),
		ca:       form.NewText(th, "CA file", ""),
		value:    form.NewSecret(th, "Value again"),
	}
	f.describe()
	for _, t := range []*form.Text{f.id, f.provider, f.scope, &f.hosts.Text, f.ca} {
		t.OnChange = f.changed
	}
	f.secret.OnChange = f.chosen
	f.private.OnChange = f.changed
	f.auth.onChange(f.changed)
	f.Form = form.New(host, "New credential", f.fields()...)
	f.Owner, f.Verb, f.Submit, f.Hint = f, "make it", f.submit, f.hint
	return f
}

// describe says what is to be typed where.
func (f *createForm) describe() {
	f.id.Help = "a name of your own, such as acme-main; that of a disabled one brings it back"
	f.id.Validate = func(s string) error {
		return needed(strings.TrimSpace(s) != "", "a name of your own, such as acme-main")
	}
	f.provider.Help = "the service: one of the registry's, or one of your own"
	f.provider.Suggest = func(s string) []string { return form.Offer(s, f.known.providers) }
	f.secret.Help = "one that is stored: by its name, or the first digits of its id"
	f.secret.Suggest = func(s string) []string { return form.Offer(s, f.known.secrets.labels) }
	f.provider.Validate = func(s string) error {
		return needed(strings.TrimSpace(s) != "" || f.mayBeMade(), "the service, such as openai or acme")
	}
	f.secret.Validate = func(s string) error {
		return needed(strings.TrimSpace(s) != "" || f.mayBeMade(), "the secret that it is made of")
	}
	f.scope.Help = "who may use it: global, a workspace, or workspace/group"
	f.scope.Validate = func(s string) error { _, err := ops.ParsePlace(s); return err }
	f.scope.Suggest = func(s string) []string { return form.Offer(s, f.known.places) }
	f.hosts.Help = "where its secret may be sent; with a port if it is not 443"
	f.hosts.Placeholder = "those of the registry for the provider"
	f.ca.Help = "a PEM file of the authority that signs for these hosts; no other is trusted"
	f.ca.Placeholder = "/path/to/ca.pem"
	f.ca.Validate = func(s string) error {
		return needed(!f.private.On || strings.TrimSpace(s) != "", "private hosts need the certificate of their authority")
	}
	f.value.Help = "its secret was not meant for these hosts so far: its value shows that it may be sent there"
	f.value.Optional = true // the vault says whether it is needed
}

// mayBeMade reports whether the id is one that the registry gives, which is all
// that it takes to bring one back.
func (f *createForm) mayBeMade() bool {
	id := strings.TrimSpace(f.id.Value())
	return strings.Contains(id, ":") || slices.Contains(f.known.providers, id)
}

// fields are those that matter for what is chosen.
func (f *createForm) fields() []form.Field {
	out := []form.Field{f.id, f.provider, f.secret, f.scope, f.auth.kind}
	out = append(out, f.auth.fields()...)
	out = append(out, f.hosts, f.private)
	if f.private.On {
		out = append(out, f.ca)
	}
	if f.proof {
		out = append(out, f.value)
	}
	return out
}

// Close ends what is under way, and wipes the value, also where it does not
// show.
func (f *createForm) Close() {
	f.tasks.Close()
	f.value.Wipe()
	f.Form.Close()
}

// Load reads what can be chosen.
func (f *createForm) Load() tea.Cmd {
	be := f.host.Backend
	return task.Go(f.tasks, "known", func(ctx context.Context) (sources, error) {
		return readSources(ctx, be)
	}, func(s sources, err error) tea.Cmd {
		if err != nil {
			return view.Fail("reading what can be chosen", err, f.Load)
		}
		f.known = s
		if label, ok := s.secrets.label(f.open); ok && f.secret.Value() == "" {
			f.open = vault.ID{}
			f.secret.SetValue(label)
			return f.chosen()
		}
		return f.check()
	})
}

// chosen is after a change of the secret: what goes with it is filled in where
// nothing else was typed.
func (f *createForm) chosen() tea.Cmd {
	if s, ok := f.known.secrets.named(f.secret.Value()); ok {
		if !f.scope.Dirty() {
			f.scope.SetValue(ops.Place(s.Scope))
		}
		if strings.TrimSpace(f.provider.Value()) == "" && s.PinnedProvider != "" {
			f.provider.SetValue(s.PinnedProvider)
		}
	}
	return f.changed()
}

// changed is after each change.
func (f *createForm) changed() tea.Cmd {
	f.checked = false
	f.SetFields(f.fields()...)
	return task.After(f.tasks, "check", pause, f.check)
}

// A draft is what the fields say.
type draft struct {
	n      broker.NewCredential
	secret string // as it was typed
	caFile string
}

func (f *createForm) typed() (draft, error) {
	d := draft{secret: strings.TrimSpace(f.secret.Value())}
	d.n = broker.NewCredential{
		ID: strings.TrimSpace(f.id.Value()), Provider: strings.TrimSpace(f.provider.Value()), Hosts: f.hosts.Words(), AllowPrivate: f.private.On,
	}
	if f.private.On {
		d.caFile = strings.TrimSpace(f.ca.Value())
	}
	if s, ok := f.known.secrets.named(d.secret); ok {
		d.n.Secret, d.secret = s.ID, ""
	}
	var err error
	if d.n.Scope, err = ops.ParsePlace(f.scope.Value()); err != nil {
		return d, err
	}
	d.n.Auth, err = f.auth.auth()
	return d, err
}

// complete reads what the fields only name.
func (d *draft) complete(ctx context.Context, be app.Backend) (err error) {
	if d.secret != "" {
		s, err := be.FindSecret(ctx, d.secret)
		if fault.CodeOf(err) == fault.InvalidRequest { // it is not even the beginning of an id
			err = fault.New(fault.SecretNotFound, "no secret is known as %.80q", d.secret).WithHint("choose a suggested one")
		}
		if err != nil {
			return err
		}
		d.n.Secret = s.ID
	}
	if d.caFile != "" {
		d.n.CACert, err = app.ReadPath(ctx, d.caFile, maxCACert)
	}
	return err
}

// check finds out what it would be, once there is enough to tell.
func (f *createForm) check() tea.Cmd {
	f.tasks.Cancel("check")
	for _, field := range f.fields() {
		if field != form.Field(f.value) && field.Check() != nil {
			return nil
		}
	}
	d, err := f.typed()
	if err != nil {
		f.problem, f.checked = err, true
		return nil
	}
	be := f.host.Backend
	return task.Go(f.tasks, "check", func(ctx context.Context) (broker.Draft, error) {
		if err := d.complete(ctx, be); err != nil {
			return broker.Draft{}, err
		}
		return be.CheckCredential(ctx, d.n)
	}, func(found broker.Draft, err error) tea.Cmd {
		f.found, f.problem, f.checked = found, err, true
		f.needProof(err == nil && found.Proof)
		return nil
	})
}

// needProof shows the field of the value, or takes it away.
func (f *createForm) needProof(is bool) {
	if f.proof == is {
		return
	}
	f.proof = is
	if !is {
		f.value.Wipe()
	}
	f.SetFields(f.fields()...)
}

// hint says what was found.
func (f *createForm) hint(w int) []string {
	th := f.host.Theme
	switch {
	case !f.checked:
		return nil
	case f.problem != nil:
		return browse.Trouble(th, f.problem, w)
	}
	d := &f.found
	s := d.Auth.Kind + " at " + browse.Some(d.Hosts, 3)
	if d.Auto {
		s = "brings back what was disabled: " + s
	}
	out := browse.Said(th.Good, th.OK, s, w)
	if len(d.Carries) == 0 {
		out = append(out, browse.Said(th.Text, th.Dot, "nothing may be called with it yet: make a capability of it next, with c", w)...)
	} else {
		out = append(out, browse.Said(th.Text, th.Dot, "carries "+text.Plural(len(d.Carries), "capability")+": "+browse.Some(d.Carries, 3), w)...)
	}
	if f.proof {
		out = append(out, browse.Said(th.Warn, th.Alert, "needs the value of its secret again", w)...)
	}
	return out
}

func (f *createForm) submit() tea.Cmd {
	d, err := f.typed()
	if err != nil {
		f.Failed(browse.ForForm(err), nil)
		return nil
	}
	if f.proof && !f.value.Empty() {
		d.n.Proof = f.value.Value()
	}
	be := f.host.Backend
	return task.Write(f.tasks, "making "+d.n.ID, func(ctx context.Context) (ops.Done, error) {
		defer d.n.Proof.Clear()
		if err := d.complete(ctx, be); err != nil {
			return ops.Done{}, err
		}
		done, _, err := ops.CreateCredential(ctx, be, d.n, d.caFile)
		return done, err
	}, func(done ops.Done, err error) tea.Cmd {
		if err != nil {
			f.failed(err)
			return nil
		}
		f.value.Wipe()
		f.Done()
		return tea.Batch(view.Close(f), view.Finish(done), view.Send(view.ShowCredential{ID: d.n.ID}))
	})
}

// failed says what is wrong below the field that it is about.
func (f *createForm) failed(err error) {
	var field form.Field
	switch fault.CodeOf(err) {
	case fault.AlreadyExists:
		field = f.id
	case fault.SecretNotFound:
		field = f.secret
	case fault.OperatorAuthRequired:
		f.needProof(true)
		field = f.value
	}
	f.Failed(browse.ForForm(err), field)
}
