package serve

import (
	"context"
	"encoding/binary"
	"sync"

	"aivault/broker"
	"aivault/broker/internal/rpc"
)

// maxNotes is how many notes wait for a client that does not take them. More are
// dropped: who tells them must not be kept waiting.
const maxNotes = 32

// A note says how far something is.
type note struct {
	kind    rpc.Kind
	payload []byte
}

// An outlet sends what a request gives before its reply.
type outlet struct {
	c   *connection
	ctx context.Context
	now bool

	mu    sync.Mutex
	ended bool
	notes chan note     // nil: none was told
	sent  chan struct{} // closed when all notes were sent
}

// AtOnce implements rpc.Out.
func (o *outlet) AtOnce() { o.now = true }

// Begin implements broker.Sink.
func (o *outlet) Begin(a *broker.Answer) error {
	return o.c.out.Message(rpc.KindBegin, o.c.server.table.EncodeAnswer(a), o.now)
}

// Write implements broker.Sink. It waits for the client to take what came
// before.
func (o *outlet) Write(p []byte) (int, error) {
	if err := o.c.out.Data(p, o.now); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Stage implements broker.Watcher.
func (o *outlet) Stage(s broker.Stage) { o.tell(note{rpc.KindStage, []byte(s)}) }

// Progress implements rpc.Out.
func (o *outlet) Progress(done, total int) {
	b := binary.BigEndian.AppendUint64(nil, uint64(done))
	o.tell(note{rpc.KindProgress, binary.BigEndian.AppendUint64(b, uint64(total))})
}

// tell has a note sent, by a goroutine of its own: whoever tells it holds up
// others until it returns.
func (o *outlet) tell(n note) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return
	}
	if o.notes == nil {
		o.notes, o.sent = make(chan note, maxNotes), make(chan struct{})
		go o.sendNotes()
	}
	select {
	case o.notes <- n:
	default:
	}
}

func (o *outlet) sendNotes() {
	defer close(o.sent)
	for n := range o.notes {
		_ = o.c.out.Frame(n.kind, n.payload, true) // the reply tells
	}
}

// end waits until the notes were sent, as none comes after the reply.
func (o *outlet) end() {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
	if o.notes != nil {
		close(o.notes)
		<-o.sent
	}
}

// Ask implements rpc.Out.
func (o *outlet) Ask(url string) error {
	told := make(chan error, 1)
	o.c.mu.Lock()
	o.c.told = told
	o.c.mu.Unlock()
	if err := o.c.out.Message(rpc.KindAsk, []byte(url), true); err != nil {
		return err
	}
	select {
	case err := <-told:
		return err
	case <-o.ctx.Done():
		return o.ctx.Err()
	}
}
