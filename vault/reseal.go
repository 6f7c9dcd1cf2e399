package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A resealing seals all of a vault anew, with the keys of another root key, into a
// new file: records, values and slots; indexes are made anew, as their keys are
// keyed hashes. The events of the log stay as they are, and their keys are sealed
// anew. Memory is bounded but for the indexes, some 100 bytes for each entry.
type resealing struct {
	ctx context.Context
	src *txn
	out *store.Builder
	to  *txn // the state that is made, and has no transaction yet
	// drop is a slot that is left out.
	drop     ID
	progress func(done, total int)

	rates map[ID]ID    // ids of counts of calls, before and after
	old   seal.SetHash // of what was read
	index []entry
	bad   []string // what does not open

	secrets, done, total int
	told                 time.Time
}

// all seals everything. What does not open, and what is missing, ends it.
func (s *resealing) all() error {
	for _, step := range []func() error{s.slots, s.prepare, s.records, s.complete, s.indexes, s.log} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// put writes a record of the new file, and keeps its set hash.
func (s *resealing) put(table store.Table, key, value []byte) error {
	s.to.man.set.Add(s.to.ring, uint8(table), key, value)
	return s.out.Put(table, key, value)
}

func (s *resealing) slots() error {
	slots, err := s.src.slots()
	if err != nil {
		return err
	}
	for _, slot := range slots {
		s.old.Add(s.src.ring, uint8(store.Slots), slot.ID[:], slot.Encode())
		if slot.ID == s.drop {
			continue
		}
		next, err := slot.Rekey(s.src.ring, s.to.ring)
		if err != nil {
			return errSlots
		}
		if err := s.put(store.Slots, next.ID[:], next.Encode()); err != nil {
			return err
		}
	}
	return nil
}

// prepare counts the records, and finds what the counts of calls are about: they
// do not say it. What has no policy any more is not limited, and not counted; and
// of an agent without a grant every call is refused, counted or not.
func (s *resealing) prepare() error {
	err := s.src.tx.Range(store.Records, store.Span{}, func(_, _ []byte) error { s.total++; return nil })
	if err != nil {
		return err
	}
	ids, err := s.src.all(kindPolicy)
	if err != nil {
		return err
	}
	s.rates = map[ID]ID{s.src.refusalsID(): s.to.refusalsID()}
	for _, id := range ids {
		p, err := s.src.policy(id)
		if err != nil {
			continue // which is found again, and told
		}
		s.rates[s.src.rateID(p.Capability)] = s.to.rateID(p.Capability)
	}
	if ids, err = s.src.all(kindGrant); err != nil {
		return err
	}
	for _, id := range ids {
		if g, err := s.src.grant(id); err == nil { // otherwise the same
			s.rates[s.src.agentRefusalsID(g.UID)] = s.to.agentRefusalsID(g.UID)
		}
	}
	return nil
}

// batchSize is how many records are sealed at a time.
const batchSize = 256

// A sealedBatch is some records, which one goroutine seals.
type sealedBatch struct {
	rows       []*sealedRow
	old, fresh seal.SetHash
	done       chan struct{}
}

// records seals records and values, as many batches at once as there are
// processors, and writes them in their order.
func (s *resealing) records() error {
	var (
		row     []*sealedRow
		waiting []*sealedBatch
	)
	send := func() error {
		if len(waiting) == runtime.GOMAXPROCS(0) {
			if err := s.write(waiting[0]); err != nil {
				return err
			}
			waiting = waiting[1:]
		}
		b := &sealedBatch{rows: row, done: make(chan struct{})}
		row, waiting = nil, append(waiting, b)
		go s.seal(b)
		return nil
	}
	err := s.src.tx.Range(store.Records, store.Span{}, func(key, rec []byte) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		r, err := s.read(key, rec)
		if err != nil {
			return err
		}
		if row = append(row, r); len(row) < batchSize {
			return nil
		}
		return send()
	})
	if err == nil {
		err = send()
	}
	for _, b := range waiting {
		if err != nil {
			<-b.done // it reads what is gone when the transaction is over
		} else {
			err = s.write(b)
		}
	}
	return err
}

// write writes a batch when it is sealed.
func (s *resealing) write(b *sealedBatch) error {
	<-b.done
	for _, r := range b.rows {
		switch {
		case r.err != nil:
			s.bad = append(s.bad, fmt.Sprintf("record %x: %v", r.key, r.err))
			continue
		case r.gone:
			continue
		}
		if err := s.out.Put(store.Records, recordKey(r.kind, r.id), r.rec); err != nil {
			return err
		}
		if r.kind == kindSecret {
			s.secrets++
			if err := s.out.Put(store.Values, r.id[:], r.value); err != nil {
				return err
			}
		}
		s.index = append(s.index, r.index...)
	}
	s.old.Join(b.old)
	s.to.man.set.Join(b.fresh)
	s.done += len(b.rows)
	s.tell()
	return nil
}

// progressEvery is how often somebody is told at the most how far it is.
const progressEvery = 100 * time.Millisecond

func (s *resealing) tell() {
	if now := time.Now(); s.progress != nil && (now.Sub(s.told) >= progressEvery || s.done == s.total) {
		s.told = now
		s.progress(s.done, s.total)
	}
}

// complete refuses what is not all that was written: a vault that was changed
// must not look as if it was not.
func (s *resealing) complete() error {
	if len(s.bad) > 0 {
		return errUnsealed(s.bad)
	}
	values := 0
	err := s.src.tx.Range(store.Values, store.Span{}, func(_, _ []byte) error { values++; return nil })
	if err != nil {
		return err
	}
	if s.old != s.src.man.set || values != s.secrets {
		return fault.New(fault.VaultCorrupt, "records were removed, added or put back to an earlier state outside aivault; nothing was changed").
			WithHint("`aivault doctor` tells what is affected; then %s", restoreHint)
	}
	return nil
}

// errUnsealed is the error of records that do not open.
func errUnsealed(bad []string) error {
	const most = 5
	text := fmt.Sprintf("%d records do not open", len(bad))
	for i, b := range bad[:min(len(bad), most)] {
		text += []string{": ", "; "}[min(i, 1)] + b
	}
	if len(bad) > most {
		text += "; ..."
	}
	return fault.New(fault.VaultCorrupt, "%s; nothing was changed", text).
		WithHint("`aivault doctor` tells what is affected; then %s", restoreHint)
}

// indexes writes the indexes, in the order of their keys.
func (s *resealing) indexes() error {
	slices.SortFunc(s.index, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	for _, e := range s.index {
		if err := s.out.Put(store.Index, e.key, e.value); err != nil {
			return err
		}
	}
	s.index = nil
	return nil
}

// log copies the events, and seals their keys anew. From the next event on there
// are new ones.
func (s *resealing) log() error {
	if _, err := s.src.chainOf(1); err != nil { // which opens all
		return err
	}
	next := s.to.ring.NewChain(s.src.man.seq + 1)
	defer next.Clear()
	for _, c := range append([]*seal.Chain{next}, s.src.chains...) {
		if err := s.out.Put(store.Meta, chainName(c.Generation()), s.to.ring.SealChain(c)); err != nil {
			return err
		}
	}
	vault := s.to.ring.Vault()
	if err := s.out.Put(store.Meta, keyVault, vault[:]); err != nil {
		return err
	}
	if err := s.out.Put(store.Meta, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion)); err != nil {
		return err
	}
	return s.src.tx.Range(store.Audit, store.Span{}, func(k, v []byte) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		return s.out.Put(store.Audit, k, v)
	})
}
