package term_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Checklist 5, 6.
func TestQuit(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"q", "\x03"} {
		term := start(t)
		begin := time.Now()
		term.types(key)
		if status := term.ends(); status != 0 {
			t.Errorf("%q: exit status %d", key, status)
		}
		t.Logf("%q: %v", key, time.Since(begin))
		term.isRestored()
	}
}

// Checklist 7.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			term := start(t)
			if err := term.cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			if status := term.ends(); status != 128+int(s) {
				t.Errorf("exit status %d", status)
			}
			term.isRestored()
		})
	}
}

// Checklist 8.
func TestPanics(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{
		"Update": "U", "View": "V", "command": "C", "batch": "B", "sequence": "S", "exec": "E",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := start(t)
			term.types(key)
			if status := term.ends(); status != 70 {
				t.Errorf("exit status %d", status)
			}
			term.isRestored()
			term.shows("aivault failed unexpectedly")
			text := term.text()
			if strings.Contains(text, canary) {
				t.Errorf("it shows the value of the panic:\n%q", text)
			}
			if strings.Index(text, "failed unexpectedly") < strings.LastIndex(text, "\x1b[?1049l") {
				t.Error("the sentence is on the alternate screen")
			}
		})
	}
}

// Checklist 7. A terminal that does not read cannot keep the program: neither
// for long, nor if a second signal says that it is meant.
func TestTerminalThatDoesNotRead(t *testing.T) {
	t.Parallel()
	for _, second := range []bool{false, true} {
		term := start(t)
		resume := term.stall()
		term.types("j")
		term.tells("key j")
		time.Sleep(100 * time.Millisecond) // for the frame, which it cannot write
		begin := time.Now()
		_ = term.cmd.Process.Signal(syscall.SIGTERM)
		if second {
			time.Sleep(400 * time.Millisecond)
			_ = term.cmd.Process.Signal(syscall.SIGTERM)
		}
		status := term.ends()
		took := time.Since(begin)
		if status != 143 {
			t.Errorf("second signal %v: exit status %d", second, status)
		}
		if term.termios().Lflag != term.before.Lflag {
			t.Errorf("second signal %v: the terminal was left raw", second)
		}
		if second && took > 1900*time.Millisecond {
			t.Errorf("after a second signal it took %v", took)
		}
		resume()
	}
}

// Checklist 17.
func TestSizeThatIsNotKnown(t *testing.T) {
	t.Parallel()
	term := open(t)
	term.resize(0, 0)
	term.run(nil, probeFile(t))
	term.shows("\x1b[?1049h")
	term.types("j")
	term.tells("key j")
	if strings.Contains(term.text(), "rows") {
		t.Errorf("it drew without a size: %q", term.text())
	}
	term.resize(60, 20)
	term.tells("size 60x20")
	term.shows("size 60x20")
	term.types("q")
	if status := term.ends(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// Checklist 10.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		takes  string
		want   string
		status int
	}{
		{"1ms", "", 0},
		{"400ms", "aivault: waiting for a change to be stored", 0},
		{"1m", "aivault: a change was abandoned", 8},
	} {
		t.Run(test.takes, func(t *testing.T) {
			t.Parallel()
			term := start(t, "TERM_PROBE_DRAIN="+test.takes)
			term.types("q")
			if status := term.ends(); status != test.status {
				t.Errorf("exit status %d", status)
			}
			term.isRestored()
			if test.want == "" {
				if strings.Contains(term.text(), "aivault:") {
					t.Errorf("%q", term.text())
				}
				return
			}
			term.shows(test.want)
		})
	}
}

// A file that is no trace stays as it is.
func TestTraceSpoilsNothing(t *testing.T) {
	t.Parallel()
	for _, was := range []string{"a vault", "fra"} {
		file := filepath.Join(t.TempDir(), "vault.db")
		if err := os.WriteFile(file, []byte(was), 0o600); err != nil {
			t.Fatal(err)
		}
		term := start(t, "AIVAULT_UI_TRACE="+file)
		term.types("j")
		term.shows("rows 1")
		term.types("q")
		term.ends()
		if b, err := os.ReadFile(file); err != nil || string(b) != was {
			t.Errorf("%q became %q, %v", was, b, err)
		}
	}
}

// Checklist 70. A line for a frame, and never what it shows.
func TestTrace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "trace")
	term := start(t, "AIVAULT_UI_TRACE="+file)
	term.types("j")
	term.shows("rows 1")
	term.types("x") // changes nothing
	term.types("\x1b[I")
	term.tells("key j", "key x", "tea.FocusMsg{}")
	quiet := len(term.text())
	time.Sleep(300 * time.Millisecond)
	if text := term.text()[quiet:]; text != "" {
		t.Errorf("it drew what had not changed: %q", text)
	}
	term.types("q")
	term.ends()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^(frame=1 busy=0\n)?(frame=2 busy=0\n)+$`).Match(b) {
		t.Errorf("%q", b)
	}
}
