package term

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A trace tells a test when a screen has settled: a file to which a line
// "frame=N busy=B" is appended when frame N is on the terminal, B operations
// being under way, or when B changes without a frame. It never has content. A
// number may come early, while another frame is being written, but the last line
// is written after the last frame.
type trace struct {
	file *os.File
	busy func() int // nil: none

	mu     sync.Mutex
	frames int // that differ from the one before
	view   string
	wrote  int // the last one that was told of
	was    int // and how busy it was
}

// openTrace returns the trace to the file of this name, nil for none. A file
// that is something else stays as it is: a variable of the environment shall not
// be what spoils the vault.
func openTrace(name string, busy func() int) *trace {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil // nobody else would miss it
	}
	if !isTrace(f) {
		_ = f.Close()
		return nil
	}
	return &trace{file: f, busy: busy}
}

// isTrace reports whether a file is empty, or a trace already.
func isTrace(f *os.File) bool {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	lead := make([]byte, len(traceLead))
	_, err := io.ReadFull(f, lead)
	return errors.Is(err, io.EOF) || err == nil && string(lead) == traceLead
}

// traceLead is how a trace begins.
const traceLead = "frame="

func (t *trace) close() {
	if t != nil {
		_ = t.file.Close()
	}
}

// drawn counts a view. If it is the one that the terminal shows, no frame will
// follow, only work may have ended.
func (t *trace) drawn(view string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if view != t.view {
		t.view = view
		t.frames++
		return
	}
	if t.wrote == t.frames && t.load() != t.was {
		t.line(t.frames)
	}
}

// count returns the number of the last view.
func (t *trace) count() int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.frames
}

// painted says that view n is on the terminal.
func (t *trace) painted(n int) {
	if t == nil || n == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line(n)
}

func (t *trace) load() int {
	if t.busy == nil {
		return 0
	}
	return t.busy()
}

func (t *trace) line(n int) {
	t.wrote, t.was = n, t.load()
	_, _ = fmt.Fprintf(t.file, traceLead+"%d busy=%d\n", t.wrote, t.was)
}
