//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Fault F18. A signal at any time ends a command, by itself and soon: nothing is
// half done, every call that was begun has its outcome in the log, and the exit
// status says what ended it.
func TestSignals(t *testing.T) {
	t.Parallel()
	runs := 20
	switch {
	case full():
		runs = 170
	case testing.Short():
		runs = 6
	}
	for _, test := range []struct {
		name string
		args []string
		time time.Duration // in which the signal comes
	}{
		{"create", []string{"secrets", "create", "--name", "NEW", "--value-file", "value2"}, 15 * time.Millisecond},
		{"invoke", []string{"invoke", "acme/items"}, 120 * time.Millisecond},
		{"stream", []string{"invoke", "acme/items", "--stream", "--json=false"}, 300 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := furnish(t)
			w.service.Handle(drip)
			s := newSweep(t, writing{args: test.args}, w)
			rng := rand.New(rand.NewPCG(18, uint64(len(test.args))))
			ended := map[string]int{}
			for i := range runs {
				sig := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[i%3]
				ended[s.signalled(t, sig, time.Duration(rng.Int64N(int64(test.time))))]++
			}
			t.Logf("%d runs: %v", runs, ended)
		})
	}
}

// drip answers as a model does that thinks: a little at a time.
func drip(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 20 {
		_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Millisecond)
	}
}

// signalled runs the command, sends it a signal after a while, and tells how it
// ended.
func (s *sweep) signalled(t *testing.T, sig syscall.Signal, after time.Duration) string {
	t.Helper()
	dir := s.w.copy(t)
	defer func() { _ = os.RemoveAll(dir) }() // they are many
	cmd := s.w.command(s.args)(dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	time.Sleep(after)
	_ = cmd.Process.Signal(sig) // it may be over
	began := time.Now()
	_ = cmd.Wait()
	what := fmt.Sprintf("%v after %s", sig, after)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%s: it took %s", what, took)
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	ended := fmt.Sprint("status ", ws.ExitStatus())
	switch {
	case ws.Signaled() && ws.Signal() == sig: // before it was ready for one
		ended = "at once"
	case ws.ExitStatus() != 0 && ws.ExitStatus() != 128+int(sig):
		t.Errorf("%s: %v: %s", what, cmd.ProcessState, out.String())
	}
	p := look(t, s.w, dir)
	events, ok := p.after(s.old)
	begun := count(events, intent)
	if outcomes := len(events) - begun; begun > 0 && outcomes != begun || !ok {
		t.Errorf("%s: %s: the log ends with %q", what, ended, events)
	}
	done := s.state(p, "") == isNew
	if begun == 0 && !done && s.state(p, "") != isOld {
		t.Errorf("%s: neither the old state nor the new one (-got +new):\n%s", what, p.diff(s.new))
	}
	if ws.ExitStatus() == 0 && !ws.Signaled() && !done {
		t.Errorf("%s: it says that it is done, and it is not", what)
	}
	return strings.TrimSpace(ended + map[bool]string{true: ", done"}[done])
}

func count(list []string, s string) (n int) {
	for _, e := range list {
		if e == s {
			n++
		}
	}
	return n
}

// Fault F22. The audit log is in the vault's file. Where that is gone, replaced
// or damaged, no call is made.
func TestNoCallWithoutALog(t *testing.T) {
	t.Parallel()
	const file = vaultDir + "/vault.db"
	w := furnish(t)
	older := w.files[file]
	w.run(t, []string{"secrets", "rotate", "--id", w.ids["TWO"], "--value-file", "value2"})
	other := furnish(t)
	for name, damage := range map[string]func(files map[string][]byte){
		"deleted":         func(files map[string][]byte) { delete(files, file) },
		"emptied":         func(files map[string][]byte) { files[file] = []byte{} },
		"cut":             func(files map[string][]byte) { files[file] = files[file][:len(files[file])/2] },
		"an older one":    func(files map[string][]byte) { files[file] = older },
		"another vault's": func(files map[string][]byte) { files[file] = other.files[file] },
		"zeros":           func(files map[string][]byte) { files[file] = make([]byte, len(files[file])) },
	} {
		dir := scratch(t)
		files := map[string][]byte{}
		for path, content := range w.files {
			files[path] = slices.Clone(content)
		}
		damage(files)
		writeFiles(t, dir, files)
		out, err := w.command([]string{"invoke", "acme/items"})(dir).CombinedOutput()
		code, hint := lastError(string(out))
		if err == nil || code == "" || hint == "" {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if got, want := readFiles(t, dir)[file], files[file]; !bytes.Equal(got, want) {
			t.Errorf("%s: the file was written", name)
		}
	}
	if n := len(w.service.Requests()); n != 0 {
		t.Errorf("the service got %d requests", n)
	}
}
