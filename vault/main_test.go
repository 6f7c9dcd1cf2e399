package vault_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"aivault/vault"
	"aivault/vault/vaulttest"
)

// workerVar names what this binary is to do instead of running tests, as a
// process of its own.
const workerVar = "VAULT_TEST_WORKER"

// workers are what a process can be: each is given its arguments, and writes
// what it did to out, line by line.
func workers() map[string]func(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	return map[string]func(context.Context, *vault.Local, []string, io.Writer) error{
		"renew":     workRenew,
		"first-use": workFirstUse,
		"mixed":     workMixed,
		"write":     workWrite,
		"full":      workFull,
		"cramped":   workCramped,
		"calls":     workCalls,
		"rated":     workRated,
		"refused":   workRefused,
		"spoiled":   workSpoiled,
		"touch":     workTouch,
		"append":    workAppend,
		"backup":    workBackup,
		"restore":   workRestore,
		"short":     workShort,
		"rotate":    workRotate,
		"narrow":    workNarrow,
	}
}

func TestMain(m *testing.M) {
	work, ok := workers()[os.Getenv(workerVar)]
	if !ok {
		os.Exit(m.Run())
	}
	opts := vaulttest.Options(os.Args[1])
	opts.Claims = claims
	if err := work(context.Background(), vault.New(opts), os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// worker is this binary as a process that works on the vault in dir.
func worker(t testing.TB, what, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{dir}, args...)...)
	cmd.Env = append(os.Environ(), workerVar+"="+what)
	return cmd
}

// lines are the whole lines of what a worker wrote.
func lines(out string) []string {
	var whole []string
	s := bufio.NewScanner(strings.NewReader(out))
	for s.Scan() {
		whole = append(whole, s.Text())
	}
	if len(whole) > 0 && !strings.HasSuffix(out, "\n") {
		whole = whole[:len(whole)-1]
	}
	return whole
}
