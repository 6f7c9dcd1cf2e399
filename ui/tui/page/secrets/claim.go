package secrets

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A claim is what a name that is being typed would come to.
type claim struct {
	host   *view.Host
	tasks  *task.Group
	pinned string             // the provider that the secret is pinned to already; empty: none
	value  func() vault.Value // a copy of what was typed for a value, which is cleared here; nil: none is asked for

	name  string
	scope vault.Scope
	found broker.Claim
	known bool
}

// look finds out about a name in a scope; what is not well formed is nothing to
// tell about.
func (c *claim) look(name string, scope vault.Scope) tea.Cmd {
	c.known = false
	c.name, c.scope = name, scope
	if _, err := vault.ParseName(name); err != nil || scope.Validate() != nil {
		c.tasks.Cancel("claim")
		return nil
	}
	be := c.host.Backend
	return task.Go(c.tasks, "claim", func(ctx context.Context) (broker.Claim, error) {
		return be.Claim(ctx, name, scope)
	}, func(found broker.Claim, err error) tea.Cmd {
		// What goes wrong here goes wrong again when it is stored, and is told
		// then.
		c.found, c.known = found, err == nil
		return nil
	})
}

// none forgets what was found.
func (c *claim) none() {
	c.known = false
	c.tasks.Cancel("claim")
}

// lines says what was found, in lines of at most w cells.
func (c *claim) lines(w int) []string {
	if !c.known {
		return nil
	}
	th := c.host.Theme
	var out []string
	if c.found.Taken {
		return browse.Said(th.Bad, th.Fail, "exists here: a secret of "+scopeWords(c.scope)+" has this name or alias", w)
	}
	switch p := c.found.Provider; {
	case p != "" && c.pinned != "" && p != c.pinned:
		out = browse.Said(th.Bad, th.Fail, "claimed by "+p+", and the secret is pinned to "+c.pinned+" for good", w)
	case p != "":
		out = browse.Said(th.Good, th.OK, c.claimed(), w)
	case c.pinned != "":
		out = browse.Said(th.Text, th.Dot, "no provider claims this name; the secret stays pinned to "+c.pinned, w)
	default:
		out = browse.Said(th.Text, th.Dot, "no provider claims this name: a credential will say where it goes", w)
	}
	if !c.looksRight() {
		out = append(out, browse.Said(th.Warn, th.Alert, "does not look right: values of this name begin with "+strings.Join(c.found.LooksLike, " or "), w)...)
	}
	if len(c.found.Shadows) > 0 {
		out = append(out, browse.Said(th.Warn, th.Alert, "overrides "+others(c.found.Shadows)+" here", w)...)
	}
	return out
}

// looksRight reports whether a value that was typed begins as those of the name
// do. One that is still shorter than that may become right.
func (c *claim) looksRight() bool {
	if c.value == nil || len(c.found.LooksLike) == 0 {
		return true
	}
	value := c.value()
	defer value.Clear()
	return value.Len() < len(slices.MaxFunc(c.found.LooksLike, func(a, b string) int { return len(a) - len(b) })) || broker.LooksLike(value, c.found.LooksLike)
}

// claimed says what the provider makes of the secret.
func (c *claim) claimed() string {
	s := "claimed by " + c.found.Provider + ": will be pinned"
	if c.pinned != "" {
		s = "claimed by " + c.found.Provider
	}
	switch {
	case c.found.NeedsHost != "":
		return s + "; a credential is to name your host under " + c.found.NeedsHost
	case len(c.found.Missing) > 0:
		return s + "; its credential waits for " + strings.Join(c.found.Missing, " and ") + " in the same scope"
	case c.found.Disabled:
		return s + "; its credential was deleted, and stays so"
	case c.found.Credential != "":
		return s + ", credential " + c.found.Credential + " and " + text.Plural(c.found.Capabilities, "capability") + " follow"
	}
	return s
}

// others names what is overridden: "the global one", "the one of web-shop and
// the global one".
func others(scopes []vault.Scope) string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = "the one of " + scopePath(s)
		if s.Level == vault.Global {
			out[i] = "the global one"
		}
	}
	return strings.Join(out, " and ")
}
