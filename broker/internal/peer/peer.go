// Package peer tells who is at the other end of a unix socket. The kernel says
// so, about the moment at which the other end connected: nothing that a client
// sends, and no look-up under /proc that another process with the same number
// could answer, has a part in it.
package peer

import (
	"net"

	"aivault/keys/fault"
)

// Of returns the user and the process that connected. On a connection that we
// made they are those of the process that listens. The number of the process
// is for the record only: once that process has ended it may be another's. It
// is 0 where the system does not say.
//
// It fails with io_error when the kernel does not tell, as for a connection
// that is closed, and with invalid_request on systems that have no such call.
func Of(conn *net.UnixConn) (uid, pid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, 0, fault.Wrap(fault.IO, err, "asking who is at the other end of a socket")
	}
	var asked error
	err = raw.Control(func(fd uintptr) { uid, pid, asked = credentials(int(fd)) })
	if err == nil {
		err = asked
	}
	switch {
	case fault.CodeOf(err) == fault.InvalidRequest:
		return -1, 0, err
	case err != nil:
		return -1, 0, fault.Wrap(fault.IO, err, "asking who is at the other end of a socket")
	}
	return uid, pid, nil
}
