package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"syscall"

	"aivault/keys/fault"
)

// explain returns the error that a caller may see. The text of what net/http
// reports is never part of it: there, an answer is quoted and an URL printed
// (case 79).
func (c *call) explain(err error) error {
	if own, ok := errors.AsType[*fault.Error](err); ok {
		return own // what Check said, or read
	}
	switch cause := context.Cause(c.ctx); {
	case errors.Is(cause, errNotTwice):
		return c.unreachable("closed the connection before an answer").
			WithHint("the request may have been carried out, and was not sent again")
	case errors.Is(cause, errHeaderTimeout) && c.at() == phaseConnect:
		return c.timeout("has %d connections in use, and none became free", maxConns).
			WithHint("have fewer calls under way at a time")
	case errors.Is(cause, errHeaderTimeout):
		return c.timeout("did not answer within %s", c.timeouts.Header)
	case errors.Is(cause, errIdleTimeout):
		return c.timeout("sent nothing more of the answer for %s", c.timeouts.Idle)
	case errors.Is(c.ctx.Err(), context.DeadlineExceeded):
		return c.timeout("took longer than the call was given").WithHint("allow more with --timeout-ms")
	case c.ctx.Err() != nil:
		return fault.New(fault.Canceled, "the call to %s was canceled", c.host)
	}
	if isTimeout(err) && c.at() <= phaseTLS {
		return c.timeout("could not be connected to within %s", c.timeouts.Connect)
	}
	if dns, ok := errors.AsType[*dnsError](err); ok {
		return c.dnsFailed(dns)
	}
	if reason := certificate(err); reason != "" {
		return c.unreachable("cannot be trusted: " + reason).
			WithHint("a private host needs its authority: --ca-cert")
	}
	switch c.at() {
	case phaseConnect:
		return c.unreachable("cannot be connected to" + system(err))
	case phaseTLS:
		if c.asked.Load() {
			return c.unreachable("does not complete the TLS handshake"+system(err)).WithHint("%s", hintCertificate)
		}
		return c.unreachable("does not complete the TLS handshake" + system(err)).
			WithHint("it must speak TLS 1.2 or 1.3")
	case phaseSend:
		return c.unreachable("closed the connection while the request was sent"+system(err)).WithHint("%s", c.notAgain())
	case phaseHeader:
		return c.unreachable("closed the connection, or sent no valid HTTP, instead of an answer"+system(err)).
			WithHint("%s", c.notAgain())
	}
	return c.unreachable("broke off the body of the answer" + system(err)).
		WithHint("the request was carried out")
}

const hintCertificate = "the service asks for a client certificate; see which one it expects"

// notAgain says what may have become of a request. Under TLS 1.3 a server that
// does not like the certificate of a client says so only after the handshake
// (RFC 8446, section 4.4.2.4), and that may be lost when the connection closes.
func (c *call) notAgain() string {
	const hint = "the request may have been carried out, and was not sent again"
	if c.asked.Load() {
		return hint + "; " + hintCertificate
	}
	return hint
}

func (c *call) dnsFailed(e *dnsError) error {
	if dns, ok := errors.AsType[*net.DNSError](e.err); e.err == nil || ok && dns.IsNotFound {
		return c.unreachable("has no address in the DNS").WithHint("see whether this machine is online, and the host of the credential right")
	}
	return c.unreachable("cannot be looked up: the DNS does not answer").WithHint("check the network of this machine")
}

// certificate says what is wrong with a certificate, or nothing.
func certificate(err error) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		return ""
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "its certificate has expired, or is not valid yet"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is signed by an unknown authority"
	}
	return "its certificate is not valid"
}

// isTimeout reports whether connecting or the TLS handshake took too long.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// system returns what the operating system says, such as "connection refused".
func system(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return ": " + errno.Error()
	}
	return ""
}

func (c *call) unreachable(what string) *fault.Error {
	return fault.New(fault.UpstreamUnreachable, "%s %s", c.host, what)
}

func (c *call) timeout(format string, args ...any) *fault.Error {
	return fault.New(fault.Timeout, "%s %s", c.host, fmt.Sprintf(format, args...))
}
