package wire

import (
	"net/http"
	"net/textproto"
	"strings"
)

// cleanHeader returns the headers that may leave (case 80): those that are
// known to tell of the content, of limits, of pages, or of which request this
// was, unless the answer itself says that they are about the connection
// (RFC 9110, section 7.6.1). What is about the encoding is over.
func cleanHeader(h http.Header) http.Header {
	named := make(map[string]bool)
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			named[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		if !named[name] && mayLeave(strings.ToLower(name)) {
			out[name] = values
		}
	}
	return out
}

// mayLeave reports whether a header, in lower case, is passed on.
func mayLeave(name string) bool {
	switch name {
	case "content-type", "content-language", "content-disposition", "content-range", "accept-ranges", // RFC 9110, 6266
		"etag", "last-modified", "date", "vary", "allow", "retry-after", "location",
		"age", "cache-control", "expires", "warning", // RFC 9111
		"link", "deprecation", "sunset", "preference-applied": // RFC 8288, 9745, 8594, 7240
		return true
	case "request-id", "x-request-id", "correlation-id", "x-correlation-id", "x-amzn-requestid", "x-amzn-request-id",
		"x-amz-request-id", "x-amz-id-2", "x-ms-request-id", "x-github-request-id", "x-slack-req-id", "x-slack-unique-id",
		"twilio-request-id", "x-message-id", "cf-ray", "x-vercel-id", "fly-request-id", "x-guploader-uploadid":
		return true
	case "traceparent", "traceresponse", "x-trace-id", "trace-id", "x-b3-traceid", "x-amzn-trace-id",
		"x-cloud-trace-context", "x-datadog-trace-id":
		return true
	case "x-total", "x-total-count", "x-total-pages", "x-per-page", "x-next-page", "x-prev-page", "x-first-page",
		"x-last-page", "x-wp-total", "x-wp-totalpages":
		return true
	case "openai-processing-ms", "openai-version", "openai-model", "anthropic-version", "stripe-version",
		"notion-version", "x-github-media-type", "x-github-api-version-selected", "x-shopify-api-version",
		"x-shopify-shop-api-call-limit", "x-should-retry", "retry-after-ms", "x-retry-after", "idempotent-replayed",
		"x-complexity", "twilio-concurrent-requests", "x-poll-interval":
		return true
	}
	page := strings.HasPrefix(name, "x-page") || strings.HasPrefix(name, "x-pagination")
	return (page || isLimit(name)) && !isAuth(name)
}

// isLimit reports whether a header tells how much of a limit is used. Each
// vendor has names of its own, such as anthropic-ratelimit-requests-remaining.
func isLimit(name string) bool {
	return strings.HasPrefix(name, "ratelimit") || strings.Contains(name, "-ratelimit") || strings.Contains(name, "-rate-limit")
}

// isAuth reports whether a name is like those of headers that authenticate.
// Limits count tokens, which is another thing.
func isAuth(name string) bool {
	name = strings.ReplaceAll(name, "tokens", "")
	for _, part := range [...]string{"cookie", "auth", "token", "secret", "key", "signature", "password", "credential", "session"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
