//go:build unix

package daemon

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"aivault/keys/fault"
)

// Start starts a daemon that outlives us, and returns once clients can connect,
// be it to that one or to another that was faster. It waits for at most 10 s.
//
// The daemon is of a session of its own, so that signals from our terminal do
// not reach it, in the root directory, and has no file of ours. Neither its
// program nor its environment are what a variable says: no PATH is searched.
//
// The error is what the daemon said, or timeout, or canceled when ctx ended.
func Start(ctx context.Context, l Launch) error {
	if answers(ctx, l.Socket, probeTime) {
		return nil
	}
	waiting, stop := context.WithTimeout(ctx, startTime)
	defer stop()
	for {
		err := startOne(waiting, l)
		if err == nil {
			return nil
		}
		if fault.CodeOf(err) == fault.VaultBusy && awaitOther(waiting, l.Socket) {
			return nil
		}
		switch {
		case ctx.Err() != nil:
			return fault.Wrap(fault.Canceled, ctx.Err(), "starting the daemon")
		case waiting.Err() != nil && fault.CodeOf(err) != fault.VaultBusy:
			return fault.New(fault.Timeout, "the daemon was not ready within %s", startTime).
				WithHint("aivault daemon shows what happens")
		case waiting.Err() != nil || fault.CodeOf(err) != fault.VaultBusy:
			return err
		}
	}
}

// awaitOther waits for a daemon that holds the lock to listen. One that is
// about to leave never does, so that the wait is short, and another is started.
func awaitOther(ctx context.Context, socket string) bool {
	for deadline := time.Now().Add(20 * pollTime); ctx.Err() == nil && time.Now().Before(deadline); time.Sleep(pollTime) {
		if answers(ctx, socket, probeTime) {
			return true
		}
	}
	return false
}

// startOne starts one process and returns what it reports. One that said nothing
// in time is killed, as nobody would know of it; one whose user lost patience is
// left to others.
func startOne(ctx context.Context, l Launch) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fault.Wrap(fault.IO, err, "starting the daemon")
	}
	defer func() { _ = r.Close() }()
	process, err := launch(l, w)
	_ = w.Close()
	if err != nil {
		return fault.Wrap(fault.IO, err, "starting the daemon")
	}
	// It ends when the daemon does, which is then no zombie of ours; when we end
	// first, the system inherits it.
	go func() { _, _ = process.Wait() }()
	quit := context.AfterFunc(ctx, func() { _ = r.SetReadDeadline(time.Now()) })
	defer quit()
	err = readReport(r)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		_ = process.Kill()
	}
	return err
}

func launch(l Launch, report *os.File) (*os.Process, error) {
	path, err := program(l.Path)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	keepFiles()
	env := l.Env
	if env == nil {
		env = []string{} // to os, nil means our own
	}
	return os.StartProcess(path, l.Args, &os.ProcAttr{
		Dir: "/", Env: env,
		Files: []*os.File{null, null, null, report},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

// keepFiles has no process that we start inherit a file of whoever started us.
// What Go opens is closed there anyway, but a shell may have left us the end of a
// pipe, and who reads from the other end would wait for as long as a daemon lives.
func keepFiles() {
	entries, _ := os.ReadDir("/dev/fd") // where there is none, nothing can be done
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// program returns the file to execute. On Linux the link in /proc is the
// program that runs, also when another was put in its place.
func program(path string) (string, error) {
	switch {
	case path != "":
		return path, nil
	case runtime.GOOS == "linux":
		return "/proc/self/exe", nil
	}
	path, err := os.Executable()
	if errors.Is(err, os.ErrNotExist) {
		return "", fault.New(fault.IO, "the file of this program is gone")
	}
	return path, err
}
