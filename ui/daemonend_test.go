package ui_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aivault/broker/remote"
)

// endDaemons ends the daemons of the vaults in a directory, and waits until they
// are gone: one that still records what came of a call would be in the way of who
// removes the directory.
func endDaemons(t testing.TB, vaults ...string) {
	t.Helper()
	for _, dir := range vaults {
		opts := remote.Options{Socket: filepath.Join(dir, "run", "aivaultd.sock"), OwnerUID: os.Geteuid()}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := remote.Stop(ctx, opts); err != nil {
			continue // none runs
		}
		for deadline := time.Now().Add(10 * time.Second); holdsLock(dir) && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
	}
}
