package broker

import (
	"context"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/broker/internal/whatif"
	"aivault/keys/fault"
	"aivault/vault"
)

// A Change is one that could be made, all of it at once: in the order of its
// fields.
type Change struct {
	Share  []vault.Sharing // their revisions do not count
	Delete []vault.ID      // secrets, with all that DeleteSecret takes along
	// DeleteCredentials are ids of credentials, stored or registry-made.
	DeleteCredentials []string
	Bind              *NewBinding // its proof is not looked at; nil: none
	Unbind            *BindingRef // nil: none
}

// A BindingRef names the binding of a capability at a scope for a consumer.
type BindingRef struct {
	Capability string
	Scope      vault.Scope
	Consumer   string // empty: any
}

// An Effect is what a change does in one context to the calls of capabilities
// of one provider.
type Effect struct {
	Context      vault.Context
	Provider     string
	Capabilities []string // ids, sorted, at least one
	Before,
	After Used // they differ
}

// Used is what a call uses.
type Used struct {
	Secret     vault.ID    // the first, where there are several
	Name       string      // names of the secrets
	Scope      vault.Scope // of the first secret
	Credential string      // id of the one taken, or that lends; empty: the registry lends
	Attached   bool        // a secret is reached by attachment to the group
	Err        error       // why nothing is used; nil unless all else is zero
}

// A usedKey is a Used that can be compared: errors are the same if they say so.
type usedKey struct {
	Used
	code fault.Code
	text string
}

// key is the same for what is the same, but for the name of a capability in an
// error.
func (u Used) key(capability string) usedKey {
	if u.Err == nil {
		return usedKey{Used: u}
	}
	text := u.Err.Error()
	if capability != "" {
		text = strings.ReplaceAll(text, capability, "\x00")
	}
	return usedKey{code: fault.CodeOf(u.Err), text: text}
}

// Effects implements Service. It looks at the contexts that the change names,
// not at those within them: the groups of a sharing; of a deletion the scopes
// of the secret, of its credentials and of its bindings, and the groups that it
// is attached to; of the deletion of a credential the scopes and groups where it
// is seen, and those of bindings that it may lend to; the scope of a binding. A
// consumer for whom there are bindings
// is a context of its own, listed where it fares otherwise than any.
func (b *Broker) Effects(ctx context.Context, c Change) ([]Effect, error) {
	var out []Effect
	err := b.view(ctx, func(r look) error {
		f := &forecast{broker: b, before: r, after: whatif.New(r), contexts: map[vault.Context]bool{}, caps: map[string]*Capability{}}
		err := f.apply(&c)
		if err == nil {
			out, err = f.compare()
		}
		return err
	})
	return out, err
}

// used tells what a call of a capability uses in a context. The error is the
// reader's; that of the choice is part of the answer.
func (b *Broker) used(r look, c *Capability, in vault.Context) (Used, error) {
	choice, err := resolve.Resolve(r, r.question(c, in, ""))
	if err == nil {
		err = r.mayServe(c, choice)
	}
	switch fault.CodeOf(err) {
	case "":
	case fault.CredentialNotFound, fault.CredentialAmbiguous, fault.SecretNotAccessible, fault.PolicyViolation:
		return Used{Err: err}, nil
	default:
		return Used{}, err
	}
	u := Used{Credential: choice.Credential, Scope: choice.Parts[0].Secret.Scope}
	u.Secret, u.Name = nameParts(choice.Parts)
	for _, p := range choice.Parts {
		_, attached := p.Secret.SeenFrom(in)
		u.Attached = u.Attached || attached
	}
	return u, nil
}
