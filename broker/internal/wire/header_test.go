package wire_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// Cases 65 and 80: headers that leave, and others that do not.
func TestCase80ResponseHeaders(t *testing.T) {
	t.Parallel()
	leave := []string{
		"Content-Type", "Content-Language", "Content-Disposition", "Content-Range", "Accept-Ranges", "Etag",
		"Last-Modified", "Cache-Control", "Expires", "Age", "Vary", "Allow", "Retry-After", "Location",
		"Link", "Warning", "Deprecation", "Sunset",
		"Ratelimit", "Ratelimit-Policy", "Ratelimit-Limit", "X-Ratelimit-Remaining-Tokens", "X-Rate-Limit-Reset",
		"Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Requests-Remaining", "X-Hubspot-Ratelimit-Daily",
		"X-Request-Id", "Request-Id", "X-Amzn-Requestid", "X-Amz-Request-Id", "Cf-Ray", "X-Correlation-Id",
		"Traceparent", "X-Trace-Id", "X-Github-Request-Id", "Twilio-Request-Id",
		"X-Total-Count", "X-Page", "X-Page-Count", "X-Pagination-Total", "X-Next-Page", "X-Per-Page",
		"Openai-Processing-Ms", "Openai-Version", "Openai-Model", "Stripe-Version", "Idempotent-Replayed",
	}
	stay := []string{
		"Set-Cookie", "Set-Cookie2", "Cookie", "Www-Authenticate", "Authorization", "Authentication-Info",
		"X-Api-Key", "X-Auth-Token", "X-Csrf-Token", "X-Amz-Security-Token", "X-Goog-Api-Key", "Private-Token",
		"Proxy-Authenticate", "Proxy-Authorization", "X-Session-Id", "X-Refreshed-Token", "X-Secret",
		"X-Ratelimit-Session", "Ratelimit-Token", "X-Page-Token", "X-Page-Key", "X-Rate-Limit-Signature",
		"Alt-Svc", "Keep-Alive", "Upgrade", "Trailer", "Strict-Transport-Security", "Report-To", "Nel", "Refresh",
		"Access-Control-Allow-Origin", "Server", "Via", "X-Powered-By", "Openai-Organization", "X-Unknown",
	}
	for _, http2 := range []bool{false, true} {
		s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
		header, want := http.Header{}, http.Header{}
		for _, name := range stay {
			header[name] = []string{"x"}
		}
		for _, name := range leave {
			header[name] = []string{"x", "y"}
			want[name] = header[name]
		}
		header["Date"] = []string{"Mon, 23 Nov 2026 00:00:00 GMT"}
		want["Date"] = header["Date"]
		s.Reply(200, header, []byte("x"))
		for _, way := range ways() {
			resp, err := way.do(newClient(t, s), t.Context(), get("/"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, resp.Header); diff != "" {
				t.Errorf("HTTP/2 %t, %s: headers (-want +got):\n%s", http2, way.name, diff)
			}
		}
	}
}

// What an answer says to be about the connection stays, whatever its name.
func TestCase80ConnectionHeaders(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	s.Reply(200, http.Header{"Connection": {"etag , X-Request-Id", "keep-alive"}, "Etag": {"x"}, "X-Request-Id": {"x"}, "Link": {"<x>"}}, nil)
	got := do(t, newClient(t, s), get("/")).Header
	if got.Get("Link") != "<x>" || got.Get("Etag")+got.Get("X-Request-Id")+got.Get("Connection") != "" {
		t.Errorf("headers %v", got)
	}
}

// Case 65: what is written in the status line, in early hints or in a trailer
// is in nothing that leaves.
func TestCase65StatusAndTrailer(t *testing.T) {
	t.Parallel()
	const echo = "made-up-echo"
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Script(
		"HTTP/1.1 103 Early " + echo + "\r\nEtag: " + echo + "\r\n\r\n" +
			"HTTP/1.1 200 " + echo + "\r\nTransfer-Encoding: chunked\r\nTrailer: Etag, X-Late\r\nX-Request-Id: r\r\n\r\n" +
			"2;x=" + echo + "\r\nok\r\n0\r\nEtag: " + echo + "\r\nX-Late: " + echo + "\r\n\r\n")})
	for _, way := range ways() {
		resp, err := way.do(newClient(t, s), t.Context(), get("/"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(http.Header{"X-Request-Id": {"r"}}, resp.Header); diff != "" || string(resp.Body) != "ok" {
			t.Errorf("%s: body %q, headers (-want +got):\n%s", way.name, resp.Body, diff)
		}
	}
}
