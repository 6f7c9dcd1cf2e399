package term

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"aivault/keys/fault"
	"aivault/ui/app"
)

const (
	sameSignal   = 250 * time.Millisecond // a second one means the same, as of timeout(1)
	abandonAfter = 2 * time.Second        // from the beginning of the end
	forceAfter   = time.Second            // from there on
	watchEvery   = 50 * time.Millisecond
)

// A watchdog sees to it that a program which is to end does. Until it is let go,
// signals do not end the process by themselves, with its terminal in raw mode.
type watchdog struct {
	ctx     context.Context // whose cause is why the program ends
	out     *Output
	restore func() // takes the terminal out of raw mode
	signals chan os.Signal

	mu        sync.Mutex
	begun     time.Time // zero: not watching
	abandoned time.Time // zero: not yet
	timer     *time.Timer
	done      bool
}

func newWatchdog(ctx context.Context, out *Output, restore func()) *watchdog {
	w := &watchdog{ctx: ctx, out: out, restore: restore, signals: make(chan os.Signal, 1)}
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(w.signals, s)
		}
	}
	return w
}

// watch says that the end has begun. More than once does no harm.
func (w *watchdog) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.IsZero() && !w.done {
		w.begun = time.Now()
		w.timer = time.AfterFunc(watchEvery, w.look)
	}
}

// stop says that the end has come.
func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// release lets signals do again what they did.
func (w *watchdog) release() {
	w.stop()
	signal.Stop(w.signals)
}

// look does what is due, and comes back.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return
	}
	since := time.Since(w.begun)
	second := false
	select {
	case <-w.signals:
		second = since > sameSignal
	default:
	}
	switch {
	case w.abandoned.IsZero() && (second || since > abandonAfter):
		w.out.Abandon()
		w.abandoned = time.Now()
	case !w.abandoned.IsZero() && (second || time.Since(w.abandoned) > forceAfter):
		w.restore()
		os.Exit(app.ExitStatus(w.ctx, fault.New(fault.Canceled, "")))
	}
	w.timer.Reset(watchEvery)
}
