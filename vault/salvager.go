package vault

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A salvager copies what verifies from one transaction into another: records as
// they are sealed, and indexes made anew.
type salvager struct {
	l      *Local
	dir    string // of the new vault
	src    *txn
	dst    *txn
	events uint64 // that the damaged vault is known to have had
	kept   map[ID]*Secret
	index  []entry         // of what was kept
	taken  map[string]bool // their keys
	keys   []string        // key files that were copied
	out    Salvaged
}

// all copies everything.
func (s *salvager) all() error {
	if err := s.dst.tx.Put(store.Meta, keyFormat, []byte{0, 0, 0, formatVersion}); err != nil {
		return err
	}
	vault := s.dst.ring.Vault()
	if err := s.dst.tx.Put(store.Meta, keyVault, vault[:]); err != nil {
		return err
	}
	for _, step := range []func() error{s.slots, s.secrets, s.others, s.indexes, s.log} {
		if err := step(); err != nil {
			return err
		}
	}
	total := 0
	for _, n := range s.out.Kept {
		total += n
	}
	note := fmt.Sprintf("%d records and %d events were kept; %d of the rest could be told", total, s.out.Events, len(s.out.Lost))
	if err := s.dst.record(&Event{Kind: KindVaultSalvage, Outcome: OutcomeOK, Note: note}); err != nil {
		return err
	}
	return s.dst.end()
}

// table walks a table of the damaged vault, and tells where not all of it could
// be walked.
func (s *salvager) table(table store.Table, name string, f func(k, v []byte) error) error {
	damaged, err := walk(s.src.tx, table, f)
	if damaged {
		s.out.Lost = append(s.out.Lost, Lost{Kind: "table", Name: name, Reason: "a part of it cannot be read, nor what it holds"})
	}
	return err
}

func (s *salvager) slots() error {
	return s.table(store.Slots, "slots", func(k, v []byte) error {
		slot, err := seal.DecodeSlot(v)
		if err == nil {
			err = slot.Verify(s.dst.ring)
		}
		if err != nil {
			s.out.Lost = append(s.out.Lost, Lost{Kind: "slot", ID: fmt.Sprintf("%x", k), Reason: "it was changed or damaged"})
			return nil
		}
		if err := s.copyKey(slot); err != nil {
			return err
		}
		return s.dst.put(store.Slots, slot.ID[:], slot.Encode())
	})
}

// slotRecord copies when a slot was made, if the slot was kept.
func (s *salvager) slotRecord(id ID, rec []byte) error {
	err := store.Guard(func() error { _, err := s.src.slotNote(id); return err })
	if err != nil || s.dst.tx.Get(store.Slots, id[:]) == nil {
		return nil
	}
	return s.dst.put(store.Records, recordKey(kindSlot, id), rec)
}

// records calls f with each record of a kind that has the form of one.
func (s *salvager) records(f func(k kind, id ID, rec []byte) error) error {
	return s.table(store.Records, "records", func(key, rec []byte) error {
		if len(key) != 1+len(ID{}) {
			return nil
		}
		return f(kind(key[0]), ID(key[1:]), slices.Clone(rec))
	})
}

// secrets copies secrets whose record and value both verify. What is wrong with
// a part of the table is told by others.
func (s *salvager) secrets() error {
	_, err := walk(s.src.tx, store.Records, func(key, rec []byte) error {
		if len(key) != 1+len(ID{}) || kind(key[0]) != kindSecret {
			return nil
		}
		return s.secret(ID(key[1:]), slices.Clone(rec))
	})
	return err
}

func (s *salvager) secret(id ID, rec []byte) error {
	var (
		secret *Secret
		value  []byte
	)
	err := store.Guard(func() (err error) {
		if secret, err = s.open(id, rec); err != nil {
			return err
		}
		plain, err := s.src.value(secret)
		clear(plain)
		value = slices.Clone(s.src.tx.Get(store.Values, id[:]))
		return err
	})
	if err != nil {
		name := ""
		if secret != nil {
			name = secret.Name
		}
		s.lose("secret", id, name, err)
		return nil
	}
	kept, err := s.keep("secret", id, kindSecret, secret.Name, rec, s.dst.secretEntries(secret))
	if !kept || err != nil {
		return err
	}
	s.kept[id] = secret
	return s.dst.put(store.Values, id[:], value)
}

// open opens a secret's own record; that of its last use may be damaged.
func (s *salvager) open(id ID, rec []byte) (*Secret, error) {
	b, rev, err := s.src.ring.OpenMeta(uint8(kindSecret), id, rec)
	if err != nil {
		return nil, errCorrupt("its record")
	}
	secret, err := decodeSecret(id, rev, b)
	if err != nil {
		return nil, errCorrupt("its record")
	}
	return secret, nil
}

// others copies records of other kinds than secrets.
func (s *salvager) others() error {
	return s.records(func(k kind, id ID, rec []byte) error {
		switch k {
		case kindCredential:
			return salvage(s, "credential", k, id, rec, s.src.credential, func(c *Credential) (string, []entry, ID) {
				return c.ID, s.dst.credentialEntries(id, c), c.Secret
			})
		case kindBinding:
			return salvage(s, "binding", k, id, rec, s.src.binding, func(b *Binding) (string, []entry, ID) {
				return b.Capability, s.dst.bindingEntries(id, b), b.Secret
			})
		case kindCapability:
			return salvage(s, "capability", k, id, rec, s.src.capability, func(c *Capability) (string, []entry, ID) {
				return c.ID, s.dst.capabilityEntries(id, c), ID{}
			})
		case kindPolicy:
			return salvage(s, "policy", k, id, rec, s.src.policy, func(p *Policy) (string, []entry, ID) {
				return p.Capability, s.dst.policyEntries(id, p), ID{}
			})
		case kindDisabled:
			return salvage(s, "disabled credential", k, id, rec, s.src.disabled, func(name string) (string, []entry, ID) {
				return name, s.dst.disabledEntries(id, name), ID{}
			})
		case kindGrant:
			return salvage(s, "grant", k, id, rec, s.src.grant, func(g *Grant) (string, []entry, ID) {
				return g.String(), s.dst.grantEntries(id, g), ID{}
			})
		case kindProvider:
			return salvage(s, "provider", k, id, rec, s.src.provider, func(p *Provider) (string, []entry, ID) {
				return p.ID, s.dst.providerEntries(id, p), ID{}
			})
		case kindUsage, kindRenewal:
			return s.aside(k, id, rec)
		case kindSlot:
			return s.slotRecord(id, rec)
		}
		return nil // a secret, which was looked at before, or a count of the last minute
	})
}

// salvage copies a record that opens, with its name, its index entries, and the
// secret without which it is nothing.
func salvage[T any](s *salvager, what string, k kind, id ID, rec []byte, load func(ID) (T, error), about func(T) (name string, entries []entry, needs ID)) error {
	var v T
	err := store.Guard(func() (err error) { v, err = load(id); return err })
	if err != nil {
		s.lose(what, id, "", err)
		return nil
	}
	name, entries, needs := about(v)
	if needs != (ID{}) && s.kept[needs] == nil {
		s.lose(what, id, name, errors.New("its secret, "+needs.String()+", is lost"))
		return nil
	}
	_, err = s.keep(what, id, k, name, rec, entries)
	return err
}

// aside copies what belongs to a secret that was kept, if it opens: without it
// the secret is as good.
func (s *salvager) aside(k kind, id ID, rec []byte) error {
	secret := s.kept[id]
	if secret == nil {
		return nil
	}
	err := store.Guard(func() error {
		if k == kindRenewal {
			_, _, err := s.src.renewal(secret)
			return err
		}
		b, _, err := s.src.load(k, id)
		if err == nil {
			_, err = decodeUsage(b)
		}
		return err
	})
	if err != nil {
		return nil
	}
	return s.dst.put(store.Records, recordKey(k, id), rec)
}

// keep copies a record, unless another one has its place in an index: then one
// of them is an earlier state of the other.
func (s *salvager) keep(what string, id ID, k kind, name string, rec []byte, entries []entry) (bool, error) {
	for _, e := range entries {
		if s.taken[string(e.key)] {
			s.lose(what, id, name, errors.New("another one has its name"))
			return false, nil
		}
	}
	for _, e := range entries {
		s.taken[string(e.key)] = true
	}
	s.index = append(s.index, entries...)
	s.out.Kept[what]++
	return true, s.dst.put(store.Records, recordKey(k, id), rec)
}

// indexes makes the indexes. The order matters: until it is committed, a table is
// one long list, into whose middle nothing goes cheaply.
func (s *salvager) indexes() error {
	slices.SortFunc(s.index, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	return s.dst.reindex(nil, s.index)
}

// log copies the audit log from its beginning up to the first event that does
// not verify. Where keys of it are lost, a new one begins.
func (s *salvager) log() error {
	gen := s.dst.ring.Generation()
	if s.chains() != nil {
		s.out.LostEvents = s.events
		s.dst.chains = []*seal.Chain{s.dst.ring.NewChain(1)}
		return s.dst.tx.Put(store.Meta, chainName(gen), s.dst.ring.SealChain(s.dst.chains[0]))
	}
	for _, c := range s.src.chains {
		if err := s.dst.tx.Put(store.Meta, chainName(c.Generation()), s.dst.ring.SealChain(c)); err != nil {
			return err
		}
	}
	err := store.Guard(func() error { return s.src.tx.Range(store.Audit, store.Span{}, s.event) })
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		return err
	}
	s.out.Events = s.dst.man.seq
	if s.events > s.out.Events {
		s.out.LostEvents = s.events - s.out.Events
	}
	if s.src.chains[0].From() > s.dst.man.seq+1 { // events of now are not those of a generation before
		s.dst.chains = []*seal.Chain{s.dst.ring.NewChain(s.dst.man.seq + 1)}
		return s.dst.tx.Put(store.Meta, chainName(gen), s.dst.ring.SealChain(s.dst.chains[0]))
	}
	return nil
}

// chains opens the keys of all events. The first one has those of the first
// generation, or of the one in which an earlier salvage began a new log.
func (s *salvager) chains() error {
	return store.Guard(func() error {
		_, err := s.src.chainOf(1)
		return err
	})
}

// event copies the next event of the log.
func (s *salvager) event(k, entry []byte) error {
	seq := s.dst.man.seq + 1
	if string(k) != string(seqKey(seq)) || !s.src.follows(seq, s.dst.man.link, entry) {
		return store.ErrStop
	}
	_, link, err := s.src.openEvent(k, entry)
	if err != nil {
		return store.ErrStop
	}
	s.dst.man.seq, s.dst.man.link = seq, link
	return s.dst.tx.Put(store.Audit, k, slices.Clone(entry))
}
