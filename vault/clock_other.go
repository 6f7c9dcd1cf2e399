//go:build !linux && !darwin

package vault

import "time"

// systemClock is no Clock: nothing here names a boot.
func systemClock() Clock {
	return func() (string, time.Duration) { return "", 0 }
}
