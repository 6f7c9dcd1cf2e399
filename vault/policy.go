package vault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault/internal/codec"
	"aivault/vault/internal/seal"
)

// Bounds of a policy.
const (
	maxBody  = 1 << 40 // of a body's limit, in bytes
	maxBlock = 256     // names of fields
	maxField = 256     // bytes of such a name
)

// SetPolicy implements Store.
func (l *Local) SetPolicy(ctx context.Context, p Policy, rev IfRevision) (Policy, error) {
	p, err := p.Normal()
	if err != nil {
		return Policy{}, err
	}
	if p.Empty() {
		return p, l.removePolicy(ctx, &p, rev)
	}
	err = l.update(ctx, func(t *txn) error {
		e, err := t.setPolicy(&p, rev)
		if err != nil || e == nil {
			return err
		}
		return t.record(e)
	})
	if err != nil {
		return Policy{}, err
	}
	return p, nil
}

// removePolicy is SetPolicy of one that limits nothing: no vault is made for it.
func (l *Local) removePolicy(ctx context.Context, p *Policy, rev IfRevision) error {
	looked := false
	_, err := l.removal(ctx, func(t *txn) (*Event, error) {
		looked = true
		return t.setPolicy(p, rev)
	})
	if err == nil && !looked && rev != 0 {
		err = errPolicyChanged(&Policy{Capability: p.Capability}, rev)
	}
	return err
}

func errPolicyChanged(was *Policy, rev IfRevision) error {
	return fault.New(fault.Conflict, "the policy of %s has revision %d, not %d: it was changed meanwhile", was.Capability, was.Revision, rev).
		WithHint("look at it again, then repeat the change")
}

// Normal returns a policy as it is stored: with the names of its fields in
// order, each once, in a slice of its own. fault.InvalidRequest if it is none.
func (p Policy) Normal() (Policy, error) {
	if err := checkText("capability id", p.Capability); err != nil {
		return Policy{}, err
	}
	if p.Rate != nil && *p.Rate < 0 {
		return Policy{}, fault.New(fault.InvalidRequest, "a rate of %d calls is less than none", *p.Rate)
	}
	for what, size := range map[string]*int64{"a request": p.MaxRequest, "an answer": p.MaxResponse} {
		if size != nil && (*size < 0 || *size > maxBody) {
			return Policy{}, fault.New(fault.InvalidRequest, "%d is no limit for the bytes of %s", *size, what).
				WithHint("give a number from 0 to %d", int64(maxBody))
		}
	}
	for _, name := range p.Block {
		if name == "" || len(name) > maxField || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return Policy{}, fault.New(fault.InvalidRequest, "the field name %q is not 1 to %d bytes of text without control characters", clip(name), maxField)
		}
	}
	p.Block = slices.Clone(p.Block)
	slices.Sort(p.Block)
	p.Block = slices.Compact(p.Block)
	if len(p.Block) > maxBlock {
		return Policy{}, fault.New(fault.InvalidRequest, "%d names of fields are too many, the limit is %d", len(p.Block), maxBlock)
	}
	if len(p.Block) == 0 {
		p.Block = nil
	}
	return p, nil
}

// Empty reports whether a policy limits nothing. Such a one is not stored.
func (p *Policy) Empty() bool {
	return p.Rate == nil && p.MaxRequest == nil && p.MaxResponse == nil && len(p.Block) == 0
}

// setPolicy stores a policy, or removes the one that there is if p limits
// nothing. The event is nil where nothing changed.
func (t *txn) setPolicy(p *Policy, rev IfRevision) (*Event, error) {
	rec, old, err := t.findPolicy(p.Capability)
	if err != nil {
		return nil, err
	}
	was := Policy{Capability: p.Capability}
	if old != nil {
		was = *old
	}
	if rev != 0 && uint64(rev) != was.Revision {
		return nil, errPolicyChanged(&was, rev)
	}
	p.UpdatedAt, p.Revision = t.time(), was.Revision+1
	e := policyEvent(&was, p)
	switch {
	case p.Empty() && old == nil:
		*p = was
		return nil, nil
	case p.Empty():
		*p = Policy{Capability: p.Capability}
		return e, t.dropPolicy(rec, old)
	case old == nil:
		rec = uuid.New()
		if err := t.reindex(nil, t.policyEntries(rec, p)); err != nil {
			return nil, err
		}
	}
	return e, t.save(kindPolicy, rec, p.Revision, encodePolicy(p))
}

// deletePolicy removes the policy of a capability; false if there is none.
func (t *txn) deletePolicy(capability string) (bool, error) {
	rec, p, err := t.findPolicy(capability)
	if p == nil || err != nil {
		return false, err
	}
	return true, t.dropPolicy(rec, p)
}

func (t *txn) dropPolicy(rec ID, p *Policy) error {
	if err := t.reindex(t.policyEntries(rec, p), nil); err != nil {
		return err
	}
	return t.drop(kindPolicy, rec)
}

// findPolicy returns the policy of a capability and the id of its record: nil
// if there is none.
func (t *txn) findPolicy(capability string) (rec ID, p *Policy, err error) {
	rec, ok, err := t.find(ixPolicy, capability)
	if !ok || err != nil {
		return rec, nil, err
	}
	if p, err = t.policy(rec); err == nil && p.Capability != capability {
		err = errCorrupt("an index of the vault")
	}
	return rec, p, err
}

// policy loads a policy that an index names.
func (t *txn) policy(rec ID) (*Policy, error) {
	b, rev, err := t.load(kindPolicy, rec)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errCorrupt("an index of the vault")
	}
	p, err := decodePolicy(rev, b)
	if err != nil {
		return nil, errCorrupt("a policy")
	}
	return p, nil
}

// Policy implements Reader.
func (r reader) Policy(capability string) (*Policy, error) {
	if r.t == nil {
		return nil, nil
	}
	_, p, err := r.t.findPolicy(capability)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Policies implements Reader.
func (r reader) Policies() ([]*Policy, error) {
	if r.t == nil {
		return nil, nil
	}
	recs, err := r.t.all(kindPolicy)
	if err != nil {
		return nil, err
	}
	var out []*Policy
	for _, rec := range recs {
		p, err := r.t.policy(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Policy) int { return strings.Compare(a.Capability, b.Capability) })
	return out, nil
}

// policyEvent tells what a policy was and what it is: in short, as far as an
// event has room, and by the digest of each, which tells for sure whether a
// policy is the one of an event.
func policyEvent(was, is *Policy) *Event {
	return &Event{
		Kind: KindCapabilityPolicy, Outcome: OutcomeOK, Capability: is.Capability,
		Note: fmt.Sprintf("was %s; is %s; sha256 was %s; is %s", was, is, was.Digest(), is.Digest()),
	}
}

// Digest returns the SHA-256, in hexadecimal, of what a policy says, whenever
// and for whichever capability it was set. The events of changes name it.
func (p *Policy) Digest() string {
	var w codec.Writer
	writeLimits(&w, p)
	return seal.Digest(w.Bytes())
}

// String says in short what a policy limits.
func (p *Policy) String() string {
	var parts []string
	for _, limit := range []struct {
		name string
		n    *int64
	}{{"rate", p.Rate}, {"request", p.MaxRequest}, {"response", p.MaxResponse}} {
		if limit.n != nil {
			parts = append(parts, fmt.Sprint(limit.name, " ", *limit.n))
		}
	}
	if len(p.Block) > 0 {
		parts = append(parts, fmt.Sprintf("block %d (%s)", len(p.Block), shortList(p.Block)))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func writeLimits(w *codec.Writer, p *Policy) {
	for _, n := range []*int64{p.Rate, p.MaxRequest, p.MaxResponse} {
		w.Bool(n != nil)
		if n != nil {
			w.Int64(*n)
		}
	}
	codec.List(w, p.Block, w.Text)
}

func encodePolicy(p *Policy) []byte {
	var w codec.Writer
	w.Text(p.Capability)
	writeLimits(&w, p)
	writeTime(&w, p.UpdatedAt)
	return w.Bytes()
}

func decodePolicy(rev uint64, b []byte) (*Policy, error) {
	r := codec.NewReader(b)
	p := &Policy{Revision: rev, Capability: r.Text()}
	for _, n := range []**int64{&p.Rate, &p.MaxRequest, &p.MaxResponse} {
		if r.Bool() {
			*n = new(r.Int64())
		}
	}
	p.Block, p.UpdatedAt = codec.Items(r, r.Text), readTime(r)
	return p, r.Close()
}
