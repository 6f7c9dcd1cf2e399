package store

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Guard runs f, which uses a transaction in another goroutine than the one that
// runs it: what there is an error for the transaction is one for f, too.
func Guard(f func() error) error { return guard(f) }

// guard runs f such that a fault in the mapped file, or bbolt's panic at what
// it finds there, is an error. Other panics are bugs, and pass.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if u, ok := p.(unreadable); ok {
			err = u.err
			return
		}
		if _, ok := p.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("%w: a part of it cannot be read", ErrDamaged)
			return
		}
		if !raisedByBolt() {
			panic(p)
		}
		err = fmt.Errorf("%w: %v", ErrDamaged, p)
	}()
	return f()
}

// raisedByBolt reports whether the panic being recovered started in bbolt.
func raisedByBolt() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			panicked = panicked || strings.Contains(frame.Function, "panic")
		case panicked:
			return strings.HasPrefix(frame.Function, "go.etcd.io/bbolt")
		}
		if !more {
			return false
		}
	}
}
