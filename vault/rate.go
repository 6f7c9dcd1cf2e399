package vault

import (
	"math"
	"strconv"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/codec"
)

const (
	// rateWindow is the time in which calls are counted.
	rateWindow = time.Minute
	// exactLimit is the highest limit under which each call is dated exactly.
	// Under a higher one they are dated up to rateGrid late, so that no window
	// has more than some 241 entries; they count that much longer.
	exactLimit = 256
	rateGrid   = 250 * time.Millisecond
	// maxRefusals is how many refused calls in rateWindow are told why. To
	// probe what is allowed costs from this, and no call that is allowed does.
	maxRefusals = 300
	// maxTallies bounds the entries of a window that is read.
	maxTallies = 1 << 10
)

// A window counts what happened in the last minute. It is rewritten with what
// it counts, in the same transaction, so that it holds for all processes.
type window struct {
	at      stamp   // when it was as it says
	tallies []tally // oldest first
	changed bool    // since it was read
}

// A tally is something that happened n times, and for how long that counts.
type tally struct {
	left time.Duration
	n    uint64
}

// pass lets the time go on to now.
func (w *window) pass(now stamp) {
	gone := now.since(w.at)
	w.changed = w.changed || now.behind(w.at)
	w.at = now
	kept := w.tallies[:0]
	for _, t := range w.tallies {
		if t.left -= gone; t.left > 0 {
			kept = append(kept, t)
		}
	}
	w.tallies = kept
}

// wait returns how long it takes until there is room below the limit for one
// more, zero if there is. Without end: math.MaxInt64.
func (w *window) wait(limit int64) time.Duration {
	if limit <= 0 {
		return math.MaxInt64
	}
	over := int64(1) - limit // how many must go first
	for _, t := range w.tallies {
		over += int64(t.n)
	}
	if over <= 0 {
		return 0
	}
	for _, t := range w.tallies {
		if over -= int64(t.n); over <= 0 {
			return t.left
		}
	}
	return rateWindow // not reached: the sum is that of the same tallies
}

// add counts one more, now.
func (w *window) add(limit int64) {
	w.changed = true
	if n := len(w.tallies); n > 0 && w.tallies[n-1].left >= rateWindow {
		w.tallies[n-1].n++ // it counts as long as this one, or longer
		return
	}
	left := rateWindow
	if limit > exactLimit {
		left += rateGrid
	}
	w.tallies = append(w.tallies, tally{left, 1})
}

func (w *window) encode() []byte {
	var e codec.Writer
	w.at.write(&e)
	codec.List(&e, w.tallies, func(t tally) { e.Int64(int64(t.left)); e.Uint64(t.n) })
	return e.Bytes()
}

func decodeWindow(b []byte) (*window, error) {
	r := codec.NewReader(b)
	w := &window{at: readStamp(r)}
	w.tallies = codec.Items(r, func() tally { return tally{time.Duration(r.Int64()), r.Uint64()} })
	last := time.Duration(0)
	for _, t := range w.tallies {
		if t.left <= last || t.left > rateWindow+rateGrid || t.n == 0 || t.n > math.MaxInt64/maxTallies {
			r.Fail()
		}
		last = t.left
	}
	if len(w.tallies) > maxTallies {
		r.Fail()
	}
	return w, r.Close()
}

// Fields of the keyed hashes that are ids of windows and denials.
const (
	hashRate     = 0x90
	hashRefusals = 0x91
	hashDenial   = 0x92
)

// rateID is the id of the record that counts a capability's calls.
func (t *txn) rateID(capability string) ID { return t.ring.Index(hashRate, capability) }

// refusalsID is that of the one that counts refused calls: those of each agent
// apart, so that none uses up what others are told.
func (t *txn) refusalsID() ID {
	if t.by.Agent {
		return t.agentRefusalsID(t.by.UID)
	}
	return t.ring.Index(hashRefusals)
}

func (t *txn) agentRefusalsID(uid int) ID { return t.ring.Index(hashRefusals, strconv.Itoa(uid)) }

// window returns the window of an id, as it is now. It is stored again, if it
// changed, when the transaction ends.
func (t *txn) window(id ID) (*window, error) {
	if w, ok := t.windows[id]; ok {
		return w, nil
	}
	w := &window{at: t.stamp()}
	if b, _, err := t.load(kindRate, id); err != nil {
		return nil, err
	} else if b != nil {
		if w, err = decodeWindow(b); err != nil {
			return nil, errCorrupt("a count of calls")
		}
		w.pass(t.stamp())
	}
	t.windows[id] = w
	return w, nil
}

// saveWindows stores the windows that changed.
func (t *txn) saveWindows() error {
	for id, w := range t.windows {
		if !w.changed {
			continue
		}
		_, rev, err := t.load(kindRate, id)
		if err != nil {
			return err
		}
		if err := t.save(kindRate, id, rev+1, w.encode()); err != nil {
			return err
		}
	}
	return nil
}

// withinRate counts a call of a capability, or refuses it. A call without a
// limit is not counted.
func (t *txn) withinRate(capability string, limit *int64) error {
	if limit == nil {
		return nil
	}
	w, err := t.window(t.rateID(capability))
	if err != nil {
		return err
	}
	switch wait := w.wait(*limit); {
	case wait == 0:
		w.add(*limit)
		return nil
	case *limit <= 0:
		return fault.New(fault.RateLimited, "%s may not be called: its limit is 0 calls in any 60 s", capability).
			WithHint("the operator can raise the limit")
	default:
		return fault.New(fault.RateLimited, "%s was called as often as it may be: its limit is %d in any 60 s", capability, *limit).
			WithHint("try again in %d s", int64(math.Ceil(wait.Seconds())))
	}
}

// dropRate forgets the calls of a capability that is deleted.
func (t *txn) dropRate(capability string) error { return t.drop(kindRate, t.rateID(capability)) }
