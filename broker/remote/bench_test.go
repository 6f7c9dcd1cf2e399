package remote_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker"
	"aivault/vault"
)

// BenchmarkCall compares a call through a daemon on a unix socket with the same
// call in one process, with 1, 16 and 64 callers at once, on a real vault with
// its audit log and an upstream on loopback TLS that is kept alive. Beside the
// mean it reports what half, and 99 of 100 calls took at the most.
func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		run := func(name string, by func(r *rig) broker.Service) {
			b.Run(fmt.Sprintf("callers=%d/%s", callers, name), func(b *testing.B) {
				r := newRig(b, operator)
				r.acme(b)
				r.up.Handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<10)) })
				s := by(r)
				spread(b, callers, func() error {
					_, err := s.Invoke(context.Background(), items())
					return err
				})
			})
		}
		run("here", func(r *rig) broker.Service { return r.broker })
		run("daemon", func(r *rig) broker.Service { return r.client(b) })
	}
}

// BenchmarkPolicy is what asking a daemon costs by itself: of a vault whose
// state has not changed, with nothing to do.
func BenchmarkPolicy(b *testing.B) {
	r := newRig(b, operator)
	r.acme(b)
	c := r.client(b)
	for name, s := range map[string]broker.Service{"here": r.broker, "daemon": c} {
		b.Run(name, func(b *testing.B) {
			spread(b, 1, func() error {
				_, err := s.Policy(context.Background(), "acme/items")
				return err
			})
		})
	}
	b.Run("nothing", func(b *testing.B) { // is refused before the vault is looked at
		b.ReportAllocs()
		for b.Loop() {
			_, _ = c.Effective(context.Background(), vault.Context{Group: "g"})
		}
	})
}

// spread runs a call b.N times, by so many callers at once.
func spread(b *testing.B, callers int, call func() error) {
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, callers)
	var all sync.WaitGroup
	if err := call(); err != nil { // connections are made
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				start := time.Now()
				if err := call(); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	list := slices.Concat(took...)
	slices.Sort(list)
	if len(list) > 0 {
		b.ReportMetric(float64(list[len(list)/2].Microseconds()), "p50-us")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), "p99-us")
	}
}
