package broker

import (
	"aivault/broker/internal/auth"
	"aivault/broker/internal/resolve"
	"aivault/broker/registry"
	"aivault/keys/opaque"
	"aivault/vault"
)

// CheckValue returns what a vault asks before it stores a value: see
// [vault.Options]. It refuses a key that ends in a line break, an account
// without its key, a certificate without its private key: when it is stored,
// and not only when it is used. An error names the field that is wrong.
func CheckValue(reg *registry.Registry) func(*vault.Secret, *vault.Provider, []vault.Auth, vault.Value) error {
	return func(s *vault.Secret, own *vault.Provider, auths []vault.Auth, value vault.Value) error {
		all := reg
		if own != nil {
			all = reg.With([]registry.Own{{ID: own.ID, Definition: own.Definition}})
		}
		if p, ok := all.Provider(s.PinnedProvider); ok {
			for i := range p.Credentials {
				if err := checkPart(&p.Credentials[i], s.Name, value); err != nil {
					return err
				}
			}
		}
		for _, a := range auths {
			if err := auth.SecretShape(a, value); err != nil {
				return err
			}
		}
		return nil
	}
}

// checkPart checks a value as the one that a template knows by a name, if it
// does. For the other secrets of the template any text will do.
func checkPart(t *registry.Credential, name string, value vault.Value) error {
	values, mine := auth.Values{}, false
	for _, slot := range t.Secrets {
		values[slot.Placeholder] = opaque.New([]byte("other"))
		if slot.Name == name {
			values[slot.Placeholder], mine = value, true
		}
	}
	if !mine {
		return nil
	}
	return auth.Check(resolve.Auth(t), values)
}
