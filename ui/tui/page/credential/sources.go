package credential

import (
	"context"
	"slices"

	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// sources are what can be chosen from in the form.
type sources struct {
	secrets   secrets
	providers []string
	places    []string
}

// secrets are found by the labels that people choose them by.
type secrets struct {
	labels []string // by name
	byName map[string]vault.Secret
}

func readSources(ctx context.Context, be app.Backend) (s sources, err error) {
	list, err := be.Secrets(ctx, nil)
	if err != nil {
		return s, err
	}
	s.secrets.byName = make(map[string]vault.Secret, len(list))
	for _, sec := range list {
		label := sec.Name + " (" + ops.Place(sec.Scope) + ")"
		s.secrets.byName[label] = sec
		s.secrets.labels = append(s.secrets.labels, label)
	}
	slices.Sort(s.secrets.labels)
	caps, err := be.Capabilities(ctx)
	if err != nil {
		return s, err
	}
	for _, c := range caps {
		s.providers = append(s.providers, c.Provider)
	}
	slices.Sort(s.providers)
	s.providers = slices.Compact(s.providers)
	scopes, err := be.Scopes(ctx)
	for _, c := range scopes {
		s.places = append(s.places, ops.Place(c.Scope))
	}
	return s, err
}

// named returns the secret of a label; or, where there is one of that name only,
// of a name.
func (s *secrets) named(typed string) (vault.Secret, bool) {
	if sec, ok := s.byName[typed]; ok {
		return sec, true
	}
	var found vault.Secret
	n := 0
	from, _ := slices.BinarySearch(s.labels, typed)
	for _, label := range s.labels[from:] {
		if len(label) < len(typed) || label[:len(typed)] != typed {
			break
		}
		if sec := s.byName[label]; sec.Name == typed {
			found = sec
			n++
		}
	}
	return found, n == 1
}

// label returns what a secret is chosen by.
func (s *secrets) label(id vault.ID) (string, bool) {
	for label, sec := range s.byName {
		if sec.ID == id {
			return label, true
		}
	}
	return "", false
}
