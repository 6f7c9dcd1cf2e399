package flat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// countText is a scope with how many secrets it has.
func countText(c vault.ScopeCount) string {
	s := ops.Place(c.Scope) + ", " + text.Plural(c.Own, "secret") + " of its own"
	if c.Attached > 0 {
		s += fmt.Sprintf(" and %d attached", c.Attached)
	}
	return s
}

// secrets lists what is effective where people look from.
func (t *talk) secrets(ctx context.Context) (menu, error) {
	list, err := t.be.Effective(ctx, t.at)
	if err != nil {
		return menu{}, err
	}
	place := ops.Place(t.at.Scope())
	m := menu{title: fmt.Sprintf("Effective in %s: %s.", place, text.Plural(len(list), "secret"))}
	if len(list) == 0 {
		m.notes = []string{"n stores the first one."}
	}
	for _, e := range list {
		m.items = append(m.items, choice{t.effective(&e, list), t.secretMenu(e.ID)})
	}
	m.more = []choice{
		{"n store a new secret", t.create},
		{"o only those that belong to " + place + " itself", t.loopOf(t.own)},
	}
	if t.at.Group != "" {
		m.more = append(m.more, choice{"a attach secrets to " + place, t.attachHere})
	}
	return m, nil
}

// effective is a row of what is effective.
func (t *talk) effective(e *vault.Effective, list []vault.Effective) string {
	from := e.From(t.at)
	switch from {
	case "own", "attached":
	default:
		from = "from " + ops.Place(e.Scope)
	}
	s := e.Name + ", " + from + t.rest(&e.Secret)
	if e.ShadowedBy != nil {
		for _, w := range list {
			if w.ID == *e.ShadowedBy {
				s += ", overridden here by " + where(&w)
			}
		}
	}
	return s
}

// where tells the secret that overrides another from it.
func where(e *vault.Effective) string {
	if e.Attached {
		return "the attached one"
	}
	return "the one of " + ops.Place(e.Scope)
}

// rest is what else there is to say of a secret in a row.
func (t *talk) rest(s *vault.Secret) string {
	out := ""
	if s.PinnedProvider != "" {
		out += ", pinned to " + s.PinnedProvider
	}
	if s.AttachedOnly {
		out += ", for attached groups only"
	}
	return out + ", used " + t.ago(s.LastUsedAt)
}

// own lists the secrets of the scope itself.
func (t *talk) own(ctx context.Context) (menu, error) {
	scope := t.at.Scope()
	list, err := t.be.Secrets(ctx, &scope)
	m := menu{title: fmt.Sprintf("Secrets of %s itself: %s.", ops.Place(scope), text.Plural(len(list), "secret"))}
	for _, s := range list {
		m.items = append(m.items, choice{s.Name + t.rest(&s), t.secretMenu(s.ID)})
	}
	return m, err
}

// secretMenu is what can be done with a secret.
func (t *talk) secretMenu(id vault.ID) func(context.Context) error {
	return t.loopOf(func(ctx context.Context) (menu, error) {
		s, err := t.be.FindSecret(ctx, id.String())
		if fault.CodeOf(err) == fault.SecretNotFound {
			t.say("The secret is there no more.")
			return menu{}, gone
		}
		if err != nil {
			return menu{}, err
		}
		notes, err := t.describe(ctx, &s)
		if err != nil {
			return menu{}, err
		}
		m := menu{title: s.Name + ", secret of " + ops.Place(s.Scope) + ".", notes: notes, items: []choice{
			{"rotate: give it a new value", func(ctx context.Context) error { return t.rotate(ctx, s) }},
			{"rename it, or change its aliases", func(ctx context.Context) error { return t.edit(ctx, s) }},
			{"attach it to groups", func(ctx context.Context) error { return t.attach(ctx, s) }},
			{"detach it from groups", func(ctx context.Context) error { return t.detach(ctx, s) }},
			{"why: which secret a call uses", func(ctx context.Context) error { return t.askCapability(ctx, id, t.why) }},
			{"test call", func(ctx context.Context) error { return t.askCapability(ctx, id, t.test) }},
			{"make a credential of it", func(ctx context.Context) error { return t.newCredentialOf(ctx, s) }},
			{"its events in the audit log", func(ctx context.Context) error { return t.events(ctx, vault.AuditQuery{Secret: id}) }},
			{"delete it", func(ctx context.Context) error { return t.delete(ctx, s) }},
		}}
		return m, nil
	})
}

// describe says what is known of a secret.
func (t *talk) describe(ctx context.Context, s *vault.Secret) ([]string, error) {
	uses, err := t.be.Uses(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	groups := make([]string, len(s.Attached))
	for i, g := range s.Attached {
		groups[i] = g.String()
	}
	creds := make([]string, len(uses.Credentials))
	for i, c := range uses.Credentials {
		creds[i] = c.ID
	}
	notes := []string{
		"Id: " + s.ID.String() + ". Aliases: " + orNone(s.Aliases) + ".",
		fmt.Sprintf("Value: hidden, version %d, stored %s, used %s.", s.Version, t.ago(s.RotatedAt), t.ago(s.LastUsedAt)),
		"Attached to: " + orNone(groups) + ".",
		"Credentials: " + orNone(creds) + ". Bindings: " + orNone(bindingTexts(uses.Bindings)) + ".",
		"Capabilities: " + some(uses.Capabilities) + ".",
	}
	switch {
	case s.PinnedProvider != "":
		notes = append(notes, "Pinned to "+s.PinnedProvider+", for good.")
	case len(s.Hosts) > 0:
		hosts := make([]string, len(s.Hosts))
		for i, h := range s.Hosts {
			hosts[i] = h.Name
		}
		notes = append(notes, "It may be sent to "+strings.Join(slices.Compact(hosts), ", ")+" only.")
	}
	if s.AttachedOnly {
		notes = append(notes, "Only groups that it is attached to may use it.")
	}
	return notes, nil
}
