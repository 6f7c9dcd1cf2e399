package broker

import (
	"bytes"
	"context"
	"slices"

	"aivault/broker/registry"
	"aivault/vault"
)

// A look is a consistent view of what is stored, with the providers that there are
// then: the built-in ones and the vault's own.
type look struct {
	vault.Reader
	reg *registry.Registry
}

// view calls f with a look at the vault.
func (b *Broker) view(ctx context.Context, f func(look) error) error {
	return b.store.View(ctx, func(r vault.Reader) error {
		seen, err := b.look(r)
		if err != nil {
			return err
		}
		return f(seen)
	})
}

// look adds the providers to a view. The ids of their records tell whether they
// are those of the last look, so that a call decrypts and decodes none of them.
func (b *Broker) look(r vault.Reader) (look, error) {
	records, err := r.ProviderRecords()
	if err != nil {
		return look{}, err
	}
	if len(records) == 0 {
		return look{r, b.reg}, nil
	}
	slices.SortFunc(records, func(a, b vault.ID) int { return bytes.Compare(a[:], b[:]) })
	last := b.last.Load()
	if last == nil || !slices.Equal(last.records, records) {
		if last, err = b.readProviders(r, records); err != nil {
			return look{}, err
		}
		b.last.Store(last)
	}
	return look{r, last.reg}, nil
}

// Providers that were read from these records, and the built-in ones.
type providers struct {
	records []vault.ID
	reg     *registry.Registry
}

func (b *Broker) readProviders(r vault.Reader, records []vault.ID) (*providers, error) {
	own := make([]registry.Own, 0, len(records))
	for _, rec := range records {
		p, err := r.Provider(rec)
		if err != nil {
			return nil, err
		}
		own = append(own, registry.Own{ID: p.ID, Claims: p.Claims, Definition: p.Definition})
	}
	return &providers{records, b.reg.With(own)}, nil
}
