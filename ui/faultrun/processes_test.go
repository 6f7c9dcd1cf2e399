//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// atOnce is how many processes there are at once.
func atOnce() int {
	if testing.Short() {
		return 16
	}
	return 64
}

// Fault F14. Many processes do everything at once: all succeed, nothing is lost
// or done twice, and the log has each of them once.
func TestManyCommandsAtOnce(t *testing.T) {
	t.Parallel()
	w := furnish(t)
	dir := w.copy(t)
	before := look(t, w, dir)
	n := atOnce()
	var wg sync.WaitGroup
	for i := range n {
		args := [][]string{
			{"secrets", "create", "--name", fmt.Sprint("N", i), "--value-file", "value"},
			{"secrets", "rotate", "--id", w.ids["TWO"], "--value-file", "value2"},
			{"secrets", "attach-group", "--id", w.ids["ONE"], "--workspace-id", "w", "--group-id", fmt.Sprint("g", i)},
			{"invoke", "acme/items"},
			{"capability", "create", fmt.Sprint("acme/c", i), "--credential", "acme", "--method", "GET", "--path", "/c"},
			{"secrets", "list"},
			{"secrets", "create", "--name", "SAME", "--value-file", "value"}, // one of them
			{"doctor"},
		}[i%8]
		wg.Go(func() {
			out, err := w.command(args)(dir).CombinedOutput()
			code, _ := lastError(string(out))
			if err != nil && (i%8 != 6 || code != fault.AlreadyExists) {
				t.Errorf("%v: %v: %s", args, err, out)
			}
		})
	}
	wg.Wait()
	after := look(t, w, dir)
	each := n / 8
	want := map[string]int{
		vault.KindSecretCreate + " ok": each + 1, vault.KindSecretRotate + " ok": each, vault.KindSecretAttach + " ok": each,
		intent: each, outcome + " ok": each, vault.KindCapabilityCreate + " ok": each,
	}
	got := map[string]int{}
	events, ok := after.after(before)
	for _, e := range events {
		got[e]++
	}
	if diff := cmp.Diff(got, want); diff != "" || !ok {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	if got := len(after.Things) - len(before.Things); got != 2*each+1 {
		t.Errorf("%d things more", got)
	}
	if got := len(w.service.Requests()); got != each {
		t.Errorf("the service got %d requests", got)
	}
	all := strings.Join(after.Things, "\n")
	for _, says := range []string{
		fmt.Sprintf("secret TWO of workspace:w, version %d,", 1+each),
		fmt.Sprintf("secret ONE of global, version 1, revision %d,", 2+each),
	} {
		if !strings.Contains(all, says) {
			t.Errorf("not %q:\n%s", says, all)
		}
	}
}

// look makes a picture of a vault that is in order.
func look(t *testing.T, w *world, dir string) picture {
	t.Helper()
	l := w.open(dir)
	defer l.Close()
	must(t, healthy(t.Context(), l))
	p, err := take(t.Context(), l)
	must(t, err)
	return p
}

// Fault F15. Sixty-four processes are given the passphrase at once, and no more
// than a few of them have the memory that deriving a key takes.
func TestManyPassphrasesAtOnce(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	dir := w.copy(t)
	kdf, err := vaulttest.CheapKDF()
	must(t, err)
	const memory = 64 << 10 // KiB
	kdf.MemoryKiB, kdf.Time = memory, 2
	l := w.open(dir)
	_, err = l.Init(t.Context(), keys.Config{Kind: keys.KindPassphrase, KDF: kdf})
	must(t, err)
	l.Close()
	n := atOnce()
	cmds := make([]*exec.Cmd, n)
	outs := make([]bytes.Buffer, n)
	var wg sync.WaitGroup
	for i := range n {
		cmds[i] = w.command([]string{"secrets", "list", "--passphrase-file", "pass"})(dir)
		cmds[i].Stdout, cmds[i].Stderr = &outs[i], &outs[i]
		must(t, cmds[i].Start())
	}
	for i, cmd := range cmds {
		wg.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s", err, outs[i].String())
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	most, seen := 0, false
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(2 * time.Millisecond):
		}
		large := 0
		for _, cmd := range cmds {
			if anonymous(cmd.Process.Pid) > memory/2 {
				large++
			}
		}
		most, seen = max(most, large), seen || large > 0
	}
	t.Logf("of %d processes at most %d had the memory at once", n, most)
	if !seen || most > 4 { // one derives; others did, and are about to end
		t.Errorf("%d processes had the memory at once", most)
	}
}

// anonymous is how much memory of its own a process has, in KiB.
func anonymous(pid int) (kib int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			_, _ = fmt.Sscan(rest, &kib)
		}
	}
	return kib
}

// Fault F16. Who reads waits while another process writes, and is told that the
// vault is busy where that takes too long.
func TestAReaderWaits(t *testing.T) {
	t.Parallel()
	w := furnish(t)
	dir := w.copy(t)
	f, err := os.OpenFile(filepath.Join(dir, vaultDir, "vault.lock"), os.O_RDWR, 0)
	must(t, err)
	defer func() { _ = f.Close() }()
	holds := []time.Duration{300 * time.Millisecond}
	if full() {
		holds = append(holds, 12*time.Second)
	}
	for _, held := range holds {
		must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
		began := time.Now()
		released := make(chan error, 1)
		time.AfterFunc(held, func() { released <- syscall.Flock(int(f.Fd()), syscall.LOCK_UN) })
		out, err := w.command([]string{"secrets", "list"})(dir).CombinedOutput()
		took := time.Since(began)
		if code, _ := lastError(string(out)); (err == nil) != (held < 10*time.Second) || err != nil && code != fault.VaultBusy {
			t.Errorf("held for %s: %v: %s", held, err, out)
		}
		if took < min(held, 9*time.Second) {
			t.Errorf("held for %s, it waited for %s", held, took)
		}
		must(t, <-released)
	}
}

// Fault F19. A process that is stopped in the middle of a call goes on where it
// was: one request, one outcome; and the time in which it was stopped counts.
func TestStoppedAndContinued(t *testing.T) {
	t.Parallel()
	stopped := 1500 * time.Millisecond
	if full() {
		stopped = time.Minute
	}
	for _, test := range []struct {
		name  string
		args  []string
		hangs bool
		code  fault.Code
	}{
		{"answered", []string{"invoke", "acme/items"}, false, ""},
		{"late", []string{"invoke", "acme/items", "--timeout-ms", "1000"}, true, fault.Timeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := furnish(t)
			dir := w.copy(t)
			before := look(t, w, dir)
			asked, answer := make(chan struct{}, 10), make(chan struct{})
			w.service.Handle(func(rw http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				select {
				case <-answer:
				case <-r.Context().Done():
				}
			})
			cmd := w.command(test.args)(dir)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			must(t, cmd.Start())
			<-asked
			must(t, cmd.Process.Signal(syscall.SIGSTOP))
			time.Sleep(stopped)
			if !test.hangs {
				close(answer)
			}
			must(t, cmd.Process.Signal(syscall.SIGCONT))
			began := time.Now()
			err := cmd.Wait()
			if code, _ := lastError(out.String()); (err == nil) != (test.code == "") || code != test.code {
				t.Errorf("%v: %s", err, out.String())
			}
			if took := time.Since(began); test.hangs && took > 900*time.Millisecond {
				t.Errorf("it went on for %s, though its time was over", took)
			}
			events, _ := look(t, w, dir).after(before)
			want := strings.TrimSpace(outcome + " error " + string(test.code))
			if test.code == "" {
				want = outcome + " ok"
			}
			if diff := cmp.Diff(events, []string{intent, want}); diff != "" {
				t.Errorf("events (-got +want):\n%s", diff)
			}
			if n := len(w.service.Requests()); n != 1 {
				t.Errorf("the service got %d requests", n)
			}
		})
	}
}

// Fault F20. With few descriptors, little memory or no further processes, a
// command works or says what is missing, and leaves the vault as it was.
func TestFewResources(t *testing.T) {
	t.Parallel()
	s := newSweep(t, writing{args: []string{"secrets", "create", "--name", "NEW", "--value-file", "value2"}}, furnish(t))
	limits := []string{"-n 16", "-n 12", "-n 9", "-n 8", "-n 7", "-n 6", "-n 5", "-n 4", "-n 3"}
	for v := 40_000; v < 1_500_000; v = v * 5 / 4 {
		limits = append(limits, fmt.Sprint("-v ", v))
	}
	worked := map[string]int{}
	for i, limit := range limits {
		if !full() && i%3 != 0 {
			continue
		}
		dir := s.w.copy(t)
		cmd := s.w.command(s.args)(dir)
		cmd.Args = append([]string{"sh", "-c", "ulimit " + limit + ` && exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		p := look(t, s.w, dir)
		state := s.state(p, "")
		code, _ := lastError(out.String())
		switch kind := limit[:2]; {
		case err == nil && state == isNew:
			worked[kind]++
		case err == nil, state != isOld:
			t.Errorf("ulimit %s: %v, and the state is the %s one: %s", limit, err, state, out.String())
		case strings.Contains(out.String(), "fatal error: "): // it is the Go runtime that has no room
			if kind == "-n" && i < 3 {
				t.Errorf("ulimit %s: %v", limit, err)
			}
		case kind == "-n" && code != fault.IO && code != fault.InvalidRequest && code != fault.KeyUnavailable:
			t.Errorf("ulimit %s: %v: %s", limit, err, out.String())
		}
		for _, name := range []string{"value", "value2", "value3"} {
			if strings.Contains(out.String(), s.w.values[name]) {
				t.Errorf("ulimit %s: it shows a secret", limit)
			}
		}
	}
	t.Logf("worked: %v", worked)
	if worked["-n"] == 0 || worked["-v"] == 0 {
		t.Errorf("worked: %v; sixteen descriptors are enough", worked)
	}
}
