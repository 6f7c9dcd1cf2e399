package term_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// patience is for a busy machine; nothing here waits so long if all is well.
const patience = 20 * time.Second

// A terminal is a pseudo-terminal with the probe on it, or a shell.
type terminal struct {
	t      *testing.T
	keys   *os.File // where the person types and sees
	tty    *os.File
	cmd    *exec.Cmd
	lines  chan string // what the probe tells
	before *unix.Termios

	mu     sync.Mutex
	screen bytes.Buffer
	exited chan struct{}
}

// open makes a terminal of 80x24.
func open(t *testing.T) *terminal {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, keys: keys, tty: tty, lines: make(chan string, 10000), exited: make(chan struct{})}
	term.resize(80, 24)
	term.before = term.termios()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		buf := make([]byte, 4096)
		for {
			n, err := keys.Read(buf)
			term.mu.Lock()
			term.screen.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		_ = keys.Close()
		<-drained
	})
	return term
}

func (term *terminal) resize(width, height uint16) {
	term.t.Helper()
	if err := pty.Setsize(term.keys, &pty.Winsize{Cols: width, Rows: height}); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) termios() *unix.Termios {
	term.t.Helper()
	state, err := unix.IoctlGetTermios(int(term.tty.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return state
}

// run starts a command on the terminal.
func (term *terminal) run(env []string, name string, args ...string) {
	term.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		term.t.Fatal(err)
	}
	term.cmd = exec.Command(name, args...)
	term.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "NO_COLOR=") || strings.HasPrefix(v, "TERM=")
	}), append([]string{"TERM_PROBE=1", "TERM=xterm-256color", "LANG=C.UTF-8"}, env...)...)
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = term.tty, term.tty, term.tty
	term.cmd.ExtraFiles = []*os.File{w}
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		term.t.Fatal(err)
	}
	_ = w.Close()
	go func() {
		defer close(term.lines)
		defer r.Close()
		for s := bufio.NewScanner(r); s.Scan(); {
			term.lines <- s.Text()
		}
	}()
	go func() {
		_ = term.cmd.Wait()
		close(term.exited)
	}()
	term.t.Cleanup(func() {
		_ = term.cmd.Process.Kill()
		<-term.exited
	})
}

// start starts the probe, and waits until it has drawn and reads keys.
func start(t *testing.T, env ...string) *terminal {
	t.Helper()
	term := open(t)
	term.run(env, probeFile(t))
	term.tells("size 80x24")
	term.shows("size 80x24")
	return term
}

func probeFile(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func (term *terminal) types(s string) {
	term.t.Helper()
	if _, err := io.WriteString(term.keys, s); err != nil {
		term.t.Fatal(err)
	}
}

// tells expects that the probe tells these lines next.
func (term *terminal) tells(want ...string) {
	term.t.Helper()
	var got []string
	timeout := time.After(patience)
	for range want {
		select {
		case line, ok := <-term.lines:
			if !ok {
				term.t.Fatalf("it ended after %q\n%q", got, term.text())
			}
			got = append(got, line)
		case <-timeout:
			term.t.Fatalf("it told only %q of %q\n%q", got, want, term.text())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		term.t.Fatalf("(-want +got)\n%s", diff)
	}
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// shows waits until the terminal got text.
func (term *terminal) shows(text string) {
	term.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(term.text(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			term.t.Fatalf("the terminal never got %q:\n%q", text, term.text())
		}
	}
}

// ends waits for the end of the program, and returns its status.
func (term *terminal) ends() int {
	term.t.Helper()
	select {
	case <-term.exited:
	case <-time.After(patience):
		_ = unix.IoctlSetInt(int(term.tty.Fd()), unix.TCXONC, 1) // TCOON
		_ = term.cmd.Process.Signal(syscall.SIGABRT)             // what does it do?
		time.Sleep(time.Second)
		term.t.Fatalf("it did not end\n%s", term.text())
	}
	return term.cmd.ProcessState.ExitCode()
}

// modes are what the program switches on, and must switch off.
var modes = []string{"?1049", "?2004", "?1002", "?1006", "?1004"}

// isRestored checks that the terminal is as it was before.
func (term *terminal) isRestored() {
	term.t.Helper()
	if diff := cmp.Diff(term.before, term.termios()); diff != "" {
		term.t.Errorf("the terminal's flags (-before +after)\n%s", diff)
	}
	term.shows("\x1b[?1049l")
	text := term.text()
	for _, m := range modes {
		on, off := strings.LastIndex(text, "\x1b["+m+"h"), strings.LastIndex(text, "\x1b["+m+"l")
		if on < 0 || off < on {
			term.t.Errorf("mode %s: on at %d, off at %d", m, on, off)
		}
	}
	if shown, hidden := strings.LastIndex(text, "\x1b[?25h"), strings.LastIndex(text, "\x1b[?25l"); shown < hidden {
		term.t.Error("the cursor stays hidden")
	}
}

// stall has the terminal take no output, as after ctrl+s, until resume is called.
func (term *terminal) stall() (resume func()) {
	term.t.Helper()
	const off, on = 0, 1 // TCOOFF, TCOON
	flow := func(how int) {
		if err := unix.IoctlSetInt(int(term.tty.Fd()), unix.TCXONC, how); err != nil {
			term.t.Error(err)
		}
	}
	flow(off)
	return func() { flow(on) }
}
