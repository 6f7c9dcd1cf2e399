package tui_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"aivault/keys/opaque"
	"aivault/ui/tui/uitest"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// The large vault of the benchmarks: as many secrets as a company has, or more.
const (
	manySecrets = 100_000
	manyGroups  = 1_000
)

// largeVault makes it, with 100 secrets in each group of 10 workspaces.
func largeVault(b *testing.B) string {
	b.Helper()
	dir := vaulttest.Dir(b)
	l := vault.New(vaulttest.Options(dir))
	defer l.Close()
	const perGroup = manySecrets / manyGroups
	for g := range manyGroups {
		scope, err := vault.NewScope(fmt.Sprintf("workspace-%d", g%10), fmt.Sprintf("group-%03d", g/10))
		if err != nil {
			b.Fatal(err)
		}
		entries := make([]vault.ImportEntry, perGroup)
		for i := range entries {
			entries[i] = vault.ImportEntry{Name: fmt.Sprintf("SERVICE_%03d_KEY_%02d", g, i), Value: opaque.New(fmt.Appendf(nil, "made-up-value-%d-%d", g, i))}
		}
		if _, err := l.ImportSecrets(context.Background(), scope, entries, false); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkScreens is what people wait for with 100,000 secrets: from the start
// to the first frame with content, from a key to the next frame, and to the
// frame that has what the key asked for. The bounds are those of the design:
// 400 ms for the first frame, 50 ms for a key at the 95th percentile, 100 ms
// for one in a filter, 250 MB.
func BenchmarkScreens(b *testing.B) {
	dir := largeVault(b)
	open := func(b *testing.B) *uitest.Driver {
		return uitest.New(b, uitest.Options{Dir: dir, Home: filepath.Dir(dir), Unchecked: true})
	}
	b.Run("FirstFrame", func(b *testing.B) {
		for b.Loop() {
			d := open(b)
			if !d.Has("workspace-0") {
				b.Fatal(d.Screen())
			}
			d.End()
		}
	})
	for _, bench := range []struct {
		name   string
		begin  []string // keys before those that are measured
		cycle  []string
		settle bool // until what was asked for shows
	}{
		{"Tree", []string{"tab", "tab"}, []string{"j", "j", "j", "j", "k", "k"}, false},
		{"TreeLoaded", []string{"tab", "tab"}, []string{"j", "j", "j", "j", "k", "k"}, true},
		{"Panes", nil, []string{"tab"}, false},
		{"AllSecrets", []string{"tab", "tab", "g", "tab"}, []string{"j", "pgdown", "G", "g"}, false},
		{"Filter", []string{"tab", "tab", "g", "tab", "/"}, []string{"s", "e", "r", "v", "9", "backspace", "backspace", "backspace", "backspace", "backspace"}, false},
		{"FilterShown", []string{"tab", "tab", "g", "tab", "/"}, []string{"s", "e", "r", "v", "9", "backspace", "backspace", "backspace", "backspace", "backspace"}, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			d := open(b)
			d.Key(bench.begin...)
			keysToFrames(b, d, bench.cycle, bench.settle)
		})
	}
}

// keysToFrames measures from a key to the frame that follows, and what the
// program holds then.
func keysToFrames(b *testing.B, d *uitest.Driver, cycle []string, settle bool) {
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		key := cycle[i%len(cycle)]
		begin := time.Now()
		if settle {
			d.Key(key)
		} else {
			d.Hit(key)
		}
		if d.Styled() == "" {
			b.Fatal("nothing is drawn")
		}
		took = append(took, time.Since(begin))
		b.StopTimer()
		d.Settle()
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms/p95")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB/heap")
	runtime.KeepAlive(d)
}
