package bind

import (
	"context"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// Known is what there is to choose from. The nil one knows nothing, and finds no
// fault with what is typed.
type known struct {
	capabilities words
	secrets      []vault.Secret
	labels       words // of the secrets
	places       words
}

// Words are things to suggest, as they show and as they are searched.
type words struct{ shown, folded []string }

func (w *words) add(s string) {
	w.shown = append(w.shown, s)
	w.folded = append(w.folded, strings.ToLower(s))
}

func read(ctx context.Context, be app.Backend) (*known, error) {
	k := new(known)
	capabilities, err := be.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range capabilities {
		k.capabilities.add(c.ID)
	}
	if k.secrets, err = be.Secrets(ctx, nil); err != nil {
		return nil, err
	}
	for i := range k.secrets {
		k.labels.add(label(&k.secrets[i]))
	}
	scopes, err := be.Scopes(ctx)
	for _, c := range scopes {
		k.places.add(ops.Place(c.Scope))
	}
	return k, err
}

// orNone is what is known, or nothing.
func (k *known) orNone() *known {
	if k == nil {
		return new(known)
	}
	return k
}

// label names a secret so that it is found again.
func label(s *vault.Secret) string { return s.Name + ", " + ops.Place(s.Scope) }

func (k *known) secret(id vault.ID) *vault.Secret {
	if i := slices.IndexFunc(k.secrets, func(s vault.Secret) bool { return s.ID == id }); i >= 0 {
		return &k.secrets[i]
	}
	return nil
}

// find returns the secret that is meant: by its label, by its name where there
// is one of that name only.
func (k *known) find(typed string) (*vault.Secret, error) {
	typed = strings.TrimSpace(typed)
	switch {
	case typed == "":
		return nil, fault.New(fault.InvalidRequest, "no secret is given")
	case k == nil:
		return nil, fault.New(fault.VaultBusy, "the secrets are still being read")
	}
	var named []*vault.Secret
	for i := range k.secrets {
		s := &k.secrets[i]
		switch typed {
		case k.labels.shown[i]:
			return s, nil
		case s.Name:
			named = append(named, s)
		}
	}
	switch len(named) {
	case 0:
		return nil, fault.New(fault.SecretNotFound, "there is no secret %q", typed)
	case 1:
		return named[0], nil
	}
	places := make([]string, len(named))
	for i, s := range named {
		places[i] = ops.Place(s.Scope)
	}
	return nil, fault.New(fault.InvalidRequest, "several secrets have that name: of %s", strings.Join(places, "; ")).
		WithHint("add a comma and its scope: %s", label(named[0]))
}

func (k *known) checkCapability(typed string) error {
	typed = strings.TrimSpace(typed)
	switch {
	case typed == "":
		return fault.New(fault.InvalidRequest, "no capability is given")
	case k == nil || slices.Contains(k.capabilities.shown, typed):
		return nil
	}
	return fault.New(fault.CapabilityNotFound, "there is no capability %q", typed)
}

func checkConsumer(typed string) error {
	return vault.Context{Consumer: strings.TrimSpace(typed)}.Validate()
}

func trim(t *form.Text) string { return strings.TrimSpace(t.Value()) }

// offered is how many suggestions there are at most.
const offered = 50

// like returns what holds what was typed, what begins with it first.
func (w *words) like(typed string) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if typed == "" {
		return nil
	}
	var first, then []string
	for i, s := range w.folded {
		switch at := strings.Index(s, typed); {
		case at == 0:
			first = append(first, w.shown[i])
		case at > 0 && len(then) < offered:
			then = append(then, w.shown[i])
		}
		if len(first) == offered {
			break
		}
	}
	out := append(first, then...)
	return out[:min(len(out), offered)]
}
