package broker

import (
	"context"
	"slices"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/keys/fault"
	"aivault/vault"
)

// Explain implements Service.
func (b *Broker) Explain(ctx context.Context, capability string, c vault.Context, credential string) (*Ladder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	out := &Ladder{Context: c}
	err := b.view(ctx, func(r look) error {
		found, err := b.capability(r, capability)
		if err != nil {
			return err
		}
		out.Capability, out.Provider = found.ID, found.Provider
		l, err := resolve.Explain(r, r.question(found, c, credential))
		if err != nil {
			return err
		}
		out.fill(l)
		if l.Choice != nil {
			out.Err = r.mayServe(found, l.Choice)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mayServe refuses a choice that could not be used for any call of the
// capability.
func (r look) mayServe(c *Capability, choice *resolve.Choice) error {
	if r.isBeyond(c, choice) {
		return errBeyond(c.Provider)
	}
	return checkTokenHost(r.reg, c.Provider, choice)
}

// fill takes over what package resolve found.
func (l *Ladder) fill(from *resolve.Ladder) {
	l.Err = from.Err
	for _, r := range from.Rungs {
		rung := Rung{Tier: r.Tier, Kind: r.Kind, ID: r.ID, Taken: r.Taken, Reason: r.Reason}
		rung.Secret, rung.SecretName = nameParts(r.Parts)
		l.Rungs = append(l.Rungs, rung)
	}
	if c := from.Choice; c != nil {
		l.Via, l.Credential, l.Lender, l.Tier = c.Via, c.Credential, c.Lender, c.Tier
		l.Secret, l.SecretName = nameParts(c.Parts)
	}
}

// nameParts returns the id of the first secret, and the names of all.
func nameParts(parts []resolve.Part) (id vault.ID, names string) {
	if len(parts) == 0 {
		return id, ""
	}
	list := make([]string, len(parts))
	for i, p := range parts {
		list[i] = p.Secret.Name
	}
	return parts[0].Secret.ID, strings.Join(list, ", ")
}

// maxElsewhere is how many scopes an error names.
const maxElsewhere = 5

// elsewhere adds to the error of a call that found no credential in which other
// scopes there is one. It is for the operator, and looked up after the call was
// refused, so that it holds up nobody else.
func (b *Broker) elsewhere(ctx context.Context, provider string, refusal error) error {
	e, ok := refusal.(*fault.Error)
	if !ok || e.Code != fault.CredentialNotFound {
		return refusal
	}
	var scopes []string
	err := b.view(ctx, func(r look) error {
		creds, err := b.credentials(r)
		for _, c := range creds {
			if s := c.Scope.String(); c.Provider == provider && !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		}
		return err
	})
	if err != nil || len(scopes) == 0 {
		return refusal // which is what the caller has to know
	}
	more := ""
	if len(scopes) > maxElsewhere {
		scopes, more = scopes[:maxElsewhere], ", ..."
	}
	found := *e
	found.Msg += " (there are credentials of " + provider + ", at scope " + strings.Join(scopes, ", ") + more + ", that do not serve it)"
	return &found
}
