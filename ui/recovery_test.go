//go:build linux

package ui_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"aivault/broker/brokertest"
)

// printedRecovery is a recovery key as it is shown.
var printedRecovery = regexp.MustCompile(`\b(?:[0-9A-HJKMNP-TV-Z]{5}-){7}[0-9A-HJKMNP-TV-Z]{5}\b`)

// onScreen returns the one recovery key that a terminal shows.
func onScreen(t *testing.T, term *terminal) string {
	t.Helper()
	term.await("then makes a new slot.")
	found := printedRecovery.FindAllString(term.text(), -1)
	if len(found) != 1 {
		t.Fatalf("the screen shows %d recovery keys, not one", len(found))
	}
	return found[0]
}

// forms are the ways in which a recovery key could be left lying about.
func forms(recovery string) []string {
	plain := strings.ReplaceAll(recovery, "-", "")
	return []string{recovery, plain, strings.ToLower(recovery), strings.ToLower(plain), recovery[:23], recovery[24:]}
}

// A first day with a keyring, and the day on which it is lost: init shows a
// recovery key, once; typed back, it opens the vault and makes a new slot. It is
// in no file, no pipe, no error and no audit log.
//
// Fault F10.
func TestRecoveryKey(t *testing.T) {
	t.Parallel()
	env, dir, exe := testEnv(t)
	ring := filepath.Join(dir, "ring")
	if err := os.Mkdir(ring, 0o700); err != nil {
		t.Fatal(err)
	}
	env = append(env, varKeyring+"="+ring, varTranscript+"="+filepath.Join(t.TempDir(), "transcript"), "NO_COLOR=1")
	onTerminal := func(status int, typed string, args ...string) *terminal {
		t.Helper()
		term := newTerminal(t)
		cmd := term.start(env, exe, args...)
		if typed != "" {
			term.await("Recovery key of the vault: ")
			if term.echo() {
				t.Error("the terminal shows what is typed")
			}
			term.typing(typed + "\n")
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != status || !term.echo() {
			t.Fatalf("%v: exit status %d, echo %v\n%s", args, got, term.echo(), term.text())
		}
		return term
	}
	// piped runs a command that nobody sees, and returns all that it says.
	piped := func(status int, stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(exe, args...)
		cmd.Env, cmd.Stdin = env, strings.NewReader(stdin)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // and no terminal at all
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("%v: exit status %d\n%s", args, got, out)
		}
		return string(out)
	}

	term := onTerminal(0, "", "init", "--provider", "keyring")
	recovery := onScreen(t, term)
	for _, want := range []string{"Recovery key, shown this once:", "Write it down", "When no other key is to be had"} {
		if !strings.Contains(term.text(), want) {
			t.Errorf("%q is missing on\n%s", want, term.text())
		}
	}
	said := piped(0, "made-up-value", "secrets", "create", "--name", "ONE", "--value-stdin")
	said += piped(0, "", "key", "list") + piped(0, "", "key", "list", "--json") + piped(0, "", "status") + piped(0, "", "doctor")
	if strings.Count(said, "recovery") < 3 {
		t.Errorf("the slot is not listed:\n%s", said)
	}

	// The keyring loses the entry.
	if err := os.Rename(ring, ring+".lost"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(ring, 0o700); err != nil {
		t.Fatal(err)
	}
	lost := piped(6, "", "secrets", "list")
	for _, want := range []string{"there is no keyring entry of service", "the recovery key opens the vault too", "--passphrase-file", "aivault key add"} {
		if !strings.Contains(lost, want) {
			t.Errorf("the way back in is not in the error: %q is missing in\n%s", want, lost)
		}
	}
	said += lost + piped(6, "", "secrets", "list", "--json") + piped(0, "", "status")
	said += piped(6, recovery[:40]+"-00000\n", "secrets", "list", "--passphrase-file", "-")
	said += piped(6, strings.ToLower(recovery[1:])+"\n", "secrets", "list", "--passphrase-file", "-", "--json")
	if listed := piped(0, strings.ToLower(recovery)+"\n", "secrets", "list", "--passphrase-file", "-"); !strings.Contains(listed, "ONE") {
		t.Errorf("the recovery key opens nothing:\n%s", listed)
	} else {
		said += listed
	}

	// On a terminal it is asked for, with the reason; a mistake is told.
	term = onTerminal(6, "x"+recovery[1:]+"x", "secrets", "list")
	term.await("this is not the recovery key")
	if !strings.Contains(term.text(), "aivault: there is no keyring entry of service") {
		t.Errorf("it is asked for without a reason:\n%s", term.text())
	}
	said += term.text()
	term = onTerminal(0, strings.ReplaceAll(strings.ToLower(recovery), "-", " "), "key", "add", "--provider", "keyring")
	said += term.text()
	said += piped(0, "", "secrets", "list") + piped(0, "", "audit", "--json") + piped(0, "", "audit", "verify") + piped(0, "", "doctor")

	// Another one is shown, once, and no pipe gets one.
	second := onScreen(t, onTerminal(0, "", "key", "add", "--recovery"))
	if second == recovery {
		t.Error("the second recovery key is the first one")
	}
	said += piped(2, "", "key", "add", "--recovery")
	term = newTerminal(t)
	cmd := term.start(env, exe, "key", "add", "--recovery", "--json")
	_ = cmd.Wait()
	said += term.text()
	if cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("with --json: %s", term.text())
	}
	canaries := append(forms(recovery), forms(second)...)
	brokertest.Scan(t, "what was said", []byte(said), canaries...)
	brokertest.ScanDir(t, dir, canaries...)
	if found := printedRecovery.FindString(said); found != "" {
		t.Error("something that looks like a recovery key was said")
	}
}

// The same with a real keyring, that somebody deletes: one session makes the
// vault, another one, with a new keyring, gets in with the paper and has a new
// slot from then on.
//
// Fault F10.
func TestRecoveryWithRealKeyring(t *testing.T) {
	t.Parallel()
	needKeyring(t)
	exe, home := binary(t), t.TempDir()
	runtimeDir := filepath.Join(home, "run")
	if err := os.Mkdir(runtimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + runtimeDir, "AIVAULT=" + exe, "TERM=xterm", "NO_COLOR=1"}
	session := func(script, typed string) *terminal {
		t.Helper()
		term := newTerminal(t)
		cmd := term.start(env, "dbus-run-session", "--", "sh", "-euc", `printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null`+script)
		if typed != "" {
			term.await("Recovery key of the vault: ")
			term.typing(typed + "\n")
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, term.text())
		}
		return term
	}
	recovery := onScreen(t, session(`
"$AIVAULT" init
printf made-up-value | "$AIVAULT" secrets create --name ONE --value-stdin
"$AIVAULT" secrets list`, ""))
	if err := os.RemoveAll(filepath.Join(home, ".local", "share", "keyrings")); err != nil {
		t.Fatal(err)
	}
	back := session(`
"$AIVAULT" key add --provider keyring`, strings.ToLower(recovery))
	again := session(`
"$AIVAULT" secrets list </dev/null
"$AIVAULT" key list
"$AIVAULT" doctor`, "")
	for _, want := range []string{"ONE ", "3 slots", "in use", "3, authentic: keyring, keyring, recovery", "unbroken"} {
		again.await(want)
	}
	brokertest.Scan(t, "the screen", []byte(back.text()+again.text()), forms(recovery)...)
	brokertest.ScanDir(t, home, forms(recovery)...)
}
