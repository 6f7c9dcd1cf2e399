package attack_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/program"
)

// buildDir is where the programs are that tests share.
func buildDir() string {
	return filepath.Join(os.TempDir(), "aivault-attack-"+strconv.Itoa(os.Getpid()))
}

func TestMain(m *testing.M) {
	if work, ok := workers()[os.Getenv(workerVar)]; ok {
		os.Exit(asWorker(work))
	}
	code := m.Run()
	_ = os.RemoveAll(buildDir())
	os.Exit(code)
}

// A builder builds a program once.
type builder func() (exe string, err error)

func buildOnce(name, pkg string, tags ...string) builder {
	return sync.OnceValues(func() (string, error) {
		dir := filepath.Join(buildDir(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		return program.Build(dir, pkg, tags...)
	})
}

var (
	aivault   = buildOnce("aivault", "aivault")
	guarded   = buildOnce("guarded", "./testdata/caller")
	unguarded = buildOnce("unguarded", "./testdata/caller", "-tags=unguarded")
)

// run runs a program in an environment with additions, and returns what it
// printed and its exit status. No secret of the world may show.
func (w *world) run(t *testing.T, build builder, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	program.NeedGo(t)
	exe, err := build()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(exe, args...)
	cmd.Env = append(append(os.Environ(), "AIVAULT_DIR="+w.dir, "AIVAULTD_DISABLE=1", "HOME="+filepath.Dir(w.dir)), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		status = exit.ExitCode()
	}
	for name, b := range map[string][]byte{"stdout": out.Bytes(), "stderr": errs.Bytes(), "arguments": fmt.Append(nil, args)} {
		brokertest.Scan(t, name, b, w.canaries...)
	}
	brokertest.ScanDir(t, filepath.Dir(w.dir), w.canaries...)
	return out.String(), errs.String(), status
}
