package guard

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aivault/broker/brokertest"
)

// A program with the guard is deaf to its environment; one without it is not,
// or else this test would show nothing.
func TestProgramWithGuard(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not take certificates from SSL_CERT_FILE, or cannot start again")
	}
	if _, err := exec.LookPath("go"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the go command is not in PATH")
		}
		t.Skip("the go command is not in PATH")
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, brokertest.New(t).CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	hostile := []string{
		"GODEBUG=http2debug=2", "GOTRACEBACK=crash", "SSL_CERT_FILE=" + ca, "SSL_CERT_DIR=/nowhere",
		"HTTPS_PROXY=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1", "SSLKEYLOGFILE=/nowhere",
	}
	const arguments = "arguments [%s and more]\n"
	for _, test := range []struct {
		name, tags string
		env        []string
		want       string
	}{
		{"with guard", "", hostile, ""},
		{"with guard, without starting again", "", hostile[2:], ""},
		{"without guard", "unguarded", hostile[2:4], "has SSL_CERT_FILE\nhas SSL_CERT_DIR\ntrusts the file\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			exe := filepath.Join(t.TempDir(), "probe")
			build := exec.Command("go", "build", "-tags="+test.tags, "-o", exe, "./testdata/probe")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("building: %v\n%s", err, out)
			}
			cmd := exec.Command(exe, ca, "and more")
			cmd.Env = append(os.Environ(), test.env...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if want := test.want + strings.ReplaceAll(arguments, "%s", ca); string(out) != want {
				t.Errorf("got:\n%swant:\n%s", out, want)
			}
		})
	}
}
