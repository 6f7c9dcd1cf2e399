package vault

import (
	"time"

	"aivault/vault/internal/codec"
)

// A Clock tells how long the machine has been up, asleep or awake, and names
// that boot. Nobody can set it, unlike the time of day. An empty name: there is
// no such clock here.
type Clock func() (boot string, up time.Duration)

// A stamp is a moment by both clocks.
type stamp struct {
	boot string
	up   time.Duration // since that boot
	wall int64         // microseconds since 1970
}

// stamp is the moment of the transaction. It is the same in all of it.
func (t *txn) stamp() stamp {
	if t.moment.wall == 0 {
		t.moment = stamp{wall: t.now.UnixMicro()}
		t.moment.boot, t.moment.up = t.clock()
	}
	return t.moment
}

// since returns how long after a moment this one is: by the clock of the boot
// if both are of the same, else by the time of day. Where that went back it is
// zero: what was to be over by then is over later, never earlier.
func (s stamp) since(earlier stamp) time.Duration {
	if s.boot != "" && s.boot == earlier.boot {
		return max(0, s.up-earlier.up)
	}
	const enough = int64(time.Hour / time.Microsecond) // more than what anybody asks about
	return time.Duration(min(max(0, s.wall-earlier.wall), enough)) * time.Microsecond
}

// behind reports whether the clock by which the time since the moment is told is
// another one, or went back: the moment is to be noted anew, or no time would
// seem to pass for as long.
func (s stamp) behind(earlier stamp) bool {
	switch {
	case s.boot != earlier.boot:
		return true
	case s.boot != "":
		return s.up < earlier.up
	}
	return s.wall < earlier.wall
}

func (s stamp) write(w *codec.Writer) {
	w.Text(s.boot)
	w.Int64(int64(s.up))
	w.Int64(s.wall)
}

func readStamp(r *codec.Reader) stamp {
	return stamp{boot: r.Text(), up: time.Duration(r.Int64()), wall: r.Int64()}
}
