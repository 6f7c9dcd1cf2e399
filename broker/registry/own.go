package registry

import (
	"maps"
	"slices"
	"sync"
)

// An Own is an operator's own definition of a provider, with what has to be known
// of it without decoding it.
type Own struct {
	ID         string
	Claims     []string
	Definition []byte // which [Decode] takes
}

// With returns a registry of the providers of this one and an operator's own. Each
// of these is decoded when it is first asked for; one that this version cannot
// read is none, and nothing goes to it.
//
// The names that a provider of this registry claims stay its own. An id that both
// have can only be that of a provider that came with a later version than the
// operator's: then the operator's stays what it was, as there are secrets that were
// stored to go to its hosts and no others, until it is removed.
func (r *Registry) With(own []Own) *Registry {
	out := &Registry{base: r, own: owned{providers: map[string]func() *Provider{}, claims: map[string]string{}}}
	for _, o := range own {
		out.own.providers[o.ID] = sync.OnceValue(o.decode)
		for _, name := range o.Claims {
			out.own.claims[name] = o.ID
		}
	}
	return out
}

// IsOwn reports whether a provider is an operator's own.
func (r *Registry) IsOwn(id string) bool {
	_, own := r.own.providers[id]
	return own
}

// decode returns the provider, or nil if it is none.
func (o Own) decode() *Provider {
	p, err := Decode(o.Definition)
	if err != nil || p.ID != o.ID {
		return nil
	}
	return p
}

// An owned has the providers of an operator.
type owned struct {
	providers map[string]func() *Provider // by id
	claims    map[string]string           // secret name to id
}

// provider returns a provider, nil if it cannot be read, and whether there is one.
func (o *owned) provider(id string) (p *Provider, own bool) {
	decode, own := o.providers[id]
	if own {
		p = decode()
	}
	return p, own
}

// among returns all ids, sorted, each once.
func (o *owned) among(ids []string) []string {
	if len(o.providers) == 0 {
		return ids
	}
	ids = slices.AppendSeq(slices.Clone(ids), maps.Keys(o.providers))
	slices.Sort(ids)
	return slices.Compact(ids)
}
