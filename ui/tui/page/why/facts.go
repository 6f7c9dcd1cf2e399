package why

import (
	"context"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// A question is what the page is about: a capability, or the capabilities that a
// secret serves, in a context.
type question struct {
	capability string
	secret     vault.ID
	context    vault.Context
}

// ofSecret reports whether it is about a secret.
func (q question) ofSecret() bool { return q.secret != vault.ID{} }

// open reports whether it is not known yet what it is about.
func (q question) open() bool { return q.capability == "" && !q.ofSecret() }

// Facts are the answer to a question.
type facts struct {
	asked   question
	caps    []string                  // the capability, or those that the secret serves
	ladders map[string]*broker.Ladder // of each of them

	secret vault.Secret      // if it is about one
	named  []vault.Effective // what the context sees under its name

	workspaces, consumers []string            // that there are, to suggest
	groups                map[string][]string // by workspace
}

func read(ctx context.Context, be app.Backend, q question) (*facts, error) {
	f := &facts{asked: q, ladders: map[string]*broker.Ladder{}, groups: map[string][]string{}}
	var bindings []broker.Binding
	var err error
	if q.ofSecret() {
		bindings, err = f.readSecret(ctx, be)
	} else {
		f.caps = []string{q.capability}
		bindings, err = be.Bindings(ctx, q.capability)
	}
	if err != nil {
		return nil, err
	}
	for _, b := range bindings {
		if b.Consumer != "" && !slices.Contains(f.consumers, b.Consumer) {
			f.consumers = append(f.consumers, b.Consumer)
		}
	}
	for _, id := range f.caps {
		if f.ladders[id], err = be.Explain(ctx, id, q.context, ""); err != nil {
			return nil, err
		}
	}
	return f, f.readScopes(ctx, be)
}

// readSecret reads what the secret serves, and what its name means in the
// context.
func (f *facts) readSecret(ctx context.Context, be app.Backend) ([]broker.Binding, error) {
	var err error
	if f.secret, err = be.FindSecret(ctx, f.asked.secret.String()); err != nil {
		return nil, err
	}
	uses, err := be.Uses(ctx, f.secret.ID)
	if err != nil {
		return nil, err
	}
	f.caps = uses.Capabilities
	all, err := be.Effective(ctx, f.asked.context)
	for _, e := range all {
		if e.Name == f.secret.Name {
			f.named = append(f.named, e)
		}
	}
	return uses.Bindings, err
}

func (f *facts) readScopes(ctx context.Context, be app.Backend) error {
	counts, err := be.Scopes(ctx)
	for _, c := range counts {
		switch c.Scope.Level {
		case vault.Workspace:
			f.workspaces = append(f.workspaces, c.Scope.Workspace)
		case vault.Group:
			f.groups[c.Scope.Workspace] = append(f.groups[c.Scope.Workspace], c.Scope.Group)
		}
	}
	return err
}

// meaning says which secret of its name the context sees.
func (f *facts) meaning() string {
	var winner *vault.Effective
	seen := false
	var under []string
	for i := range f.named {
		e := &f.named[i]
		seen = seen || e.ID == f.secret.ID
		if e.ShadowedBy == nil {
			winner = e
		} else {
			under = append(under, ops.Place(e.Scope))
		}
	}
	switch {
	case !seen && winner != nil:
		return "from here the name means another secret, that of " + ops.Place(winner.Scope) + "; this one cannot be reached"
	case !seen:
		return "this secret cannot be reached from here"
	case winner.ID != f.secret.ID:
		return "from here the name means another secret: that of " + ops.Place(winner.Scope) + " overrides this one"
	case len(under) > 0:
		return "from here the name means this secret, which overrides that of " + strings.Join(under, " and ")
	}
	return "from here the name means this secret"
}

// serves says shortly what a call of a capability uses, next to the secret that
// the page is about.
func (f *facts) serves(capability string) (words string, this, none bool) {
	l := f.ladders[capability]
	switch {
	case l == nil || l.Err != nil:
		return "nothing", false, true
	case f.takes(l):
		return "this one", true, false
	case l.SecretName == f.secret.Name:
		return "another", false, false
	}
	return l.SecretName, false, false
}

// takes reports whether the secret is among those that are used.
func (f *facts) takes(l *broker.Ladder) bool {
	if l.Secret == f.secret.ID {
		return true
	}
	// Of a credential of several parts a ladder names the first one only.
	return f.secret.PinnedProvider == l.Provider && slices.Contains(strings.Split(l.SecretName, ", "), f.secret.Name) && f.wins()
}

// wins reports whether the secret is what its name means in the context.
func (f *facts) wins() bool {
	return slices.ContainsFunc(f.named, func(e vault.Effective) bool { return e.ID == f.secret.ID && e.ShadowedBy == nil })
}
