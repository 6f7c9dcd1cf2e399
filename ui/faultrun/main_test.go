//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"aivault/broker/brokertest/program"
	"aivault/ui"
	"aivault/ui/app"
	"aivault/ui/faultrun"
	"aivault/vault/vaulttest"
)

// cheapVar makes this binary an aivault whose passphrases cost little.
const cheapVar = "FAULTRUN_CHEAP"

func TestMain(m *testing.M) {
	faultrun.Become()
	if os.Getenv(cheapVar) != "" {
		os.Exit(cheap())
	}
	code := m.Run()
	if dir, err := sharedDir(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// cheap is main, in an environment of the test's.
func cheap() int {
	ctx, stop := app.WithSignals(context.Background())
	defer stop()
	env := app.System()
	env.KDF = vaulttest.CheapKDF
	return ui.Main(ctx, env, os.Args[1:])
}

// full says that every fault is to be tried that there is, not a sample.
func full() bool { return os.Getenv("FAULTS") == "full" }

// every says that of each command every call is to be tried, if not in every way.
func every() bool { return full() || os.Getenv("FAULTS") == "every" }

// sharedDir is a directory for what the tests share and for their vaults: in
// memory where there is such a place, as a disk is not what is tested.
var sharedDir = sync.OnceValues(func() (string, error) {
	const memory = "/dev/shm"
	if dir, err := os.MkdirTemp(memory, "faultrun-"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "faultrun-")
})

// scratch returns a directory for a test, which is gone when that is over.
func scratch(t testing.TB) string {
	t.Helper()
	shared, err := sharedDir()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(shared, "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// buildOnce builds the real program.
var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := sharedDir()
	if err != nil {
		return "", err
	}
	return program.Build(dir, "aivault")
})

// binary returns the path of the real program.
func binary(t testing.TB) string {
	t.Helper()
	program.NeedGo(t)
	exe, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}
