package vault

import (
	"slices"

	"aivault/vault/internal/codec"
)

// claimed returns the provider of the vault's own that claims a secret name: nil
// if none does.
func (t *txn) claimed(name string) (*Provider, error) {
	rec, ok, err := t.find(ixClaim, name)
	if !ok || err != nil {
		return nil, err
	}
	p, err := t.provider(rec)
	if err == nil && !slices.Contains(p.Claims, name) {
		err = errCorrupt("an index of the vault")
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// findProvider returns a provider and the id of its record: nil if there is none.
func (t *txn) findProvider(id string) (rec ID, p *Provider, err error) {
	rec, ok, err := t.find(ixProvider, id)
	if !ok || err != nil {
		return rec, nil, err
	}
	if p, err = t.provider(rec); err == nil && p.ID != id {
		err = errCorrupt("an index of the vault")
	}
	if err != nil {
		return rec, nil, err
	}
	return rec, p, nil
}

// provider loads a provider that an index names.
func (t *txn) provider(rec ID) (*Provider, error) {
	b, _, err := t.load(kindProvider, rec)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errCorrupt("an index of the vault")
	}
	p, err := decodeProvider(b)
	if err != nil {
		return nil, errCorrupt("a provider")
	}
	return p, nil
}

// ProviderRecords implements Reader.
func (r reader) ProviderRecords() ([]ID, error) {
	if r.t == nil {
		return nil, nil
	}
	return r.t.all(kindProvider)
}

// Provider implements Reader.
func (r reader) Provider(record ID) (*Provider, error) {
	if r.t == nil {
		return nil, errCorrupt("an index of the vault")
	}
	return r.t.provider(record)
}

func (t *txn) providerEntries(rec ID, p *Provider) []entry {
	entries := []entry{t.unique(rec, ixProvider, p.ID)}
	for _, name := range p.Claims {
		entries = append(entries, t.unique(rec, ixClaim, name))
	}
	return entries
}

func encodeProvider(p *Provider) []byte {
	var w codec.Writer
	w.Text(p.ID)
	w.Blob(p.Definition)
	codec.List(&w, p.Claims, w.Text)
	codec.List(&w, p.Hosts, w.Text)
	writeTime(&w, p.CreatedAt)
	writeTime(&w, p.UpdatedAt)
	return w.Bytes()
}

func decodeProvider(b []byte) (*Provider, error) {
	r := codec.NewReader(b)
	p := &Provider{
		ID: r.Text(), Definition: r.Blob(), Claims: codec.Items(r, r.Text), Hosts: codec.Items(r, r.Text),
		CreatedAt: readTime(r), UpdatedAt: readTime(r),
	}
	if p.check() != nil {
		r.Fail()
	}
	return p, r.Close()
}

// note says for the audit log which provider it is.
func (p *Provider) note() string { return p.ID + ", for " + listed(p.Claims) }
