package term_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/ui/tui/term"
)

// What is typed, in one write or several, with silence between, and what the
// program sees of it.
func TestInput(t *testing.T) {
	t.Parallel()
	const silence = "" // 200 ms
	split := func(s string) (pieces []string) {
		for _, b := range []byte(s) {
			pieces = append(pieces, string([]byte{b}))
		}
		return pieces
	}
	long := "abcdefghijklmnopqrstuvwxyz0123456789"
	for _, test := range []struct {
		name  string
		types []string
		want  []string
	}{
		{"36: keys in one write", []string{"jjjj"}, []string{"key j", "key j", "key j", "key j"}},
		{"36: a key held down over a slow link", []string{strings.Repeat("j", 60)}, slices.Repeat([]string{"key j"}, 60)},
		{"36: two keys", []string{strings.Repeat("jk", 20)}, slices.Repeat([]string{"key j", "key k"}, 20)},
		{"escape", []string{"\x1b", silence, "a"}, []string{"key esc", "key a"}},
		{"escape twice", []string{"\x1b\x1b", silence}, []string{"key esc", "key esc"}},
		{"alt", []string{"\x1bx\x1bé", silence, "\x1b]", silence, "\x1b_x"}, []string{"key alt+x", "key alt+é", "key alt+]", "key alt+_", "key x"}},
		{"68: arrows in pieces", split("\x1b[A\x1bOB\x1b[1;5C"), []string{"key up", "key down", "key ctrl+right"}},
		{"68: letters in pieces", split("é漢🔑a"), []string{"key é", "key 漢", "key 🔑", "key a"}},
		{"68: background", []string{"a\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\b"}, []string{"key a", "key b"}},
		{"68: background, BEL", []string{"\x1b]11;rgb:1e1e/1e1e/1e1e\ab"}, []string{"key b"}},
		{"68: background in pieces", append(split("\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\"), "b"), []string{"key b"}},
		{"68: background without an end", []string{"\x1b]11;rgb:1e1e/\x03"}, []string{"key ctrl+c"}},
		{"68: others", []string{"\x1b[24;80R\x1b[?62;4c\x1b[>0;276;0c\x1b[0n\x1bP>|XTerm(390)\x1b\\\x1b_Gi=1;OK\x1b\\\x1b[?2026;2$y.", silence, "\x1b[1;2R"}, []string{"key ."}},
		{"focus among keys", []string{"a\x1b[Ib\x1b[O"}, []string{"key a", "tea.FocusMsg{}", "key b", "tea.BlurMsg{}"}},
		{"mouse", []string{"\x1b[<64;3;4M", silence, "\x1b[M !!"}, []string{"mouse 2,3", "mouse 0,0"}},
		{"rxvt", []string{"\x1b[7$", silence, "y"}, []string{"key shift+home", "key y"}},
		{"console", split("\x1b[[A"), []string{"key f1"}},
		{"47: order around a paste", []string{"a\tb\x1b[200~P1\rP2\n\x1b[A\x03\x1b[201~c\r"}, []string{"key a", "key tab", "key b", `paste 10 "P1\rP2\n\x1b[A\x03"`, "key c", "key enter"}},
		{"paste in pieces", split("\x1b[200~é漢\x1b\x1b[201\x1b[201~x"), []string{`paste 11 "é漢\x1b\x1b[201"`, "key x"}},
		{"47: paste without marks", []string{"line1\rline2\nline3\tline4\r", silence, "x"}, []string{`paste 24 "ne2\nline3\tline4\r"`, "key x"}},
		{"47: and in pieces", []string{long, long, "\rq\r", silence, "x"}, []string{`paste 75 "xyz0123456789\rq\r"`, "key x"}},
		{"47: and ctrl+c", []string{long + "\x03"}, []string{`paste 36 "uvwxyz0123456789"`, "key ctrl+c"}},
		{"not text", []string{"\x1b[200~a\xffb\x1b[201~", "x"}, []string{"term.PasteRefused{Bytes:3 TooLarge:false}", "key x"}},
		{"not text, cut", []string{"\x1b[200~a\xe6\xbc\x1b[201~", "x"}, []string{"term.PasteRefused{Bytes:3 TooLarge:false}", "key x"}},
		{"what refusals are told by", []string{"\x1b[200~\ufdd0L9\x1b[201~"}, []string{"term.PasteRefused{Bytes:5 TooLarge:false}"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			term := start(t)
			for _, s := range test.types {
				if s == silence {
					time.Sleep(200 * time.Millisecond)
					continue
				}
				term.types(s)
			}
			term.tells(test.want...)
		})
	}
}

// What was read before, which may be of a value, does not stay in the buffer that
// Bubble Tea keeps.
func TestInputIsWiped(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	in, buf := term.NewInput(r), make([]byte, 256)
	for _, s := range []string{"half a word", "x"} {
		if _, err := w.WriteString(s); err != nil {
			t.Fatal(err)
		}
		n, err := in.Read(buf)
		if got := string(buf[:n]); err != nil || got != s {
			t.Fatalf("read %q, %v", got, err)
		}
	}
	if rest := strings.Trim(string(buf[1:]), "\x00"); rest != "" {
		t.Errorf("the buffer still holds %q", rest)
	}
}

// Checklist 48. A megabyte is refused at once, and counted.
func TestPasteThatIsTooLarge(t *testing.T) {
	t.Parallel()
	term := start(t)
	const size = 1 << 20
	begin := time.Now()
	term.types("\x1b[200~" + strings.Repeat("0123456789abcdef", size/16) + "\x1b[201~j")
	term.tells(fmt.Sprintf("term.PasteRefused{Bytes:%d TooLarge:true}", size), "key j")
	t.Logf("1 MiB: %v", time.Since(begin))
	begin = time.Now()
	largest := strings.Repeat("0123456789abcde\n", 256<<10/16)
	term.types("\x1b[200~" + largest + "\x1b[201~j")
	term.tells(fmt.Sprintf("paste %d %q", len(largest), tail(largest)), "key j")
	t.Logf("256 KiB: %v", time.Since(begin))
}

// Checklist 6, 48. A paste without an end ends, by silence or by ctrl+c.
func TestPasteWithoutEnd(t *testing.T) {
	t.Parallel()
	term := start(t)
	term.types("\x1b[200~half a paste")
	begin := time.Now()
	term.tells(`paste 12 "half a paste"`)
	if took := time.Since(begin); took < 500*time.Millisecond {
		t.Errorf("it ended after %v", took)
	}
	// The rest, when it comes, is no row of keys.
	term.types("rest\r\x1b[201~")
	term.tells(`paste 5 "rest\r"`)
	term.types("\x1b[200~half a paste")
	time.Sleep(200 * time.Millisecond)
	begin = time.Now()
	term.types("\x03")
	term.tells(`paste 12 "half a paste"`, "key ctrl+c")
	if status := term.ends(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	t.Logf("ctrl+c: %v", time.Since(begin))
	term.isRestored()
}

// Checklist 9. The shell gets the terminal, and gives it back.
func TestSuspend(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not in PATH")
	}
	term := open(t)
	term.run([]string{"PS1=prompt> "}, sh, "--norc", "--noprofile", "--noediting", "-i")
	term.shows("prompt> ")
	term.types("'" + probeFile(t) + "'\n")
	term.tells("size 80x24")
	term.shows("size 80x24")
	term.types("\x1a")
	term.tells("key ctrl+z")
	term.shows("Stopped")
	term.isRestored()
	seen := len(term.text())
	term.types("fg\n")
	sized, suspended := false, false
	for !sized || !suspended { // in any order
		select {
		case line := <-term.lines:
			sized = sized || line == "size 80x24"
			suspended = suspended || line == "term.Suspended{Worked:true}"
		case <-time.After(patience):
			t.Fatalf("size %v, suspended %v\n%q", sized, suspended, term.text())
		}
	}
	for _, want := range []string{"\x1b[?1049h", "rows 0", "\x1b[?1002h", "\x1b[?1006h", "\x1b[?1004h", "\x1b[?2004h"} {
		for end := time.Now().Add(patience); !strings.Contains(term.text()[seen:], want); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("after fg there is no %q: %q", want, term.text()[seen:])
			}
		}
	}
	term.types("q")
	term.tells("key q")
	for end := time.Now().Add(patience); !strings.HasSuffix(term.text(), "prompt> "); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the shell does not come back: %q", term.text())
		}
	}
	term.types("exit\n")
	if status := term.ends(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// Checklist 9. Without a shell that could continue it, it goes on.
func TestSuspendWithoutShell(t *testing.T) {
	t.Parallel()
	term := start(t)
	term.types("\x1a")
	term.tells("key ctrl+z")
	want := map[string]bool{"size 80x24": true, "term.Suspended{Worked:false}": true}
	for len(want) > 0 {
		select {
		case line := <-term.lines:
			delete(want, line)
		case <-time.After(patience):
			t.Fatalf("it does not tell %v\n%q", want, term.text())
		}
	}
	term.types("j")
	term.tells("key j")
	_ = term.cmd.Process.Signal(syscall.SIGTERM)
	if status := term.ends(); status != 143 {
		t.Errorf("exit status %d", status)
	}
	term.isRestored()
}
