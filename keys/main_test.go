package keys_test

import (
	"context"
	"os"
	"testing"
	"time"

	"aivault/keys"
)

// orphanArg makes this program a parent that is killed while its helper waits.
const orphanArg = "__orphan"

// TestMain makes the test program its own keyring helper, as aivault is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case keys.HelperArg:
			os.Exit(keys.RunHelper(context.Background(), os.Stdin, os.Stdout))
		case orphanArg:
			k := keys.NewHelperKeyring(os.Getenv, time.Hour)
			k.Command = append(k.Command, os.Args[2])
			_, _ = k.Present(context.Background())
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
