package broker

import (
	"context"
	"slices"

	"aivault/broker/internal/resolve"
	"aivault/keys/fault"
	"aivault/vault"
)

// A Draft is a credential that could be made.
type Draft struct {
	Credential
	Carries []string // ids of the capabilities that it would carry, sorted
	Proof   bool     // making it costs the value of its secret
}

// CheckCredential implements Service.
func (b *Broker) CheckCredential(ctx context.Context, n NewCredential) (Draft, error) {
	var d Draft
	err := b.view(ctx, func(r look) (err error) {
		if resolve.Reserved(r.reg, n.ID) {
			d.Credential, err = b.checkEnable(r, n)
		} else {
			d.Credential, d.Proof, err = b.checkCreate(r, n)
		}
		if err != nil {
			return err
		}
		d.Carries, err = b.carriedBy(r, []Credential{d.Credential})
		slices.Sort(d.Carries)
		return err
	})
	if err != nil {
		return Draft{}, err
	}
	return d, nil
}

// checkCreate returns the credential that is to be stored, and whether that
// costs a proof.
func (b *Broker) checkCreate(r look, n NewCredential) (Credential, bool, error) {
	sec, err := r.Secret(n.Secret)
	if err != nil {
		return Credential{}, false, err
	}
	c, err := r.newCredential(n, sec)
	if err != nil {
		return Credential{}, false, err
	}
	taken, err := r.Credential(c.ID)
	if err == nil && taken != nil {
		err = fault.New(fault.AlreadyExists, "there is a credential %s already", c.ID).WithHint("choose another id")
	}
	return Credential{Credential: c, Secrets: []vault.ID{c.Secret}}, sec.CostsProof(c.Destinations()), err
}

// checkEnable returns the registry-made credential that is to be brought back.
func (b *Broker) checkEnable(r look, n NewCredential) (Credential, error) {
	made, err := b.toEnable(r, n)
	if err != nil {
		return Credential{}, err
	}
	if !made.Disabled {
		return Credential{}, errMadeAlready(made)
	}
	return fromMade(made), nil
}

// CheckCapability implements Service.
func (b *Broker) CheckCapability(ctx context.Context, n NewCapability) (Capability, error) {
	c, err := b.newCapability(ctx, n)
	if err != nil {
		return Capability{}, err
	}
	out := custom(&c)
	err = b.view(ctx, func(r look) error {
		taken, err := r.Capability(c.ID)
		switch {
		case err != nil:
			return err
		case taken != nil:
			return fault.New(fault.AlreadyExists, "there is a capability %s already", c.ID).WithHint("choose another id")
		}
		creds, err := b.credentials(r)
		out.Ready = isReady(out, creds)
		return err
	})
	if err != nil {
		return Capability{}, err
	}
	return *out, nil
}
