package vault_test

import (
	"fmt"
	"runtime"
	"testing"

	"aivault/vault"
)

// grant is what the calls of benchmarks decide.
func grant(id vault.ID, rate *int64) func(vault.Reader) (vault.Decision, error) {
	return func(r vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{Capability: "acme/items"}, Rate: rate, Uses: []vault.Use{acme(id)}}, nil
	}
}

// oneCall makes a call from its intent to its outcome.
func oneCall(b *testing.B, l *vault.Local, decide func(vault.Reader) (vault.Decision, error)) {
	grant, err := l.Authorize(b.Context(), decide)
	if err != nil {
		b.Error(err)
		return
	}
	for _, v := range grant.Values {
		v.Clear()
	}
	if err := l.Finish(b.Context(), grant.Intent, ended); err != nil {
		b.Error(err)
	}
}

// perCommit reports how many calls shared a commit since before. Each is two
// fdatasync: of the pages, and of the head that makes them count.
func perCommit(b *testing.B, l *vault.Local, before uint64) {
	if commits := epoch(b, l) - before; commits > 0 {
		b.ReportMetric(float64(b.N)/float64(commits), "calls/commit")
	}
}

// BenchmarkCall is a whole call by one caller, without a limit and under one that
// keeps a window full of entries.
func BenchmarkCall(b *testing.B) {
	high := int64(1) << 40
	for name, rate := range map[string]*int64{"unlimited": nil, "limited": &high} {
		b.Run(name, func(b *testing.B) {
			l, id := filled(b, 10)
			decide := grant(id, rate)
			before := epoch(b, l)
			for b.Loop() {
				oneCall(b, l, decide)
			}
			perCommit(b, l, before)
		})
	}
}

// BenchmarkRefusal is a refused call like those before it.
func BenchmarkRefusal(b *testing.B) {
	l, _ := filled(b, 10)
	for b.Loop() {
		if refuse(l, vault.Event{Path: "/v1"}) == nil {
			b.Fatal("it was granted")
		}
	}
}

// BenchmarkAuthorizeParallel is a whole call by each of so many callers.
func BenchmarkAuthorizeParallel(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("c=%d", callers), func(b *testing.B) {
			l, id := filled(b, 10)
			decide := grant(id, nil)
			before := epoch(b, l)
			b.ResetTimer()
			if callers == 1 {
				for range b.N {
					oneCall(b, l, decide)
				}
			} else {
				b.SetParallelism(callers / runtime.GOMAXPROCS(0))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						oneCall(b, l, decide)
					}
				})
			}
			b.StopTimer()
			perCommit(b, l, before)
		})
	}
}
