//go:build linux

package ui_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"aivault/broker/brokertest"
)

// patience is how long a command on a terminal may take on a busy machine. A
// program that asks the terminal for something waits 5 s.
const patience = 4 * time.Second

// A terminal is a pseudo-terminal that answers nothing, and a person who types.
type terminal struct {
	t       *testing.T
	keys    *os.File // where the person types, and sees
	tty     *os.File // what the command has
	drained chan struct{}

	mu     sync.Mutex
	screen bytes.Buffer
	grown  *sync.Cond
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, keys: keys, tty: tty, drained: make(chan struct{})}
	term.grown = sync.NewCond(&term.mu)
	go func() {
		defer close(term.drained)
		buf := make([]byte, 4096)
		for {
			n, err := keys.Read(buf)
			term.mu.Lock()
			term.screen.Write(buf[:n])
			term.grown.Broadcast()
			term.mu.Unlock()
			if err != nil { // the terminal is gone
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		_ = keys.Close()
		<-term.drained
	})
	return term
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// await waits until the screen shows text.
func (term *terminal) await(text string) {
	term.t.Helper()
	timeout := time.AfterFunc(10*patience, term.grown.Broadcast)
	defer timeout.Stop()
	deadline := time.Now().Add(10 * patience)
	term.mu.Lock()
	defer term.mu.Unlock()
	for !strings.Contains(term.screen.String(), text) {
		if time.Now().After(deadline) {
			term.t.Errorf("the screen never showed %q", text)
			return
		}
		term.grown.Wait()
	}
}

func (term *terminal) typing(s string) {
	term.t.Helper()
	if _, err := io.WriteString(term.keys, s); err != nil {
		term.t.Fatal(err)
	}
}

// echo reports whether the terminal shows what is typed.
func (term *terminal) echo() bool {
	term.t.Helper()
	state, err := unix.IoctlGetTermios(int(term.tty.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// start starts a command on the terminal.
func (term *terminal) start(env []string, exe string, args ...string) *exec.Cmd {
	term.t.Helper()
	cmd := exec.Command(exe, args...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.tty, term.tty, term.tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		term.t.Fatal(err)
	}
	term.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// A query asks the terminal for something; colours do not.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// On a terminal that never answers, commands return at once, ask nothing, and
// leave what was typed ahead to whoever comes next: Bubble Tea, which is part of
// the same binary, would ask for the background and swallow that.
//
// Checklist 1.
func TestTerminalThatNeverAnswers(t *testing.T) {
	t.Parallel()
	exe := binary(t)
	for _, test := range []struct {
		args string
		env  []string
	}{
		{"status", nil},
		{"status", []string{"NO_COLOR=1"}},
		{"status", []string{"COLORFGBG=0;15"}},
		{"status", []string{"GODEBUG=gctrace=0"}}, // started again by the guard
		{"--version", nil},
		{"--version", []string{"NO_COLOR=1"}},
		{"secrets list", nil},
		{"secrets list", []string{"NO_COLOR=1"}},
		{"help", nil},
	} {
		t.Run(test.args+" "+strings.Join(test.env, " "), func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t)
			term.typing("typed ahead\n")
			term.await("typed ahead") // the echo: it is in the terminal's queue
			begin := time.Now()
			cmd := term.start(append(plainEnv(t), test.env...), exe, strings.Fields(test.args)...)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, term.text())
			}
			if took := time.Since(begin); took > patience {
				t.Errorf("it took %v", took)
			}
			if rest := colours.ReplaceAllString(term.text(), ""); strings.Contains(rest, "\x1b") {
				t.Errorf("it wrote to the terminal: %q", rest)
			}
			if got := typedAhead(t, term.tty); got != "typed ahead\n" {
				t.Errorf("left of what was typed ahead: %q", got)
			}
		})
	}
}

// plainEnv is the environment of a terminal that Bubble Tea would ask: a CI
// variable, or a multiplexer's, would keep it from that.
func plainEnv(t *testing.T) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"CI", "TMUX", "STY", "NO_COLOR", "COLORFGBG", "COLORTERM", "TERM_PROGRAM"}, name)
	})
	return append(env, "AIVAULT_DIR="+filepath.Join(t.TempDir(), "vault"), "TERM=xterm-256color")
}

// A command that reads its input gets the line that was typed before it began,
// and sees the terminal that the person has.
//
// Checklist 2.
func TestTypedAheadIsRead(t *testing.T) {
	t.Parallel()
	exe, env := binary(t), plainEnv(t)
	term := newTerminal(t)
	term.typing("TYPED_AHEAD=" + brokertest.Word(t) + "\n\x04")
	term.await("TYPED_AHEAD")
	cmd := term.start(env, exe, "secrets", "import", "--file", "-")
	defer time.AfterFunc(10*patience, func() { _ = cmd.Process.Kill() }).Stop()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.text())
	}
	list := newTerminal(t)
	if err := list.start(env, exe, "secrets", "list").Wait(); err != nil {
		t.Fatalf("%v\n%s", err, list.text())
	}
	list.await("TYPED_AHEAD")
	list.await("\x1b[") // in colour: TERM is what it was
}

// typedAhead returns what waits to be read from a terminal.
func typedAhead(t *testing.T, tty *os.File) string {
	t.Helper()
	fd := int(tty.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := unix.Read(fd, buf)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	return string(buf[:max(n, 0)])
}

// testEnv is the environment of the test's own aivault, for a fresh vault.
func testEnv(t *testing.T) (env []string, dir string, exe string) {
	t.Helper()
	exe, err := exec.LookPath("aivault")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	return append(os.Environ(), "AIVAULT_DIR="+filepath.Join(dir, "vault"), "HOME="+dir, "TERM=xterm"), dir, exe
}

// A value that is typed is stored, and not shown. The pass of a person who has
// second thoughts is free: however a prompt ends, the terminal echoes again.
// Case 150.
func TestPromptForAValue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		end    func(*terminal, *exec.Cmd, string)
		status int
		stored bool
	}{
		{"typed twice", func(term *terminal, _ *exec.Cmd, secret string) {
			term.typing(secret + "\n")
			term.await("Value (again): ")
			term.typing(secret + "\n")
		}, 0, true},
		{"control-C", func(term *terminal, _ *exec.Cmd, _ string) { term.typing("\x03") }, 130, false},
		{"control-D", func(term *terminal, _ *exec.Cmd, _ string) { term.typing("\x04") }, 2, false},
		{"SIGTERM", func(_ *terminal, cmd *exec.Cmd, _ string) { _ = cmd.Process.Signal(syscall.SIGTERM) }, 143, false},
		{"SIGHUP", func(_ *terminal, cmd *exec.Cmd, _ string) { _ = cmd.Process.Signal(syscall.SIGHUP) }, 129, false},
		{"a line that a terminal cuts", func(term *terminal, _ *exec.Cmd, _ string) {
			term.typing(strings.Repeat("x", 5000) + "\n")
		}, 2, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env, dir, exe := testEnv(t)
			secret := brokertest.Word(t)
			term := newTerminal(t)
			cmd := term.start(env, exe, "secrets", "create", "--name", "TYPED")
			term.await("Value: ")
			if term.echo() {
				t.Error("the terminal shows what is typed")
			}
			test.end(term, cmd, secret)
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != test.status {
				t.Errorf("exit status %d, want %d\n%s", got, test.status, term.text())
			}
			if !term.echo() {
				t.Error("the terminal was left without echo")
			}
			_, err := os.Stat(filepath.Join(dir, "vault", "vault.db"))
			if stored := !errors.Is(err, fs.ErrNotExist); stored != test.stored {
				t.Errorf("stored: %v, want %v", stored, test.stored)
			}
			brokertest.Scan(t, "the screen", []byte(term.text()), secret)
			brokertest.ScanDir(t, dir, secret)
		})
	}
}

// Where a credential needs the value of a secret as proof, a person is asked.
func TestPromptForAProof(t *testing.T) {
	t.Parallel()
	env, dir, exe := testEnv(t)
	service := brokertest.New(t)
	secret := brokertest.Word(t)
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, service.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	create := exec.Command(exe, "secrets", "create", "--name", "KEY", "--value-stdin")
	create.Env, create.Stdin = env, strings.NewReader(secret)
	out, err := create.Output()
	if err != nil {
		t.Fatal(err)
	}
	id := uuids.FindString(string(out))
	term := newTerminal(t)
	cmd := term.start(env, exe, "credential", "create", "local", "--provider", "acme", "--secret-ref", id, "--auth", "header",
		"--host", "localhost:8443", "--allow-private", "--ca-cert", ca)
	term.await("Value of the secret: ")
	if term.echo() {
		t.Error("the terminal shows what is typed")
	}
	term.typing(secret + "\n")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.text())
	}
	term.await("local")
	if !term.echo() {
		t.Error("the terminal was left without echo")
	}
	brokertest.Scan(t, "the screen", []byte(term.text()), secret)
}

// Case 75: what an upstream sends cannot drive the terminal, not byte by byte
// either. Piped, it is untouched, which the script about invoke shows.
func TestAnswerOnATerminal(t *testing.T) {
	t.Parallel()
	service := brokertest.New(t)
	service.Handle(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/json") {
			_, _ = io.WriteString(w, "{\"a\":\"\u202e\u009b31m\U000e0041\"}")
			return
		}
		for _, b := range []byte("a\x1b]52;c;YQ==\x07b\x9b31m\u009bc\u202ed\r\nend\xff") {
			_, _ = w.Write([]byte{b})
			_ = http.NewResponseController(w).Flush()
		}
	})
	v := newRealVault(t, service)
	const neutral = `a\x1b]52;c;YQ==\x07b\x9b31m\u009bc\u202ed` + "\r\n" + `end\xff` + "\r\n"
	for _, test := range []struct{ command, path, want string }{
		{"invoke", "/items", neutral},
		{"invoke --stream", "/items", neutral},
		{"json", "/items/json", `"a": "\u202e\u009b31m\udb40\udc41"`},
	} {
		term := newTerminal(t)
		cmd := term.start(append(v.env, "NO_COLOR=1"), v.exe, append(strings.Fields(test.command), "acme/items", "--path", test.path)...)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, term.text())
		}
		term.await(test.want)
		if text := term.text(); strings.ContainsAny(text, "\x1b\x07") || strings.Contains(text, "\u202e") {
			t.Errorf("%s: the terminal got %q", test.command, text)
		}
	}
}

// On a terminal, a value among the arguments gets a notice, and output colour.
func TestNoticesAndColour(t *testing.T) {
	t.Parallel()
	env, _, exe := testEnv(t)
	term := newTerminal(t)
	if err := term.start(env, exe, "secrets", "create", "--name", "KEY", "--value", "made-up").Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.text())
	}
	term.await("aivault: notice: --value can be seen in the list of processes")
	term.await("\x1b[1mKEY\x1b[0m stored")
	for _, off := range []string{"NO_COLOR=1", "TERM=dumb"} {
		term := newTerminal(t)
		if err := term.start(append(env, off), exe, "secrets", "list").Wait(); err != nil {
			t.Fatalf("%v\n%s", err, term.text())
		}
		term.await("KEY")
		if strings.Contains(term.text(), "\x1b") {
			t.Errorf("%s: %q", off, term.text())
		}
	}
}
