package vault

import (
	"slices"
	"strconv"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/codec"
)

// maxOpenDenials is how many kinds of denials are counted at a time.
const maxOpenDenials = 64

// Denials are those of the last minute, by kind. The first of a kind is an
// event at once. Those like it that follow within a minute are only counted
// here, and become one event when the minute is over: a storm of refused calls
// neither hides in the log nor fills it.
type denials struct {
	at      stamp
	open    []openDenial // oldest first, at most maxOpenDenials
	changed bool         // since it was read
}

// An openDenial is a denial whose like is counted.
type openDenial struct {
	kind [16]byte // keyed hash of what makes two of them alike
	seq  uint64   // event of the first
	left time.Duration
	more uint64    // that followed
	last time.Time // of them
}

func (d *denials) encode() []byte {
	var w codec.Writer
	d.at.write(&w)
	codec.List(&w, d.open, func(o openDenial) {
		w.Fixed(o.kind[:])
		w.Uint64(o.seq)
		w.Int64(int64(o.left))
		w.Uint64(o.more)
		writeTime(&w, o.last)
	})
	return w.Bytes()
}

func decodeDenials(b []byte) (*denials, error) {
	r := codec.NewReader(b)
	d := &denials{at: readStamp(r)}
	d.open = codec.Items(r, func() openDenial {
		return openDenial{readID(r), r.Uint64(), time.Duration(r.Int64()), r.Uint64(), readTime(r)}
	})
	if len(d.open) > maxOpenDenials {
		r.Fail()
	}
	return d, r.Close()
}

// denialsID is the id of the one record of denials.
func denialsID() ID { return ID{} }

// loadDenials returns the record of denials as it is stored, an empty one if
// there is none.
func (t *txn) loadDenials() (*denials, error) {
	b, _, err := t.load(kindDenials, denialsID())
	if err != nil {
		return nil, err
	}
	if b == nil {
		return &denials{}, nil
	}
	d, err := decodeDenials(b)
	if err != nil {
		return nil, errCorrupt("the count of refused calls")
	}
	return d, nil
}

// beginDenials lets the time go on for the open denials: of those whose minute
// is over, it writes into the log what followed.
func (t *txn) beginDenials() error {
	d, err := t.loadDenials()
	if err != nil {
		return err
	}
	t.denials = d
	now := t.stamp()
	gone := now.since(d.at)
	d.changed = len(d.open) > 0 && now.behind(d.at)
	for _, o := range d.open {
		d.changed = d.changed || o.left <= gone
	}
	d.at = now
	kept := d.open[:0:0]
	for _, o := range d.open {
		if o.left -= gone; o.left > 0 {
			kept = append(kept, o)
		} else if err := t.sumUp(o); err != nil {
			return err
		}
	}
	d.open = kept
	return nil
}

// sumUp writes the event of the denials that followed a first one.
func (t *txn) sumUp(o openDenial) error {
	if o.more == 0 {
		return nil
	}
	first, err := t.event(o.seq)
	if err != nil {
		return err
	}
	e := *first
	e.Count, e.Last = o.more+1, o.last
	return t.append(&e)
}

// noteDenial records a denial: as an event if it is the first of its kind.
func (t *txn) noteDenial(e *Event) error {
	t.by.name(e)
	e.clip()
	kind := t.denialKind(e)
	d := t.denials
	d.changed = true
	if i := slices.IndexFunc(d.open, func(o openDenial) bool { return o.kind == kind }); i >= 0 {
		d.open[i].more++
		d.open[i].last = t.time()
		return nil
	}
	if len(d.open) == maxOpenDenials {
		oldest := d.open[0]
		d.open = slices.Delete(d.open, 0, 1)
		if err := t.sumUp(oldest); err != nil {
			return err
		}
	}
	if err := t.record(e); err != nil {
		return err
	}
	d.open = append(d.open, openDenial{kind: kind, seq: e.Seq, left: rateWindow})
	return nil
}

// denialKind is what two denials have in common that are counted together. They
// are of one user, in however many processes: it costs nothing to be another one.
func (t *txn) denialKind(e *Event) [16]byte {
	return t.ring.Index(hashDenial, string(e.Code), e.Capability, e.Workspace, e.Group, e.Consumer,
		e.Credential, e.Method, e.Host, e.Path, e.Actor, strconv.Itoa(e.UID))
}

// endDenials stores the record of denials, if it changed.
func (t *txn) endDenials() error {
	switch d := t.denials; {
	case !d.changed:
		return nil
	case len(d.open) == 0:
		return t.drop(kindDenials, denialsID())
	default:
		_, rev, err := t.load(kindDenials, denialsID())
		if err != nil {
			return err
		}
		return t.save(kindDenials, denialsID(), rev+1, d.encode())
	}
}

// A denialCount is how many denials there were of a kind whose minute is not
// over, the first included, and when the last one was.
type denialCount struct {
	n    uint64
	last time.Time
}

// openDenials returns the counts that the log does not hold yet, by the
// sequence number of the event of the first.
func (t *txn) openDenials() (map[uint64]denialCount, error) {
	d, err := t.loadDenials()
	if err != nil {
		return nil, err
	}
	counts := map[uint64]denialCount{}
	for _, o := range d.open {
		if o.more > 0 {
			counts[o.seq] = denialCount{o.more + 1, o.last}
		}
	}
	return counts, nil
}

// deny records a refusal, and returns what the caller is told. An agent, or the
// vault's owner, who was refused too often in the last minute is told that, and
// nothing else: what then is recorded does not depend on the call.
func (t *txn) deny(e *Event, refusal error) (told, err error) {
	told = refusal
	if isJudgement(fault.CodeOf(refusal)) {
		w, err := t.window(t.refusalsID())
		if err != nil {
			return nil, err
		}
		if w.wait(maxRefusals) > 0 {
			told, *e = errRefusals, Event{}
		} else {
			w.add(maxRefusals)
		}
	}
	e.Kind, e.Outcome, e.Code = KindInvokeDenied, OutcomeDenied, fault.CodeOf(told)
	e.Note = told.Error()
	return told, t.noteDenial(e)
}

// errRefusals is the answer to a refused call of which there were too many.
var errRefusals = fault.New(fault.RateLimited, "too many refused calls in the last minute; this one is refused, too").
	WithHint("wait a minute, and the next refusal says why; `aivault audit` shows those before")

// isJudgement reports whether a code says what is allowed, which those may want
// to know who try. Others say what is wrong with the vault, or with the caller.
func isJudgement(code fault.Code) bool {
	return !slices.Contains([]fault.Code{
		fault.VaultCorrupt, fault.VaultRollback, fault.VaultNewer, fault.AuditBroken,
		fault.IO, fault.DiskFull, fault.Canceled, fault.Internal,
	}, code)
}
