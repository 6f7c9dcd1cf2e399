package ui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
)

// audit --follow shows what there is, then what happens while it runs: people
// one row for a call, programs each event as a line. A signal ends it.
func TestFollow(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	for _, test := range []struct {
		name   string
		args   []string
		before []string // lines that are there when it starts
		after  []string // and those of a call and a denial
	}{
		{
			"for people",
			[]string{"--limit", "1"},
			[]string{`^TIME +WHAT +OUTCOME +CONTEXT +DETAIL$`, `capability\.create +ok +acme/items`},
			[]string{`acme/items +ok +w +GET /items 200 by acme$`, `acme/items +policy_violation +global +DELETE /items by acme: the capability does not allow the method DELETE$`},
		},
		{
			"for programs",
			[]string{"--json", "--limit", "1", "--capability", "acme/items"},
			[]string{`"kind":"capability.create"`},
			[]string{`"kind":"invoke.intent"`, `"kind":"invoke.outcome".*"status":200`, `"kind":"invoke.denied".*"code":"policy_violation"`},
		},
		{
			"for people, by outcome",
			[]string{"--outcome", "policy_violation"},
			[]string{`^TIME +WHAT +OUTCOME +CONTEXT +DETAIL$`},
			[]string{`acme/items +policy_violation +global +DELETE /items`},
		},
		{
			"for programs, by outcome",
			[]string{"--json", "--outcome", "ok", "--kind", "invoke"},
			nil,
			[]string{`"kind":"invoke.outcome".*"status":200`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newRealVault(t, brokertest.New(t))
			cmd, lines := startFollowing(t, v, test.args)
			expect := func(patterns []string) {
				t.Helper()
				for _, p := range patterns {
					if !lines.Scan() || !regexp.MustCompile(p).MatchString(lines.Text()) {
						t.Fatalf("got %q, want %s", lines.Text(), p)
					}
					if test.args[0] == "--json" && !json.Valid(lines.Bytes()) {
						t.Errorf("no JSON: %s", lines.Text())
					}
				}
			}
			expect(test.before)
			v.run(nil, "invoke", "acme/items", "--workspace-id", "w")
			denied := exec.Command(v.exe, "invoke", "acme/items", "--method", "DELETE")
			denied.Env = v.env
			if denied.Run() == nil {
				t.Error("the call was made")
			}
			expect(test.after)
			_ = cmd.Process.Signal(syscall.SIGINT)
			if lines.Scan() {
				t.Errorf("one more line: %s", lines.Text())
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != 130 {
				t.Errorf("exit status %d, want 130", got)
			}
		})
	}
}

// startFollowing starts audit --follow, and returns what reads its lines.
func startFollowing(t *testing.T, v *realVault, args []string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, v.exe, append([]string{"audit", "--follow"}, args...)...)
	cmd.Env = v.env
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(stdout)
}

// Who closes the pipe ends it, without having to wait for an event.
func TestFollowEndsWithItsReader(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there it shows when the next event is written")
	}
	v := newRealVault(t, brokertest.New(t))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(v.exe, "audit", "--follow", "--json", "--limit", "1")
	cmd.Env, cmd.Stdout = v.env, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	_ = w.Close()
	if !bufio.NewScanner(r).Scan() {
		t.Error("nothing was printed")
	}
	_ = r.Close()
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 141 {
		t.Errorf("exit status %d, want 141", got)
	}
}
