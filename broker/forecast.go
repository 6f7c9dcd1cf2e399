package broker

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"aivault/broker/internal/whatif"
	"aivault/keys/fault"
	"aivault/vault"
)

// A forecast compares a vault with itself after a change.
type forecast struct {
	broker   *Broker
	before   look
	after    *whatif.Reader
	contexts map[vault.Context]bool // that the change touches
	caps     map[string]*Capability // for which that may matter
}

// A question is which secret a capability gets in a context.
type question struct {
	in         vault.Context
	capability string
}

// touch has what is touched asked: each of the capabilities in each of the
// contexts.
func (f *forecast) touch(in vault.Context, caps ...*Capability) {
	f.contexts[in] = true
	for _, c := range caps {
		f.caps[c.ID] = c
	}
}

// apply makes the change, and notes what it touches.
func (f *forecast) apply(c *Change) error {
	for _, s := range c.Share {
		if err := f.share(s); err != nil {
			return err
		}
	}
	for _, id := range c.Delete {
		if err := f.delete(id); err != nil {
			return err
		}
	}
	for _, id := range c.DeleteCredentials {
		if err := f.deleteCredential(id); err != nil {
			return err
		}
	}
	if c.Bind != nil {
		binding, found, err := f.broker.newBinding(f.then(), *c.Bind)
		if err != nil {
			return err
		}
		f.after.Bind(binding)
		f.touch(within(binding.Scope, binding.Consumer), found)
	}
	if c.Unbind != nil {
		return f.unbind(c.Unbind)
	}
	return nil
}

func within(s vault.Scope, consumer string) vault.Context {
	return vault.Context{Workspace: s.Workspace, Group: s.Group, Consumer: consumer}
}

func (f *forecast) share(s vault.Sharing) error {
	if err := s.Group.Scope().Validate(); err != nil {
		return err
	}
	sec, err := f.after.Secret(s.Secret)
	if err != nil {
		return err
	}
	caps, err := f.servedBy(sec)
	if err != nil {
		return err
	}
	f.touch(within(s.Group.Scope(), ""), caps...)
	return f.after.Share(s)
}

func (f *forecast) delete(id vault.ID) error {
	sec, err := f.after.Secret(id)
	if err != nil {
		return err
	}
	caps, err := f.servedBy(sec)
	if err != nil {
		return err
	}
	f.touch(within(sec.Scope, ""), caps...)
	for _, g := range sec.Attached {
		f.touch(within(g.Scope(), ""))
	}
	creds, err := f.before.CredentialsWith(id)
	if err != nil {
		return err
	}
	for _, c := range creds {
		f.touch(within(c.Scope, ""))
	}
	bindings, err := f.before.BindingsWith(id)
	if err != nil {
		return err
	}
	for _, b := range bindings {
		f.touch(within(b.Scope, b.Consumer))
	}
	return f.after.Delete(id)
}

// deleteCredential touches where the credential is seen, and the bindings of its
// provider's capabilities, to which it may lend.
func (f *forecast) deleteCredential(id string) error {
	c, err := f.broker.credential(f.then(), id)
	switch {
	case err != nil:
		return err
	case c == nil:
		return fault.New(fault.CredentialNotFound, "there is no credential %.140q", id).WithHint("`aivault credential list` shows the ids")
	}
	caps, err := f.broker.capabilitiesOf(f.before, []string{c.Provider})
	if err != nil {
		return err
	}
	f.touch(within(c.Scope, ""), caps...)
	for _, secret := range c.Secrets {
		s, err := f.after.Secret(secret)
		if err != nil {
			return err
		}
		f.touch(within(s.Scope, "")) // where that is narrower, it is seen there
		for _, g := range s.Attached {
			f.touch(within(g.Scope(), ""))
		}
	}
	for _, x := range caps {
		bindings, err := f.before.Bindings(x.ID)
		if err != nil {
			return err
		}
		for _, b := range bindings {
			f.touch(within(b.Scope, ""))
		}
	}
	if c.Auto {
		f.after.DisableCredential(id)
	} else {
		f.after.DeleteCredential(id)
	}
	return nil
}

func (f *forecast) unbind(b *BindingRef) error {
	in := within(b.Scope, b.Consumer)
	if err := cmp.Or(b.Scope.Validate(), in.Validate()); err != nil {
		return err
	}
	c, err := f.broker.capability(f.before, b.Capability)
	switch {
	case fault.CodeOf(err) == fault.CapabilityNotFound:
		return nil // nobody can call it
	case err != nil:
		return err
	}
	f.after.Unbind(b.Capability, b.Scope, b.Consumer)
	f.touch(in, c)
	return nil
}

// servedBy lists the capabilities for which it may matter what becomes of a
// secret: those of its provider and of its credentials', and those that it is
// bound to.
func (f *forecast) servedBy(s *vault.Secret) ([]*Capability, error) {
	var providers []string
	if s.PinnedProvider != "" {
		providers = append(providers, s.PinnedProvider)
	}
	creds, err := f.before.CredentialsWith(s.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range creds {
		providers = append(providers, c.Provider)
	}
	caps, err := f.broker.capabilitiesOf(f.before, providers)
	if err != nil {
		return nil, err
	}
	bindings, err := f.before.BindingsWith(s.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range bindings {
		c, err := f.broker.capability(f.before, x.Capability)
		switch {
		case fault.CodeOf(err) == fault.CapabilityNotFound:
		case err != nil:
			return nil, err
		default:
			caps = append(caps, c)
		}
	}
	return caps, nil
}

// questions lists what to ask, in order: every capability in every context, and
// of the consumers for whom there are bindings in a context.
func (f *forecast) questions() ([]question, error) {
	set := map[question]bool{}
	for id := range f.caps {
		bindings, err := f.before.Bindings(id)
		if err != nil {
			return nil, err
		}
		for in := range f.contexts {
			set[question{in, id}] = true
			for _, b := range bindings {
				if in.Consumer == "" && b.Consumer != "" && b.Scope.Tier(in) > 0 {
					theirs := in
					theirs.Consumer = b.Consumer
					set[question{theirs, id}] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(set), compareQuestions), nil
}

// compare asks all that is touched before and after, and groups what differs.
func (f *forecast) compare() ([]Effect, error) {
	questions, err := f.questions()
	if err != nil {
		return nil, err
	}
	found := map[question]outcome{}
	for _, q := range questions {
		c := f.caps[q.capability]
		before, err := f.broker.used(f.before, c, q.in)
		if err != nil {
			return nil, err
		}
		after, err := f.broker.used(f.then(), c, q.in)
		if err != nil {
			return nil, err
		}
		found[q] = outcome{before, after}
	}
	groups := map[group]*Effect{}
	for _, q := range questions {
		o, provider := found[q], f.caps[q.capability].Provider
		if o.before.key("") == o.after.key("") || q.in.Consumer != "" && o.is(found, q.ofAnybody()) {
			continue
		}
		g := group{q.in, provider, o.before.key(q.capability), o.after.key(q.capability)}
		if groups[g] == nil {
			groups[g] = &Effect{Context: q.in, Provider: provider, Before: o.before, After: o.after}
		}
		groups[g].Capabilities = append(groups[g].Capabilities, q.capability)
	}
	var out []Effect
	for _, e := range groups {
		out = append(out, *e)
	}
	slices.SortFunc(out, compareEffects)
	return out, nil
}

// An outcome is the answer to a question before and after.
type outcome struct{ before, after Used }

// is reports whether another question was asked and has the same outcome.
func (o *outcome) is(found map[question]outcome, other question) bool {
	x, asked := found[other]
	return asked && x.before.key("") == o.before.key("") && x.after.key("") == o.after.key("")
}

// A group is what questions have in common whose outcomes are one effect.
type group struct {
	in            vault.Context
	provider      string
	before, after usedKey
}

func (q question) ofAnybody() question {
	q.in.Consumer = ""
	return q
}

func compareQuestions(a, b question) int {
	return cmp.Or(compareContexts(a.in, b.in), strings.Compare(a.capability, b.capability))
}

func compareEffects(a, b Effect) int {
	return cmp.Or(
		compareContexts(a.Context, b.Context),
		strings.Compare(a.Provider, b.Provider),
		strings.Compare(a.Capabilities[0], b.Capabilities[0]))
}

func compareContexts(a, b vault.Context) int {
	return cmp.Or(
		strings.Compare(a.Workspace, b.Workspace), strings.Compare(a.Group, b.Group), strings.Compare(a.Consumer, b.Consumer))
}

// then is a look at the vault as it would be after the change, as far as that is
// applied.
func (f *forecast) then() look { return look{f.after, f.before.reg} }
