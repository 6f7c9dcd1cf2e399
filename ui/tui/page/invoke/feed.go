package invoke

import (
	"sync"
	"time"

	"aivault/broker"
)

// A feed takes an answer in the goroutine of the call, and has the event loop
// told that there is something new: once, until that has fetched it. So an
// answer of any size waits for nobody, and costs what is kept of it.
type feed struct {
	tell func()
	now  func() time.Time

	mu    sync.Mutex
	told  bool
	stage broker.Stage
	since time.Time // when the stage began
	head  *broker.Answer
	body  []byte
	total int64
}

// News is how far a call is. It is not changed by what comes later.
type news struct {
	stage broker.Stage
	since time.Time
	head  *broker.Answer // nil: no answer has begun
	body  []byte         // what is kept of it
	total int64          // how long it is so far
}

// Stage implements [broker.Watcher].
func (f *feed) Stage(s broker.Stage) {
	f.note(func() { f.stage, f.since = s, f.now() })
}

// Begin implements [broker.Sink].
func (f *feed) Begin(a *broker.Answer) error {
	head := *a // which the broker goes on filling in
	f.note(func() { f.head = &head })
	return nil
}

// Write implements [broker.Sink].
func (f *feed) Write(p []byte) (int, error) {
	f.note(func() {
		f.body = append(f.body, p[:min(len(p), keep-len(f.body))]...)
		f.total += int64(len(p))
	})
	return len(p), nil
}

// note changes something, and tells of it unless that was done already.
func (f *feed) note(change func()) {
	f.mu.Lock()
	change()
	tell := !f.told
	f.told = true
	f.mu.Unlock()
	if tell {
		f.tell()
	}
}

// take returns how far the call is.
func (f *feed) take() news {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = false
	n := len(f.body)
	return news{f.stage, f.since, f.head, f.body[:n:n], f.total}
}
