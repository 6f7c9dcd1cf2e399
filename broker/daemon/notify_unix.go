//go:build unix

package daemon

import "net"

// tell sends a state to the service manager, by sd_notify(3): a datagram to the
// socket that it named, where a leading @ stands for the abstract namespace, as
// it does for package net. Whether it listens is its matter.
func tell(address, state string) {
	if address == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}
