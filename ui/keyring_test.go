package ui_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRealKeyring is a first day on a desktop: the program itself, a session
// bus and gnome-keyring, unlocked and then locked. The key of the vault is in
// the keyring and in no file.
//
// Fault F11.
func TestRealKeyring(t *testing.T) {
	t.Parallel()
	needKeyring(t)
	exe, home := binary(t), t.TempDir()
	script := `
set -eu
printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null
printf made-up-value | "$AIVAULT" secrets create --name ONE --value-stdin
"$AIVAULT" status
"$AIVAULT" secrets list
"$AIVAULT" doctor
`
	cmd := exec.Command("dbus-run-session", "--", "sh", "-c", script)
	runtimeDir := filepath.Join(home, "run")
	if err := os.Mkdir(runtimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + runtimeDir, "AIVAULT=" + exe}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"ONE stored, global", "Provider:        Keyring", "Status:          unlocked", "1 secret", "audit chain"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing from the output:\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(home, ".aivault", "keys")); !os.IsNotExist(err) {
		t.Errorf("there is a key file: %v", err)
	}

	// Another session, whose keyring nobody unlocked: the vault stays shut, and
	// nothing takes its place.
	locked := exec.Command("dbus-run-session", "--", "sh", "-c", `"$AIVAULT" secrets list; echo "status $?"`)
	locked.Env = cmd.Env
	out, err = locked.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "status 6") {
		t.Errorf("without the keyring: %v\n%s", err, out)
	}
}

// needKeyring skips a test where there is no keyring to be had; the CI has one.
func needKeyring(t *testing.T) {
	t.Helper()
	for _, program := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", program)
			}
			t.Skipf("%s is not installed: the real keyring is not tested", program)
		}
	}
}
