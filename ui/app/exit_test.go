package app_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/ui/app"
)

// Every code has a row of its own: only a bug is 70.
func TestExitStatusOfEveryCode(t *testing.T) {
	t.Parallel()
	want := map[fault.Code]int{
		fault.InvalidRequest: 2, fault.Usage: 2,
		fault.PolicyViolation: 3, fault.OperatorAuthRequired: 3, fault.TokenInvalid: 3,
		fault.CapabilityNotFound: 5, fault.CredentialNotFound: 5, fault.SecretNotFound: 5,
		fault.CredentialAmbiguous: 5, fault.SecretNotAccessible: 5,
		fault.VaultLocked: 6, fault.KeyUnavailable: 6, fault.WrongKey: 6,
		fault.VaultCorrupt: 7, fault.VaultRollback: 7, fault.VaultNewer: 7, fault.AuditBroken: 7,
		fault.IO: 8, fault.DiskFull: 8, fault.OutcomeUnknown: 8,
		fault.VaultBusy: 9, fault.AlreadyExists: 9, fault.Conflict: 9,
		fault.Timeout: 10, fault.UpstreamUnreachable: 10, fault.AuthFailed: 10,
		fault.OAuthRefreshRequired: 10, fault.UpstreamStatus: 10,
		fault.RateLimited: 11, fault.RequestTooLarge: 11, fault.ResponseTooLarge: 11,
		fault.AuditUnavailable: 12, fault.Canceled: 130, fault.Internal: 70,
	}
	for _, code := range fault.Codes() {
		status, listed := want[code]
		if !listed {
			t.Errorf("%s has no row in this test", code)
		}
		if got := app.ExitStatus(context.Background(), fault.New(code, "it failed")); got != status {
			t.Errorf("%s: status %d, want %d", code, got, status)
		}
	}
	if got := app.ExitStatus(context.Background(), errors.New("no code")); got != 70 {
		t.Errorf("an error without a code: status %d, want 70", got)
	}
	pipe := fault.Wrap(fault.Canceled, &os.PathError{Op: "write", Path: "x", Err: syscall.EPIPE}, "writing the output")
	if got := app.ExitStatus(context.Background(), pipe); got != 141 {
		t.Errorf("a closed pipe: status %d, want 141", got)
	}
	// Of a connection it is no such thing.
	broken := fault.Wrap(fault.UpstreamUnreachable, syscall.EPIPE, "writing the request")
	if got := app.ExitStatus(context.Background(), broken); got != 10 {
		t.Errorf("a closed connection: status %d, want 10", got)
	}
	if got := app.ExitStatus(context.Background(), nil); got != 0 {
		t.Errorf("no error: status %d, want 0", got)
	}
}

// What is ignored here, as by a shell for what it starts in the background, the
// processes that are asked would ignore too.
func TestMain(m *testing.M) {
	if os.Getenv("WAIT_FOR_SIGNAL") == "" {
		for _, s := range [...]os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
			if signal.Ignored(s) {
				signal.Notify(make(chan os.Signal, 1), s)
			}
		}
	}
	m.Run()
}

// A signal becomes the exit status; a process is asked, as a signal is for all
// tests of this one. SIGHUP that is ignored, as under nohup, stays ignored.
func TestExitStatusOfSignals(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperWaitsForSignal$")
		cmd.Env = append(os.Environ(), "WAIT_FOR_SIGNAL=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // it is ready
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Skipf("this system has no %v: %v", s, err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != 128+int(s) {
			t.Errorf("%v: status %d, want %d", s, got, 128+int(s))
		}
	}
}

// Who has the same signal twice at once, as timeout(1) sends it to a process
// and again to its group, means one: what a call came to is still recorded. A
// later one ends the process at once.
func TestSignalTwiceAtOnceIsOne(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperWaitsForSignal$")
	cmd.Env = append(os.Environ(), "WAIT_FOR_SIGNAL=and linger")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"is ready", "got the first", "lived through the second"} {
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatalf("the process ended before it %s: %v", step, err)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Skipf("this system has no SIGTERM: %v", err)
		}
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for {
		select {
		case <-ended:
			if code := cmd.ProcessState.ExitCode(); code != -1 {
				t.Errorf("a later signal: status %d, want the signal itself", code)
			}
			return
		case <-time.After(50 * time.Millisecond):
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
}

func TestHelperWaitsForSignal(t *testing.T) {
	how := os.Getenv("WAIT_FOR_SIGNAL")
	if how == "" {
		t.Skip("only as a process of its own")
	}
	ctx, stop := app.WithSignals(context.Background())
	defer stop()
	_, _ = os.Stdout.WriteString("x")
	select {
	case <-ctx.Done():
		if how == "and linger" {
			_, _ = os.Stdout.WriteString("x")
			time.Sleep(50 * time.Millisecond)
			_, _ = os.Stdout.WriteString("x")
			time.Sleep(time.Minute)
		}
		os.Exit(app.ExitStatus(ctx, fault.Wrap(fault.Canceled, context.Cause(ctx), "waiting")))
	case <-time.After(time.Minute):
		t.Fatal("no signal in " + strconv.Itoa(60) + " s")
	}
}
