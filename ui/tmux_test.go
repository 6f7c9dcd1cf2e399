//go:build linux

package ui_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aivault/ui/tui/uitest"
)

// A tmuxPane is a terminal that somebody sits at: a private tmux server with one
// pane, a shell in it, and the real program to be started there. All that the
// terminal is sent is kept.
type tmuxPane struct {
	*testing.T
	exe   string
	home  string   // of the user, and of files for the test
	dir   string   // of the vault
	env   []string // of everything in the terminal
	tmp   string   // of the server's socket
	raw   string   // the file with what the terminal was sent
	trace string   // the file of AIVAULT_UI_TRACE
}

// needTmux skips the test where there is no tmux.
func needTmux(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("tmux is not installed")
	}
	t.Skip("tmux is not installed: the screens are not tried on a terminal")
}

// newPane opens a terminal of w by h cells. The vault, still to be made, is one
// of the test. The shell's prompt is "ready> ".
func newPane(t *testing.T, w, h int, env ...string) *tmuxPane {
	t.Helper()
	needTmux(t)
	home := t.TempDir()
	p := &tmuxPane{
		T: t, exe: binary(t), home: home, dir: filepath.Join(home, "vault"),
		raw: filepath.Join(home, "raw"), trace: filepath.Join(home, "trace"),
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p.env = append([]string{
		"PATH=" + filepath.Dir(p.exe) + ":" + os.Getenv("PATH"), "HOME=" + home, "AIVAULT_DIR=" + p.dir, "AIVAULT_UI_TRACE=" + p.trace,
		"LC_ALL=C.UTF-8", "PS1=ready> ", "SHELL=/bin/sh", "GORACE=" + os.Getenv("GORACE"), "TZ=UTC", "AIVAULTD_DISABLE=1",
	}, env...)
	p.open(w, h)
	return p
}

// open starts the server, with a shell.
func (p *tmuxPane) open(w, h int) {
	p.Helper()
	var err error
	if p.tmp, err = os.MkdirTemp("/tmp", "aiv"); err != nil { // the path of a socket is short
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = p.command("kill-server").Run()
		_ = os.RemoveAll(p.tmp)
	})
	p.tmux("set", "-g", "default-terminal", "tmux-256color", ";", "set", "-s", "escape-time", "0", ";", "set", "-g", "focus-events", "on", ";",
		"new-session", "-d", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h), "exec /bin/sh -i")
	p.tmux("set", "-g", "status", "off")
	p.tmux("resize-window", "-x", strconv.Itoa(w), "-y", strconv.Itoa(h))
	p.tmux("pipe-pane", "-O", "cat >>"+p.raw)
	p.want("ready> ")
}

func (p *tmuxPane) command(args ...string) *exec.Cmd {
	cmd := exec.Command("tmux", append([]string{"-u", "-L", "t", "-f", "/dev/null", "start-server", ";"}, args...)...)
	cmd.Env = append(p.env, "TMUX_TMPDIR="+p.tmp)
	return cmd
}

// tmux runs a command of tmux, and returns what it printed.
func (p *tmuxPane) tmux(args ...string) string {
	p.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		p.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// seed fills the vault with the standard contents. What is in it must not show
// on the terminal.
func (p *tmuxPane) seed() *uitest.Contents {
	p.Helper()
	var c *uitest.Contents
	d := uitest.New(p.T, uitest.Options{Dir: p.dir, Home: p.home, Clock: uitest.NewClock(time.Now()), Fill: func(d *uitest.Driver) { c = uitest.Seed(d) }})
	hidden := d.Hidden()
	d.End()
	p.Cleanup(func() { p.scan(hidden...) })
	return c
}

// start runs a command line in the shell.
func (p *tmuxPane) start(line string) {
	p.Helper()
	p.tmux("send-keys", "-l", line)
	p.keys("Enter")
}

// run starts the program in the shell, and left waits until it has ended well.
func (p *tmuxPane) run() {
	p.Helper()
	p.start("clear; aivault; echo left with $?")
}

func (p *tmuxPane) left() {
	p.Helper()
	p.want("left with 0")
}

// keys sends keys by tmux's names for them: Enter, Escape, C-s, j.
func (p *tmuxPane) keys(names ...string) {
	p.Helper()
	p.tmux(append([]string{"send-keys"}, names...)...)
}

// typed sends text.
func (p *tmuxPane) typed(text string) {
	p.Helper()
	p.tmux("send-keys", "-l", text)
}

// screen returns what the terminal shows.
func (p *tmuxPane) screen() string {
	p.Helper()
	return p.tmux("capture-pane", "-p")
}

// is returns the value of a variable of tmux about the pane.
func (p *tmuxPane) is(variable string) string {
	p.Helper()
	return strings.TrimSpace(p.tmux("display", "-p", "#{"+variable+"}"))
}

// longest is how long something may take on a busy machine.
const longest = 30 * time.Second

// until waits for something.
func (p *tmuxPane) until(what string, holds func() bool) {
	p.Helper()
	for end := time.Now().Add(longest); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("%s: not so\n%s", what, p.screen())
		}
	}
}

// want waits until the terminal shows all of it.
func (p *tmuxPane) want(parts ...string) {
	p.Helper()
	for _, part := range parts {
		p.until(fmt.Sprintf("%q shows", part), func() bool { return strings.Contains(squash(p.screen()), squash(part)) })
	}
}

// gone waits until the terminal does not show it any more.
func (p *tmuxPane) gone(part string) {
	p.Helper()
	p.until(fmt.Sprintf("%q is gone", part), func() bool { return !strings.Contains(squash(p.screen()), squash(part)) })
}

// squash makes runs of spaces one, so that columns do not matter.
func squash(s string) string { return strings.Join(strings.Fields(s), " ") }

// idle waits until the program has drawn all that it has to, as its trace says.
func (p *tmuxPane) idle() {
	p.Helper()
	last, since := "", time.Now()
	p.until("it comes to rest", func() bool {
		b, _ := os.ReadFile(p.trace)
		if s := string(b); s != last {
			last, since = s, time.Now()
		}
		return strings.HasSuffix(last, " busy=0\n") && time.Since(since) > 250*time.Millisecond
	})
}

// pid returns the number of the program that the shell runs.
func (p *tmuxPane) pid() int {
	p.Helper()
	shell, n := p.is("pane_pid"), 0
	p.until("it runs", func() bool {
		b, _ := os.ReadFile(filepath.Join("/proc", shell, "task", shell, "children"))
		n, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return n > 0
	})
	return n
}

// sent returns all that the terminal was sent.
func (p *tmuxPane) sent() []byte {
	p.Helper()
	b, err := os.ReadFile(p.raw)
	if err != nil {
		p.Fatal(err)
	}
	return b
}

// scan looks for values in all that the terminal was sent, and in the files.
func (p *tmuxPane) scan(secrets ...string) {
	p.Helper()
	scanned := p.sent()
	for _, s := range secrets {
		if strings.Contains(string(scanned), s) {
			p.Errorf("the terminal was sent a value")
		}
	}
}

// aivault runs a command beside the terminal, and returns what it printed.
func (p *tmuxPane) aivault(args ...string) string {
	p.Helper()
	out, err := p.cli(args...).CombinedOutput()
	if err != nil {
		p.Fatalf("aivault %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (p *tmuxPane) cli(args ...string) *exec.Cmd {
	cmd := exec.Command(p.exe, args...)
	cmd.Env, cmd.Dir = p.env, p.home
	return cmd
}

// file writes a file.
func (p *tmuxPane) file(name, content string) string {
	p.Helper()
	path := filepath.Join(p.home, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.Fatal(err)
	}
	return path
}
