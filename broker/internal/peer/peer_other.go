//go:build !linux && !darwin

package peer

import (
	"runtime"

	"aivault/keys/fault"
)

func credentials(int) (uid, pid int, err error) {
	return -1, 0, fault.New(fault.InvalidRequest, "%s does not tell who is at the other end of a socket", runtime.GOOS)
}
