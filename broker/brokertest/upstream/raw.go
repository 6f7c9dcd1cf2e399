package upstream

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// Script returns an [Options.Raw] that reads one whole request on each
// connection, then writes reply, byte for byte, and closes the connection.
func Script(reply string) func(net.Conn) {
	return func(c net.Conn) {
		if ReadRequest(c) == nil {
			_, _ = io.WriteString(c, reply)
		}
	}
}

// Endless returns an [Options.Raw] that reads one whole request, writes head,
// and then writes chunk again and again until the client goes away.
func Endless(head, chunk string) func(net.Conn) {
	return func(c net.Conn) {
		if ReadRequest(c) != nil {
			return
		}
		_, err := io.WriteString(c, head)
		for err == nil {
			_, err = io.WriteString(c, chunk)
		}
	}
}

// Stall returns an [Options.Raw] that reads one whole request, writes head,
// and then waits until the client goes away.
func Stall(head string) func(net.Conn) {
	return func(c net.Conn) {
		if ReadRequest(c) != nil {
			return
		}
		_, _ = io.WriteString(c, head)
		_, _ = io.Copy(io.Discard, c)
	}
}

// ReadRequest reads one request in HTTP/1.1, body included.
func ReadRequest(c net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// Early returns an [Options.Raw] that writes reply once the head of a request
// is there, and then reads the rest without looking at it.
func Early(reply string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		_, _ = io.WriteString(c, reply)
		_, _ = io.Copy(io.Discard, in)
	}
}

// Cut returns an [Options.Raw] that reads one whole request, writes head, and
// then resets the connection (RFC 9293, section 3.5.2).
func Cut(head string) func(net.Conn) {
	return func(c net.Conn) {
		if ReadRequest(c) != nil {
			return
		}
		_, _ = io.WriteString(c, head)
		tcp := c.(*conn).tcp
		_ = tcp.(*net.TCPConn).SetLinger(0)
		_ = tcp.Close()
	}
}

// Drip returns an [Options.Raw] that reads one whole request, writes head, and
// then one byte after the other, until the client goes away.
func Drip(head string, every time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		if ReadRequest(c) != nil {
			return
		}
		_, err := io.WriteString(c, head)
		for err == nil {
			time.Sleep(every)
			_, err = io.WriteString(c, "x")
		}
	}
}
