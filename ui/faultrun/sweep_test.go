//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"aivault/keys/fault"
	"aivault/ui/faultrun"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A sweep runs one command many times.
type sweep struct {
	c        writing
	w        *world
	args     []string
	old, new picture
	made     [2]string // outside of the vault, before and after

	runs, olds, news, betweens, thirds int
	codes                              map[fault.Code]int
}

// A totals is what all sweeps of a test did.
type totals struct {
	mu                                 sync.Mutex
	runs, olds, news, betweens, thirds int
}

func (s *totals) add(o *sweep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs, s.olds, s.news, s.betweens, s.thirds = s.runs+o.runs, s.olds+o.olds, s.news+o.news, s.betweens+o.betweens, s.thirds+o.thirds
}

// Fault F1, F3, F4. Every command that writes is killed at every call
// that touches a file of the vault, and every such call fails in every way that
// it can. Afterwards the vault is in the old state or in the new one, and in
// order; who was told that it is done finds it done, and who was told that it was
// not finds it not done; the command can be given again.
func TestEveryCommandAtEveryCall(t *testing.T) {
	t.Parallel()
	needWatch(t)
	made := map[string]func() *world{}
	for name, build := range worlds() {
		made[name] = sync.OnceValue(func() *world { return build(t) })
	}
	var all totals
	t.Run("commands", func(t *testing.T) {
		for _, c := range commands() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s := newSweep(t, c, made[c.world]())
				s.all(t)
				t.Logf("%d runs: %d old, %d new, %d between, %d other; told %v", s.runs, s.olds, s.news, s.betweens, s.thirds, s.codes)
				all.add(s)
			})
		}
	})
	t.Logf("%d runs: %d old, %d new, %d between, %d other", all.runs, all.olds, all.news, all.betweens, all.thirds)
}

// newSweep looks at what the command does where nothing goes wrong.
func newSweep(t *testing.T, c writing, w *world) *sweep {
	t.Helper()
	s := &sweep{c: c, w: w, codes: map[fault.Code]int{}}
	s.args = w.named(c.args)
	dir := w.copy(t)
	s.old = s.look(t, dir)
	if c.outside != nil {
		var err error
		s.made[0], err = c.outside(t.Context(), w, dir)
		must(t, err)
	}
	if out, err := w.command(s.args, c.env...)(dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.new = s.look(t, dir)
	if c.outside != nil {
		var err error
		s.made[1], err = c.outside(t.Context(), w, dir)
		must(t, err)
	}
	if s.old.diff(s.new) == "" && s.made[0] == s.made[1] {
		t.Fatal("it does nothing")
	}
	return s
}

// named puts ids in the place of names.
func (w *world) named(args []string) []string {
	args = slices.Clone(args)
	for i, a := range args {
		if name, ok := strings.CutPrefix(a, "$"); ok {
			args[i] = w.ids[name]
		}
	}
	return args
}

func (s *sweep) look(t *testing.T, dir string) picture {
	t.Helper()
	l := s.w.open(dir)
	defer l.Close()
	p, err := take(context.Background(), l)
	must(t, err)
	return p
}

// errnos are the ways in which a call can fail.
func errnos(name string) []syscall.Errno {
	switch name {
	case "pwrite64", "write":
		return []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT}
	case "fdatasync", "fsync":
		return []syscall.Errno{syscall.EIO, syscall.ENOSPC}
	case "ftruncate":
		return []syscall.Errno{syscall.ENOSPC, syscall.EIO}
	case "openat":
		return []syscall.Errno{syscall.EIO, syscall.EMFILE, syscall.EROFS, syscall.EACCES, syscall.ENOSPC}
	}
	return []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS}
}

// all runs the command once for every call and fate, until it passes untouched; or,
// where no more is asked for, for every call and two fates, or for a sample.
func (s *sweep) all(t *testing.T) {
	calls := s.w.record(t, s.w.copy(t), s.w.command(s.args, s.c.env...))
	if !every() {
		s.sample(t, calls)
		return
	}
	for i := 1; s.run(t, i, func(string) faultrun.Fate { return faultrun.Fate{Kill: true} }); i++ {
	}
	if !full() { // each fails in one of its ways
		for i := 1; s.run(t, i, nthErrno(i)); i++ {
		}
		return
	}
	for nth := range 5 {
		for i := 1; ; i++ {
			if i <= len(calls) && len(errnos(calls[i-1].Name)) <= nth {
				continue
			}
			if hit := s.run(t, i, nthErrno(nth)); !hit && i > len(calls) {
				break
			}
		}
	}
}

// nthErrno has a call fail in one of its ways.
func nthErrno(n int) func(name string) faultrun.Fate {
	return func(name string) faultrun.Fate {
		ways := errnos(name)
		return faultrun.Fate{Errno: ways[n%len(ways)]}
	}
}

// sample takes three calls of each name, and the end.
func (s *sweep) sample(t *testing.T, calls []faultrun.Call) {
	byName := map[string][]int{}
	for _, c := range calls {
		byName[c.Name] = append(byName[c.Name], c.Index)
	}
	for i, name := range slices.Sorted(maps.Keys(byName)) {
		at := byName[name]
		some := slices.Compact([]int{at[0], at[len(at)/2], at[len(at)-1]})
		for j, index := range some {
			if testing.Short() && (i+j)%3 != 0 {
				continue
			}
			s.run(t, index, func(string) faultrun.Fate { return faultrun.Fate{Kill: true} })
			s.run(t, index, nthErrno(i+j))
		}
	}
	if s.run(t, len(calls)+50, func(string) faultrun.Fate { return faultrun.Fate{Kill: true} }) {
		t.Error("it made fifty calls more than before")
	}
}

// run runs the command with one of its calls having a fate, and reports whether
// it came to that call.
func (s *sweep) run(t *testing.T, index int, fate func(name string) faultrun.Fate) (hit bool) {
	t.Helper()
	dir := s.w.copy(t)
	defer func() { _ = os.RemoveAll(dir) }() // they are many
	cmd := s.w.command(s.args, s.c.env...)(dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	what := "untouched"
	var chosen faultrun.Fate
	err := faultrun.Watch{Dir: dir, Decide: func(c faultrun.Call) faultrun.Fate {
		if hit || c.Index != index {
			return faultrun.Fate{}
		}
		hit, chosen = true, fate(c.Name)
		what = fmt.Sprintf("call %d, %v: %v", index, c, chosen.Errno)
		if chosen.Kill {
			what = fmt.Sprintf("killed at call %d, %v", index, c)
		}
		return chosen
	}}.Run(cmd)
	if failed, ok := errors.AsType[*faultrun.Error](err); ok {
		t.Fatalf("%s: %v", what, failed)
	}
	s.runs++
	s.judge(t, what, dir, cmd, stderr.String(), chosen.Kill)
	return hit
}

// The states in which a command can leave the vault.
const (
	isOld     = "old"
	isNew     = "new"
	isBetween = "between"
	isOther   = "other"
)

// judge looks at what a run left.
func (s *sweep) judge(t *testing.T, what, dir string, cmd *exec.Cmd, stderr string, killed bool) {
	t.Helper()
	ctx := context.Background()
	l := s.w.open(dir)
	defer l.Close()
	p, err := take(ctx, l)
	if err != nil {
		s.thirds++
		t.Errorf("%s: %v\nit said: %s", what, err, stderr)
		return
	}
	if s.c.halfway && slices.ContainsFunc(p.Things, func(thing string) bool { return strings.HasSuffix(thing, ", to go") }) {
		s.betweens++
		if err := healthy(ctx, l); err != nil || !cmd.ProcessState.Success() && !killed {
			t.Errorf("%s: half way: %v, %v", what, cmd.ProcessState, err)
		}
		return
	}
	made := s.outside(t, what, dir)
	state := s.state(p, made)
	switch state {
	case isOld:
		s.olds++
	case isNew:
		s.news++
	case isBetween:
		s.betweens++
	default:
		s.thirds++
		t.Errorf("%s: neither the old state nor the new one (-got +new):\n%s\nit said: %s", what, p.diff(s.new), stderr)
	}
	if !killed {
		s.told(t, what, state, cmd, stderr)
	}
	if !s.older(p) {
		if err := healthy(ctx, l); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		s.values(t, what, l)
	}
	s.next(t, what, dir, state, l)
}

// state tells which one a picture shows.
func (s *sweep) state(p picture, made string) string {
	switch {
	case p.diff(s.new) == "" && made == s.made[1]:
		return isNew
	case p.diff(s.old) == "" && made == s.made[0]:
		return isOld
	}
	events, ok := p.after(s.old)
	between := strings.Join(events, " ")
	if ok && p.same(s.old) && slices.Contains(s.c.between, between) || ok && slices.Contains(s.c.between, "*"+between) {
		return isBetween
	}
	return isOther
}

// older reports whether the vault is one that is known to be an older copy.
func (s *sweep) older(p picture) bool { return slices.Contains(p.Things, anOlderCopy) }

func (s *sweep) outside(t *testing.T, what, dir string) string {
	t.Helper()
	if s.c.outside == nil {
		return ""
	}
	made, err := s.c.outside(context.Background(), s.w, dir)
	if err != nil || made != s.made[0] && made != s.made[1] {
		t.Errorf("%s: outside the vault: %q, %v", what, made, err)
	}
	return made
}

// told compares what a command that ended by itself said with what it did.
func (s *sweep) told(t *testing.T, what, state string, cmd *exec.Cmd, stderr string) {
	t.Helper()
	done := state == isNew
	status := cmd.ProcessState.ExitCode()
	if status == 0 {
		s.codes[""]++
		if !done {
			t.Errorf("%s: it says that it is done, and the state is the %s one", what, state)
		}
		return
	}
	code, hint := lastError(stderr)
	s.codes[code]++
	allowed := []fault.Code{fault.IO, fault.DiskFull, fault.OutcomeUnknown, fault.KeyUnavailable, fault.AuditUnavailable, fault.InvalidRequest, fault.Conflict}
	switch {
	case !slices.Contains(allowed, code) || hint == "" && (code == fault.DiskFull || code == fault.OutcomeUnknown):
		t.Errorf("%s: status %d, says %s", what, status, stderr)
	case done && code != fault.OutcomeUnknown && code != fault.AuditUnavailable && !strings.Contains(stderr, "the change was made"):
		t.Errorf("%s: it says that it failed, and it is done: %s", what, stderr)
	}
}

// lastError is the error that a command printed, and whether there is a hint.
func lastError(stderr string) (code fault.Code, hint string) {
	var e struct {
		Error struct {
			Code          fault.Code
			Message, Hint string
		}
	}
	lines := strings.SplitAfter(stderr, "\n")
	for i := range lines { // notices come before it
		if json.Unmarshal([]byte(strings.Join(lines[i:], "")), &e) == nil {
			return e.Error.Code, e.Error.Hint
		}
	}
	return "", ""
}

// values checks that a secret has the value that belongs to its version.
func (s *sweep) values(t *testing.T, what string, l *vault.Local) {
	t.Helper()
	if err := s.value(l); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func (s *sweep) value(l *vault.Local) error {
	ctx := context.Background()
	id, err := vault.ParseSecretRef(s.w.ids["ONE"])
	if err != nil {
		return nil // there is none
	}
	one, err := l.FindSecret(ctx, id.String())
	if err != nil || len(one.Hosts) == 0 {
		return nil // it was deleted, or nobody may use it
	}
	grant, err := l.Authorize(ctx, func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Uses: []vault.Use{{Secret: id, Provider: "acme", Host: one.Hosts[0]}}}, nil
	})
	if err != nil {
		return err
	}
	defer grant.Values[0].Clear()
	want := s.w.values[map[uint64]string{1: "value", 2: "value2"}[one.Version]]
	if string(grant.Values[0].Reveal()) != want {
		return fmt.Errorf("version %d has the value of another", one.Version)
	}
	return nil
}

// next has the command given again, if it was not done, or else something else
// written.
func (s *sweep) next(t *testing.T, what, dir, state string, l *vault.Local) {
	t.Helper()
	ctx := context.Background()
	if state != isNew {
		again := s.args
		if s.c.again != nil {
			again = s.w.named(s.c.again)
		}
		if out, err := s.w.command(again, s.c.env...)(dir).CombinedOutput(); err != nil {
			t.Errorf("%s: given again, %v: %s", what, err, out)
			return
		}
		p, err := take(ctx, l)
		if err != nil || !p.same(s.new) {
			t.Errorf("%s: given again: %v (-got +new):\n%s", what, err, p.diff(s.new))
		}
	} else {
		vaulttest.Create(t, l, vault.GlobalScope(), "AFTERWARDS", "made-up")
	}
	if err := healthy(ctx, l); err != nil {
		t.Errorf("%s: afterwards: %v", what, err)
	}
}
