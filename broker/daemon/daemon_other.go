//go:build !unix

package daemon

import (
	"context"
	"runtime"

	"aivault/keys/fault"
)

// Run fails with invalid_request: there is no daemon on this system.
func Run(context.Context, Config) error { return none() }

// Start fails with invalid_request: there is no daemon on this system.
func Start(context.Context, Launch) error { return none() }

func none() error {
	name := runtime.GOOS
	if name == "windows" {
		name = "Windows"
	}
	return fault.New(fault.InvalidRequest, "there is no daemon on %s", name).
		WithHint("commands use the vault without one")
}

// A Report is how a daemon that was started tells whether it became ready.
// There is none on this system.
type Report struct{}

// OpenReport returns a Report that tells nobody.
func OpenReport() *Report { return &Report{} }

// Ready does nothing.
func (*Report) Ready() {}

// Failed does nothing.
func (*Report) Failed(error) {}
