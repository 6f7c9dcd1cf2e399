package broker

import (
	"time"

	"aivault/broker/internal/wire"
)

// A Stage is how far a call is.
type Stage string

// The stages, in their order. On a connection that was made before, resolving,
// connecting and securing do not come. A call that is sent more than once, as it
// is redirected or its token was refused, goes through the later ones again, and
// one whose record the vault tries again through recording.
const (
	StageChecking   Stage = "checking"   // what is asked for, against what is allowed
	StageRecording  Stage = "recording"  // the intent, in the audit log
	StageOpening    Stage = "opening"    // the secret, which is put into the request
	StageRenewing   Stage = "renewing"   // the access token of an OAuth account
	StageResolving  Stage = "resolving"  // the name of the host
	StageConnecting Stage = "connecting" // to one of its addresses
	StageSecuring   Stage = "securing"   // the connection, by TLS
	StageSending    Stage = "sending"    // the request
	StageWaiting    Stage = "waiting"    // for the header of the answer
	StageReceiving  Stage = "receiving"  // the body of the answer
)

// A Watcher is a [Sink] that wants to know how far the call is. Stage is called
// from whatever goroutine, one call at a time, and not after Stream returned. It
// must return at once and not use the broker: the call waits for it, and while
// it is checked so do others.
type Watcher interface {
	Stage(s Stage)
}

// Timing is how long the parts of a request took; zero for what did not happen.
type Timing struct {
	DNS     time.Duration // the name was resolved
	Connect time.Duration // until one of the addresses answered
	TLS     time.Duration // the handshake
	Wait    time.Duration // from the end of the request to the header of the answer
	Body    time.Duration // from there to the end of the body, the time that the sink took included
	Reused  bool          // on a connection that was made before, or for another call
}

// watch returns what to call at each stage; nil if nobody wants to know.
func watch(to Sink) func(Stage) {
	if w, ok := to.(Watcher); ok {
		return w.Stage
	}
	return nil
}

// reached tells that a call reached a stage.
func reached(tell func(Stage), s Stage) {
	if tell != nil {
		tell(s)
	}
}

// steps returns what package wire is to call at each step.
func steps(tell func(Stage)) func(wire.Step) {
	if tell == nil {
		return nil
	}
	return func(s wire.Step) { tell(Stage(s)) }
}
