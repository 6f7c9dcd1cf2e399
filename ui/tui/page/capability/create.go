package capability

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
)

// pause is how long nothing is typed before it is checked what it comes to.
const pause = 120 * time.Millisecond

// A createForm is the form of a custom capability.
type createForm struct {
	*form.Form
	host  *view.Host
	tasks *task.Group

	id, credential, provider, hostname *form.Text
	methods, paths, headers            *form.List

	accounts []broker.Account
	found    broker.Capability // what it would be
	problem  error             // why it cannot be made as it is
	checked  bool              // one of them is known
}

// NewForm returns the form of a custom capability, of a credential if one is
// given.
func NewForm(host *view.Host, open view.OpenCapability) view.Screen {
	th := host.Theme
	f := &createForm{
		host: host, tasks: host.Tasks.Group(),
		id:         form.NewText(th, "Id", ""),
		credential: form.NewText(th, "Credential", open.Credential),
		provider:   form.NewText(th, "Provider", ""),
		hostname:   form.NewText(th, "Host", ""),
		methods:    form.NewList(th, "Methods", "GET"),
		paths:      form.NewList(th, "Paths"),
		headers:    form.NewList(th, "Headers"),
	}
	f.id.Help = "provider/name, such as acme/items: what code calls it by"
	f.id.Validate = checkID
	f.credential.Help = "one whose provider and host are taken; or leave it out, and name the host"
	f.credential.Placeholder = "none"
	f.credential.Suggest = func(s string) []string { return form.Offer(s, f.credentials()) }
	f.provider.Placeholder = "the first part of the id"
	f.hostname.Help = "the one host that calls go to, with a port if it is not 443"
	f.hostname.Suggest = func(s string) []string { return form.Offer(s, f.hosts()) }
	f.methods.Help = "such as GET POST"
	f.methods.Suggest = func(s string) []string {
		return form.Offer(s, []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
	}
	f.methods.Each = func(s string) error { _, err := policy.ParseMethod(s); return browse.ForForm(err) }
	f.methods.Validate = func(string) error { return atLeastOne(f.methods, "one method at least, such as GET") }
	f.paths.Help = "prefixes of whole segments: /v1/items allows /v1/items/7, not /v1/items-old"
	f.paths.Each = func(s string) error { _, err := policy.ParsePrefix(s); return browse.ForForm(err) }
	f.paths.Validate = func(string) error { return atLeastOne(f.paths, "one path at least, such as /v1/items") }
	f.headers.Help = "request headers that may pass; none: all that are harmless"
	f.headers.Placeholder = "all that are harmless"
	f.headers.Each = func(s string) error { _, err := policy.ParseHeaderName(s); return browse.ForForm(err) }
	for _, t := range []*form.Text{f.id, f.credential, f.provider, f.hostname, &f.methods.Text, &f.paths.Text, &f.headers.Text} {
		t.OnChange = f.changed
	}
	f.Form = form.New(host, "New capability", f.fields()...)
	f.Owner, f.Verb, f.Submit, f.Hint = f, "make it", f.submit, f.hint
	return f
}

// fields are those that matter: a credential says what the provider is.
func (f *createForm) fields() []form.Field {
	if strings.TrimSpace(f.credential.Value()) != "" {
		return []form.Field{f.id, f.credential, f.hostname, f.methods, f.paths, f.headers}
	}
	return []form.Field{f.id, f.credential, f.provider, f.hostname, f.methods, f.paths, f.headers}
}

// Load reads the credentials that there are.
func (f *createForm) Load() tea.Cmd {
	return task.Go(f.tasks, "known", f.host.Backend.Accounts, func(list []broker.Account, err error) tea.Cmd {
		if err != nil {
			return view.Fail("reading the credentials", err, f.Load)
		}
		f.accounts = list
		if a := f.account(); a != nil && f.id.Value() == "" {
			f.id.SetValue(a.Provider + "/")
		}
		f.placeholders()
		return f.check()
	})
}

// Close ends what is under way.
func (f *createForm) Close() {
	f.tasks.Close()
	f.Form.Close()
}

// account is the credential that is named; nil if there is none.
func (f *createForm) account() *broker.Account {
	id := strings.TrimSpace(f.credential.Value())
	for i := range f.accounts {
		if a := &f.accounts[i]; a.ID == id && a.Works() {
			return a
		}
	}
	return nil
}

func (f *createForm) credentials() []string {
	var out []string
	for _, a := range f.accounts {
		if a.Works() {
			out = append(out, a.ID)
		}
	}
	return out
}

// hosts are those of the credential, or of all.
func (f *createForm) hosts() []string {
	var out []string
	one := f.account()
	for i := range f.accounts {
		if a := &f.accounts[i]; one == nil || one.ID == a.ID {
			out = append(out, a.Hosts...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// placeholders say what is taken where nothing is typed.
func (f *createForm) placeholders() {
	f.hostname.Placeholder = "api.example.com"
	if a := f.account(); a != nil {
		f.hostname.Placeholder = "that of the credential: " + browse.Some(a.Hosts, 2)
	}
}

// changed is after each change.
func (f *createForm) changed() tea.Cmd {
	f.SetFields(f.fields()...)
	f.placeholders()
	f.checked = false
	return task.After(f.tasks, "check", pause, f.check)
}

// typed is what the fields say.
func (f *createForm) typed() broker.NewCapability {
	n := broker.NewCapability{
		ID: strings.TrimSpace(f.id.Value()), FromCred: strings.TrimSpace(f.credential.Value()),
		Methods: f.methods.Words(), Paths: f.paths.Words(), AllowHeads: f.headers.Words(),
	}
	if n.FromCred == "" {
		n.Provider = strings.TrimSpace(f.provider.Value())
	}
	if host := strings.TrimSpace(f.hostname.Value()); host != "" {
		n.Hosts = []string{host}
	}
	return n
}

// check finds out what it would be, once there is enough to tell.
func (f *createForm) check() tea.Cmd {
	n, be := f.typed(), f.host.Backend
	if checkID(n.ID) != nil || len(n.Paths) == 0 || len(n.Methods) == 0 || n.FromCred == "" && len(n.Hosts) == 0 && n.Provider == "" {
		f.tasks.Cancel("check")
		return nil
	}
	return task.Go(f.tasks, "check", func(ctx context.Context) (broker.Capability, error) {
		return be.CheckCapability(ctx, n)
	}, func(c broker.Capability, err error) tea.Cmd {
		f.found, f.problem, f.checked = c, err, true
		return nil
	})
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
	c := &f.found
	out := browse.Said(th.Good, th.OK, "allows "+strings.Join(c.Allow.Methods, ", ")+" of https://"+c.Allow.Hosts[0]+browse.Some(c.Allow.Paths, 2)+" and what is below", w)
	if c.Ready {
		return append(out, browse.Said(th.Text, th.Dot, "ready at once: a credential of "+c.Provider+" carries it", w)...)
	}
	return append(out, browse.Said(th.Text, th.Dot, "not ready: no credential of "+c.Provider+" goes to "+c.Allow.Hosts[0]+" yet", w)...)
}

func (f *createForm) submit() tea.Cmd {
	n, be := f.typed(), f.host.Backend
	return task.Write(f.tasks, "making "+n.ID, func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.CreateCapability(ctx, be, n)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			f.failed(err)
			return nil
		}
		f.Done()
		return tea.Batch(view.Close(f), view.Finish(d), view.Send(view.ShowCapability{ID: n.ID}))
	})
}

// failed says what is wrong below the field that it is about.
func (f *createForm) failed(err error) {
	var field form.Field
	switch fault.CodeOf(err) {
	case fault.AlreadyExists:
		field = f.id
	case fault.CredentialNotFound:
		field = f.credential
	}
	f.Failed(browse.ForForm(err), field)
}

func checkID(s string) error {
	provider, name, both := strings.Cut(strings.TrimSpace(s), "/")
	if !both || provider == "" || name == "" {
		return fault.New(fault.InvalidRequest, "an id is provider/name, such as acme/items")
	}
	return nil
}

func atLeastOne(l *form.List, what string) error {
	if len(l.Words()) == 0 {
		return fault.New(fault.InvalidRequest, "%s", what)
	}
	return nil
}
