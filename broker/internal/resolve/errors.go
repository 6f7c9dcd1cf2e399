package resolve

import (
	"fmt"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/vault"
)

// describe names a context in a sentence.
func describe(c vault.Context) string {
	switch {
	case c.Group != "":
		return "group " + c.Group + " of workspace " + c.Workspace
	case c.Workspace != "":
		return "workspace " + c.Workspace
	}
	return "a context without workspace"
}

// flags returns the flags that state a context, each after a space.
func flags(c vault.Context) string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{
		{"workspace-id", c.Workspace}, {"group-id", c.Group}, {"consumer", c.Consumer},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, " --%s %s", f.name, f.value)
		}
	}
	return b.String()
}

func (s *search) errNone() error {
	err := fault.New(fault.CredentialNotFound, "no credential of %s serves %s in %s", s.Provider, s.Capability, describe(s.Context))
	if i := s.lendingTemplate(""); i >= 0 {
		t := &s.provider.Credentials[i]
		var names []string
		for _, slot := range t.Secrets {
			names = append(names, slot.Name)
		}
		if pattern := t.NeedsHost(s.provider); pattern != "" {
			return err.WithHint("store %s, and make a credential of it with `aivault credential create` that names your host under %s", joinNames(names), pattern)
		}
		return err.WithHint("store %s with `aivault secrets create`, or see `aivault explain %s%s`", joinNames(names), s.Capability, flags(s.Context))
	}
	return err.WithHint("make one with `aivault credential create`, or see `aivault explain %s%s`", s.Capability, flags(s.Context))
}

func (s *search) errAmbiguous(verb string, accounts []*account) error {
	return fault.New(fault.CredentialAmbiguous, "credentials %s %s %s equally well in %s", joinIDs(accounts), verb, s.Capability, describe(s.Context)).
		WithHint("name one with --credential, or bind a secret with `aivault capability bind`")
}

func (s *search) errNotAccessible(format string, args ...any) error {
	return fault.New(fault.SecretNotAccessible, format, args...).
		WithHint("see `aivault explain %s%s`", s.Capability, flags(s.Context))
}

// joinIDs names accounts in a sentence, sorted.
func joinIDs(accounts []*account) string {
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = a.id
	}
	slices.Sort(ids)
	return joinNames(ids)
}

// joinNames is `a`, `a and b`, `a, b and c`.
func joinNames(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
