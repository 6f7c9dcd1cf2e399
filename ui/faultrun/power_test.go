//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// images is how many states of a disk are looked at for each command.
func images() int {
	switch {
	case full():
		return 600
	case testing.Short():
		return 20
	}
	return 60
}

// Fault F2. The power goes at any moment of any command that writes, and the disk
// keeps of what was not synced what it likes, sector by sector: the vault is in
// the old state or in the new one. What a command said is done is done.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	needWatch(t)
	for _, c := range commands() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSweep(t, c, worlds()[c.world](t))
			dir := s.w.copy(t)
			calls := s.w.record(t, dir, s.w.command(s.args, c.env...))
			rng := rand.New(rand.NewPCG(2, uint64(len(calls))))
			after := scratch(t)
			n := images()
			for i := range n {
				d := newDisk(dir, s.w.files)
				done := 1 + i*len(calls)/n // the ends of the command are as likely as its middle
				if i%10 == 0 {
					done = len(calls)
				}
				for _, call := range calls[:min(done, len(calls))] {
					d.apply(call)
				}
				writeFiles(t, after, d.lose(rng))
				s.powerless(t, fmt.Sprintf("image %d, after %d of %d calls", i, done, len(calls)), after, done >= len(calls))
			}
			t.Logf("%d images: %d old, %d new, %d between, %d other", n, s.olds, s.news, s.betweens, s.thirds)
			if s.news == 0 {
				t.Error("the new state is nowhere")
			}
		})
	}
}

// powerless looks at what a loss of power left.
func (s *sweep) powerless(t *testing.T, what, dir string, done bool) {
	t.Helper()
	ctx := context.Background()
	l := s.w.open(dir)
	defer l.Close()
	p, err := take(ctx, l)
	if err != nil {
		s.thirds++
		t.Errorf("%s: %v", what, err)
		return
	}
	switch state := s.state(p, s.outside(t, what, dir)); {
	case done && state != isNew:
		t.Errorf("%s: it was done, and the state is the %s one", what, state)
	case state == isOld:
		s.olds++
	case state == isNew:
		s.news++
	case state == isBetween:
		s.betweens++
	default:
		s.thirds++
		t.Errorf("%s: neither the old state nor the new one (-got +new):\n%s", what, p.diff(s.new))
	}
	if s.older(p) {
		return
	}
	if err := healthy(ctx, l); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	s.values(t, what, l)
}

// Fault F2, where a disk does not even keep its word: whatever sectors of the
// file are those of before a command and those of after it, the vault is in one
// of the two states, or it says that it is damaged.
func TestTornVault(t *testing.T) {
	t.Parallel()
	const file = vaultDir + "/vault.db"
	for _, c := range commands() {
		if c.world == "empty" || c.world == "cheap" || c.outside != nil {
			continue // there is no file before, or the other file is the point
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSweep(t, c, worlds()[c.world](t))
			dir := s.w.copy(t)
			if out, err := s.w.command(s.args, c.env...)(dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			before, after := s.w.files, readFiles(t, dir)
			rng := rand.New(rand.NewPCG(3, 4))
			found := map[string]int{}
			for i := range images() / 3 {
				files := maps.Clone(before)
				if i%2 == 0 { // what was remembered outside the file may be of either
					files = maps.Clone(after)
				}
				files[file] = tear(rng, before[file], after[file])
				writeFiles(t, dir, files)
				found[s.torn(t, fmt.Sprint("image ", i), dir)]++
			}
			t.Logf("%v", found)
		})
	}
}

// tear mixes two files by sectors.
func tear(rng *rand.Rand, a, b []byte) []byte {
	size := []int{len(a), len(b)}[rng.IntN(2)]
	mixed := make([]byte, max(len(a), len(b)))
	odds := []float64{0.05, 0.5, 0.95}[rng.IntN(3)]
	for at := 0; at < len(mixed); at += sector {
		from := a
		if rng.Float64() < odds {
			from = b
		}
		if at < len(from) {
			copy(mixed[at:min(at+sector, len(mixed))], from[at:])
		}
	}
	return mixed[:size]
}

// torn looks at a mixed vault, and tells what it found.
func (s *sweep) torn(t *testing.T, what, dir string) string {
	t.Helper()
	ctx := context.Background()
	l := s.w.open(dir)
	defer l.Close()
	damages := []fault.Code{fault.VaultCorrupt, fault.AuditBroken, fault.VaultRollback, fault.WrongKey, fault.KeyUnavailable, fault.VaultNewer}
	sick := healthy(ctx, l)
	p, err := take(ctx, l)
	if err != nil || sick != nil || s.older(p) {
		for _, err := range []error{err, sick} {
			if code := fault.CodeOf(err); err != nil && !slices.Contains(damages, code) {
				t.Errorf("%s: %v", what, err)
			}
		}
		return "found"
	}
	state := s.state(p, s.made[1])
	if state == isOther && !s.known(p) {
		t.Errorf("%s: nothing is found wrong, and the state is neither the old one nor the new one (-got +new):\n%s", what, p.diff(s.new))
	}
	// What is in order stays so, whoever writes.
	s.values(t, what, l)
	for i := range 5 {
		vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("AFTERWARDS", i), strings.Repeat("made-up ", 1+600*i))
	}
	if err := healthy(ctx, l); err != nil {
		t.Errorf("%s: %s: after it was written to: %v", what, state, err)
	}
	return state
}

// known reports whether a picture is one of a moment between the transactions of
// the command.
func (s *sweep) known(p picture) bool {
	events, ok := p.after(s.old)
	return ok && len(events) > 0 && len(s.c.between) > 0
}

// Fault F26. A copy that somebody makes with cp, while others write, is whole or
// is found to be torn; one that `aivault backup` makes then is whole.
func TestCopyWhileWriting(t *testing.T) {
	t.Parallel()
	w := furnish(t)
	dir := w.copy(t)
	l := w.open(dir)
	t.Cleanup(l.Close)
	copies := map[string]int{}
	stop := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		id, err := vault.ParseSecretRef(w.ids["ONE"])
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, err = l.RotateSecret(context.Background(), id, newValue(fmt.Sprint("made-up-", i, "-", string(bytes.Repeat([]byte("x"), i%3000)))), 0)
		}
		ended <- err
	}()
	n := 40
	if full() {
		n = 400
	}
	other := scratch(t)
	for i := range n {
		files := readFiles(t, dir)
		delete(files, "backup")
		writeFiles(t, other, files)
		c := w.open(other)
		err := healthy(t.Context(), c)
		c.Close()
		switch code := fault.CodeOf(err); code {
		case "", fault.VaultCorrupt, fault.AuditBroken, fault.VaultRollback:
			copies[string(code)]++
		default:
			t.Errorf("copy %d: %v", i, err)
		}
		if i%10 == 0 {
			if out, err := w.command([]string{"backup", "backup", "--force"})(dir).CombinedOutput(); err != nil {
				t.Errorf("backup %d: %v: %s", i, err, out)
			} else if _, err := l.Compare(t.Context(), dir+"/backup"); err != nil {
				t.Errorf("backup %d: %v", i, err)
			}
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("%d copies: %v", n, copies)
	if copies[""] == 0 {
		t.Error("no copy is whole, so that this tests little")
	}
}
