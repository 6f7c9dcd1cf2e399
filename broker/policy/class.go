package policy

import (
	"bytes"

	"aivault/keys/fault"
)

// A class is why a caller's header is not sent. The zero class passes.
type class struct {
	refused  bool
	listable bool // refused unless the capability lists the header by name
	dropped  bool // ignored without an error
	reason   string
}

// refuse is the error for a header of that class.
func (c class) refuse(name string) error {
	err := fault.New(fault.PolicyViolation, "the header %s is refused: %s", name, c.reason)
	if c.listable {
		return err.WithHint("leave it out, or use a capability that lists it among its allowed headers")
	}
	return err.WithHint("leave it out")
}

// MayManageHeader reports whether a credential may bring the header. One that
// changes what the request is would be a way around the capability, which judged
// what the caller gave: the method, the target or an operation beside the path.
func MayManageHeader(name string) bool {
	var buf [maxHeaderName]byte
	folded := fold(buf[:0], name)
	return !isFraming(folded) && !isForwarding(folded) && !isMethodOverride(folded) && (isAuth(folded) || !reachesFurther(folded))
}

// MayManageQuery is MayManageHeader for a query parameter, decoded.
func MayManageQuery(name string) bool { return !overridesMethod(name) }

// classify sorts a folded header name into its class. Headers are refused by
// class rather than by a list of names, as a name that nobody thought of is
// the one that an attacker uses.
func classify(name []byte) class {
	switch {
	case isOurs(name):
		return class{dropped: true}
	case isFraming(name):
		return class{refused: true, reason: "it steers the connection or frames the body"}
	case isForwarding(name):
		return class{refused: true, reason: "it claims another origin, client or target"}
	case isMethodOverride(name):
		return class{refused: true, reason: "it overrides the method"}
	case isAuth(name):
		return class{refused: true, reason: "authentication is the broker's"}
	case reachesFurther(name):
		return class{refused: true, listable: true, reason: "it names an operation or object outside the path"}
	}
	return class{}
}

// isOurs: what concerns only us and the caller, and is consumed here. The
// encoding of the answer is ours to choose, or the answer could not be
// searched for secrets.
func isOurs(name []byte) bool {
	return string(name) == "accept-encoding" || bytes.HasPrefix(name, []byte("x-aivault-"))
}

// isFraming: the hop-by-hop headers of RFC 9110, section 7.6.1, whatever a
// Connection header could name, and what delimits the message.
func isFraming(name []byte) bool {
	switch string(name) {
	case "host", "connection", "keep-alive", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade", "http2-settings", "expect", "content-length",
		"alt-used", "early-data", "max-forwards":
		return true
	}
	return bytes.HasPrefix(name, []byte("sec-websocket-"))
}

// isForwarding: what a proxy in front of a server says of the client and of
// the original request, and what servers therefore believe.
func isForwarding(name []byte) bool {
	switch string(name) {
	case "forwarded", "via", "proxy", "x-real-ip", "x-host", "x-http-host-override", "x-scheme",
		"x-url-scheme", "front-end-https", "base-url", "x-originating-ip",
		"x-remote-ip", "x-remote-addr", "x-remote-user", "remote-user", "x-proxyuser-ip":
		return true
	}
	return hasAnyPrefix(name, "x-forward", "forwarded-", "proxy-", "x-original-", "x-rewrite-",
		"x-accel-", "x-sendfile", "x-envoy-", "x-middleware-") ||
		hasAnySuffix(name, "client-ip", "connecting-ip", "clientip")
}

// isMethodOverride: what makes a server take a POST for something else.
func isMethodOverride(name []byte) bool {
	switch string(name) {
	case "x-http-method", "x-method", "x-tunneled-method":
		return true
	}
	return bytes.HasSuffix(name, []byte("method-override"))
}

// isAuth: cookies, and every name that speaks of authentication. A caller that
// could set one of these could act as somebody else at the same host, or hide
// the broker's own. Names that end in "key" are refused too, but for those
// that are known to identify a request or an object.
func isAuth(name []byte) bool {
	switch string(name) {
	case "x-amz-date", "x-amz-content-sha256", "x-amz-algorithm", "x-amz-expires", "x-amz-signedheaders":
		return true // parts of a signature
	}
	for _, part := range [...]string{
		"cookie", "token", "secret", "signature", "credential", "passw", "passphrase",
		"apikey", "authoriz", "authoris", "authentic", "oauth", "bearer", "jwt",
	} {
		if bytes.Contains(name, []byte(part)) {
			return true
		}
	}
	for rest, word := name, []byte(nil); len(rest) > 0; {
		word, rest, _ = bytes.Cut(rest, []byte("-"))
		switch string(word) {
		case "auth", "sig", "hmac", "pwd", "pass", "otp":
			return true
		}
		if bytes.HasSuffix(word, []byte("auth")) {
			return true
		}
	}
	return bytes.HasSuffix(name, []byte("key")) &&
		!hasAnySuffix(name, "idempotency-key", "idempotent-key", "cache-key", "surrogate-key",
			"partition-key", "routing-key", "sort-key", "dedupe-key", "request-key")
}

// reachesFurther: headers that give the request rights which its path does not
// show, at services that sign or copy by header. The ones that carry the
// signature itself are isAuth, or managed by the strategy that signs.
func reachesFurther(name []byte) bool {
	return string(name) == "destination" || // COPY and MOVE, RFC 4918
		hasAnyPrefix(name, "x-amz-", "x-oss-", "x-cos-", "x-obs-", "x-goog-copy-source", "x-ms-copy-source")
}

func hasAnyPrefix(name []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if bytes.HasPrefix(name, []byte(p)) {
			return true
		}
	}
	return false
}

func hasAnySuffix(name []byte, suffixes ...string) bool {
	for _, s := range suffixes {
		if bytes.HasSuffix(name, []byte(s)) {
			return true
		}
	}
	return false
}
