package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A picture is everything that a vault shows.
type picture struct {
	Secrets      []vault.Secret
	Values       []string
	Credentials  []*vault.Credential
	Capabilities []*vault.Capability
	Bindings     []*vault.Binding
	Disabled     []string
	Policies     []*vault.Policy `json:",omitempty"` // since format 2
	Grants       []vault.Grant   `json:",omitempty"` // since format 4
	Events       []vault.Event
}

// take reads everything but the values.
func take(ctx context.Context, l *vault.Local) (p picture, err error) {
	if p.Secrets, err = l.Secrets(ctx, nil); err != nil {
		return p, err
	}
	if p.Events, err = l.Audit(ctx, vault.AuditQuery{Limit: 1 << 20}); err != nil {
		return p, err
	}
	if p.Grants, err = l.Grants(ctx); err != nil {
		return p, err
	}
	err = l.View(ctx, func(r vault.Reader) (err error) {
		if p.Credentials, err = r.Credentials(); err != nil {
			return err
		}
		if p.Capabilities, err = r.Capabilities(); err != nil {
			return err
		}
		if p.Bindings, err = r.Bindings(""); err != nil {
			return err
		}
		if p.Policies, err = r.Policies(); err != nil {
			return err
		}
		p.Disabled, err = r.Disabled()
		return err
	})
	return p, err
}

// large returns a vault of several levels of pages, its file, what it shows, and
// a function that puts the file back, whole or damaged, with what was remembered
// of it.
func large(t *testing.T) (dir string, whole []byte, want picture, put func([]byte)) {
	t.Helper()
	l, dir, _ := furnished(t)
	var entries []vault.ImportEntry
	for i := range 150 {
		entries = append(entries, vault.ImportEntry{Name: fmt.Sprint("n", i), Value: val("made-up")})
	}
	_, err := l.ImportSecrets(t.Context(), workspace("many"), entries, false)
	must(t, err)
	want, err = take(t.Context(), l)
	must(t, err)
	vaulttest.Healthy(t, l)
	anchor := anchorFile(t, dir)
	remembered := []byte(read(t, anchor))
	return dir, []byte(read(t, vaultFile(dir))), want, func(file []byte) {
		must(t, os.WriteFile(anchor, remembered, 0o600))
		must(t, os.WriteFile(vaultFile(dir), file, 0o600))
	}
}

// damages are the codes of a file that was damaged somewhere.
var damages = []fault.Code{
	fault.VaultCorrupt, fault.AuditBroken, fault.VaultNewer, fault.VaultRollback, fault.WrongKey, fault.KeyUnavailable, fault.InvalidRequest,
}

// examine opens a damaged vault. It must end, in an error of the right kind, or
// with what was there; Doctor must not pass over anything that is missing or
// different. Where bbolt's newer head is damaged it goes on with the older one,
// which is found to be older.
func examine(t *testing.T, what, dir string, want picture) (found string) {
	t.Helper()
	done := make(chan string, 1)
	go func() {
		l := open(t, dir)
		report, err := l.Doctor(context.Background())
		healthy := err == nil && report.Err() == nil
		if err == nil {
			err = report.Err()
		}
		if code := fault.CodeOf(err); code != "" && !slices.Contains(damages, code) {
			t.Errorf("%s: doctor: %v", what, err)
		}
		p, err := take(context.Background(), l)
		diff := ""
		if err == nil && !reflect.DeepEqual(p, want) {
			diff = cmp.Diff(p, want, cmpopts.EquateEmpty())
		}
		switch code := fault.CodeOf(err); {
		case code == "" && healthy && diff != "":
			t.Errorf("%s: nothing is found wrong, and the content is another (-got +want):\n%s", what, diff)
		case code == "" && healthy:
			done <- "unharmed"
			return
		case code == "" && diff != "": // lost records are Doctor's to find; others would be forged
			for _, s := range p.Secrets {
				if !contains(want.Secrets, s) {
					t.Errorf("%s: a secret is there that never was", what)
				}
			}
		case code != "" && !slices.Contains(damages, code):
			t.Errorf("%s: %v", what, err)
		}
		done <- "found"
	}()
	select {
	case found = <-done:
	case <-time.After(2 * time.Minute): // a busy machine is slow, a hang has no end
		t.Fatalf("%s: it hangs", what)
	}
	return found
}

func contains(list []vault.Secret, s vault.Secret) bool {
	for _, o := range list {
		if cmp.Equal(o, s, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(vault.Secret{}, "LastUsedAt")) {
			return true
		}
	}
	return false
}

// TestTruncated cuts the file at every page, and at many sizes between.
// Fault F6.
func TestTruncated(t *testing.T) {
	t.Parallel()
	dir, whole, want, put := large(t)
	rng := rand.New(rand.NewPCG(10, 11))
	sizes := []int{0, 1, 16, 79, 80, 4095, 4097, 8191, len(whole) - 1}
	for n := 0; n < len(whole); n += 4096 {
		sizes = append(sizes, n, n+rng.IntN(4096))
	}
	for i, n := range sizes {
		if testing.Short() && i%5 != 0 {
			continue
		}
		put(whole[:min(n, len(whole))])
		examine(t, fmt.Sprint("cut to ", n), dir, want)
		l := open(t, dir) // a write does not crash either
		_, _ = l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
	}
	put(whole)
	if got := examine(t, "whole", dir, want); got != "unharmed" {
		t.Errorf("the whole file is %s", got)
	}
}

// TestCorrupted damages the file at random: a bit, a byte, a sector of zeros,
// bytes here and there. Fault F7. Case 105.
func TestCorrupted(t *testing.T) {
	t.Parallel()
	n := 500
	switch {
	case os.Getenv("FAULTS") == "full": // as ui/faultrun has it
		n = 10_000
	case testing.Short():
		n = 100
	}
	const parts = 4 // each with a vault of its own
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			corrupt(t, part*n/parts, (part+1)*n/parts)
		})
	}
}

// corrupt does so with a range of seeds.
func corrupt(t *testing.T, from, to int) {
	dir, whole, want, put := large(t)
	kinds := []struct {
		name   string
		damage func(rng *rand.Rand, b []byte)
	}{
		{"bit", func(rng *rand.Rand, b []byte) { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8) }},
		{"byte", func(rng *rand.Rand, b []byte) { b[rng.IntN(len(b))] = byte(rng.Uint32()) }},
		{"sector", func(rng *rand.Rand, b []byte) { at := rng.IntN(len(b)/512) * 512; clear(b[at : at+512]) }},
		{"scattered", func(rng *rand.Rand, b []byte) {
			for range 8 {
				b[rng.IntN(len(b))] = byte(rng.Uint32())
			}
		}},
		{"page header", func(rng *rand.Rand, b []byte) { // where bbolt looks for lengths and places
			at := rng.IntN(len(b)/4096)*4096 + rng.IntN(64)
			b[at] ^= 1 << rng.IntN(8)
		}},
	}
	found := map[string]int{}
	for seed := from; seed < to; seed++ {
		rng := rand.New(rand.NewPCG(12, uint64(seed)))
		kind := kinds[seed%len(kinds)]
		b := bytes.Clone(whole)
		kind.damage(rng, b)
		put(b)
		what := fmt.Sprint(kind.name, " of seed ", seed)
		found[examine(t, what, dir, want)]++
		if seed%10 == 0 {
			l := open(t, dir)
			_, _ = l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
		}
	}
	t.Logf("%v", found)
	if n := to - from; found["found"] < n/20 || found["unharmed"] < n/20 {
		t.Errorf("of %d damages: %v; the test shows little", n, found)
	}
}
