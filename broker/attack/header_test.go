package attack_test

import (
	"net/http"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
)

// denyHeaders has a request with each header refused, and one with none pass.
func denyHeaders(t *testing.T, code fault.Code, value string, names ...string) {
	t.Helper()
	w := newWorld(t)
	for _, name := range names {
		w.deny(t, with(name, value), code)
	}
	w.allow(t, get(prefix))
}

func TestCase027AuthHeaders(t *testing.T) {
	t.Parallel()
	denyHeaders(
		t, fault.PolicyViolation, "mine-mine",
		"Authorization", "AUTHORIZATION", "authorization", "Proxy-Authorization", "Cookie", "Cookie2", "Set-Cookie", "X-Api-Key", "x_api_key", "Api-Key", "ApiKey",
		"X-Auth-Token", "X-Access-Token", "X-Goog-Api-Key", "PRIVATE-TOKEN", "X-GitHub-Token", "X-Vault-Token", "X-Session-Token", "X-CSRF-Token", "X-Auth",
		"X-Amz-Signature", "X-Hub-Signature-256", "X-Secret", "Client-Secret", "X-Password", "X-Shopify-Access-Token", "DD-API-KEY", "DD-APPLICATION-KEY",
		"X-JWT-Assertion", "X-OAuth-Scopes", "Ocp-Apim-Subscription-Key", "X-Master-Key", "WWW-Authenticate", "X-Authorization", "X.Api.Key", "X-Credentials",
	)
	w := newWorld(t)
	for _, name := range []string{"Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "If-None-Match", "Range", "User-Agent", "X-Custom"} {
		if got, _ := w.allow(t, with(name, "value")); got.Get(name) != "value" {
			t.Errorf("%s did not arrive", name)
		}
	}
}

func TestCase028HostAndPseudoHeaders(t *testing.T) {
	t.Parallel()
	denyHeaders(t, fault.PolicyViolation, "evil.test", "Host", "host", "HOST", ":authority", ":path", ":method", ":scheme", ":status", ":protocol", ":x", ":", ":authority\r\n")
}

func TestCase029ConnectionStripsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, value := range []string{"Authorization, X-Api-Key", "close", "authorization", "keep-alive", "Upgrade", ""} {
		w.deny(t, with("Connection", value), fault.PolicyViolation)
		w.deny(t, with("X-A", "b", "connection", value), fault.PolicyViolation)
	}
	got, _ := w.allow(t, with("X-A", "b"))
	if got.Get("Connection") != "" {
		t.Errorf("Connection: %s", got.Get("Connection"))
	}
}

func TestCase030Framing(t *testing.T) {
	t.Parallel()
	denyHeaders(
		t, fault.PolicyViolation, "chunked",
		"Transfer-Encoding", "transfer_encoding", "Content-Length", "TE", "Trailer", "Upgrade", "Expect", "Keep-Alive", "Proxy-Connection",
		"HTTP2-Settings", "Sec-WebSocket-Key", "Max-Forwards",
	)
	w := newWorld(t)
	w.deny(t, with("Content-Length", "5", "Content-Length", "6"), fault.PolicyViolation)
	w.deny(t, with("Transfer-Encoding", "chunked", "Content-Length", "5"), fault.PolicyViolation)
	call := post("hello")
	call.Headers = []broker.Header{{Name: "Content-Length", Value: "50"}}
	w.deny(t, call, fault.PolicyViolation)
	got, _ := w.allow(t, post("hello"))
	if strings.Join(got.Values("Content-Length"), ",") != "5" || got.Get("Transfer-Encoding") != "" || string(got.Body) != "hello" {
		t.Errorf("Content-Length %q, Transfer-Encoding %q, %d bytes", got.Values("Content-Length"), got.Get("Transfer-Encoding"), len(got.Body))
	}
}

func TestCase031MalformedHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, value := range []string{"a\r\nX-Evil: 1", "a\n", "\r", "a\x00b", "a\r\n b", "\x7f", "\x1b[31m", "\xff\xfe", "a\n\tb"} {
		w.deny(t, with("X-A", value), fault.InvalidRequest)
	}
	for _, name := range []string{"", " ", "X A", "X-A ", " X-A", "X-A:", "X\tA", "X\r\nA", "X-A\x00", "X(A)", "X-é", "X/A", "\"X\"", "X-A: b\r\nX-C"} {
		w.deny(t, with(name, "v"), fault.InvalidRequest)
	}
}

func TestCase032MethodOverride(t *testing.T) {
	t.Parallel()
	denyHeaders(
		t, fault.PolicyViolation, "DELETE",
		"X-HTTP-Method-Override", "x-http-method-override", "X_HTTP_METHOD_OVERRIDE", "X-Method-Override", "X-HTTP-Method", "X-Method", "X-Tunneled-Method",
	)
}

func TestCase033Forwarding(t *testing.T) {
	t.Parallel()
	denyHeaders(
		t, fault.PolicyViolation, "evil.test",
		"X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "X-Forwarded-Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Server",
		"x_forwarded_for", "Forwarded", "X-Real-IP", "Via", "X-Host", "X-Forward-Host", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Envoy-Original-Path",
		"X-Accel-Redirect", "Proxy", "Front-End-Https", "X-HTTP-Host-Override",
	)
}

func TestCase034AmazonHeaders(t *testing.T) {
	t.Parallel()
	names := []string{
		"X-Amz-Copy-Source", "X-Amz-Target", "X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Acl", "X-Amz-Grant-Read",
		"x-amz-meta-a", "X-Amz-Website-Redirect-Location", "X_Amz_Copy_Source", "X-Goog-Copy-Source", "X-Ms-Copy-Source", "X-Oss-Copy-Source", "Destination",
	}
	denyHeaders(t, fault.PolicyViolation, "/other-bucket/key", names...)

	// A capability may list the ones that say what to do, none that sign.
	w := newWorld(t)
	w.capability(t, broker.NewCapability{ID: "api/copy", AllowHeads: []string{"X-Amz-Copy-Source"}})
	call := with("x-amz-copy-source", "/bucket/key")
	call.Capability = "api/copy"
	if got, _ := w.allow(t, call); got.Get("X-Amz-Copy-Source") != "/bucket/key" {
		t.Error("the header that the capability lists did not arrive")
	}
	call.Headers[0].Name = "X-Amz-Acl"
	w.deny(t, call, fault.PolicyViolation)
	for _, name := range []string{"X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Content-Sha256", "Authorization", "Host", "X-Forwarded-For", "X-HTTP-Method-Override", "Content-Length"} {
		w.refuse(t, name, fault.PolicyViolation, func() error {
			_, err := w.tryCapability(broker.NewCapability{ID: "api/bad", AllowHeads: []string{name}})
			return err
		})
	}
}

func TestCase035AcceptEncoding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, value := range []string{"gzip, br, zstd", "br", "identity", "*"} {
		if got, _ := w.allow(t, with("Accept-Encoding", value)); strings.Join(got.Values("Accept-Encoding"), "; ") != "gzip, deflate" {
			t.Errorf("%s: the upstream got %q", value, got.Values("Accept-Encoding"))
		}
	}
}

func TestCase036Twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deny(t, with("X-A", "1", "X-A", "2"), fault.PolicyViolation)
	w.deny(t, with("X-A", "1", "x-a", "1"), fault.PolicyViolation)
	w.deny(t, with("a_b", "1", "a-b", "2"), fault.PolicyViolation)
	w.deny(t, with("Content-Type", "text/plain", "Accept", "*/*", "content_type", "text/html"), fault.PolicyViolation)
	w.deny(t, with("Accept-Encoding", "br", "Accept-Encoding", "gzip"), fault.PolicyViolation)
	w.allow(t, with("a_b", "1", "a-c", "2"))
}

// Documented calls pass such headers, so they pass unless a capability lists
// its own.
func TestCase037ProviderHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.capability(t, broker.NewCapability{ID: "api/listed", AllowHeads: []string{"notion-version"}})
	for _, name := range []string{"OpenAI-Organization", "Anthropic-Beta", "Notion-Version"} {
		if got, _ := w.allow(t, with(name, "v1")); got.Get(name) != "v1" {
			t.Errorf("%s did not arrive", name)
		}
		call := with(name, "v1")
		call.Capability = "api/listed"
		if name == "Notion-Version" {
			w.allow(t, call)
		} else {
			w.deny(t, call, fault.PolicyViolation)
		}
	}
}

func TestCase038ManyHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var many, most []string
	for i := range 200 {
		many = append(many, "X-"+strings.Repeat("a", i+1), "v")
	}
	most = many[:2*100]
	w.deny(t, with(many...), fault.RequestTooLarge)
	w.deny(t, with("X-A", strings.Repeat("a", 64<<10)), fault.RequestTooLarge)
	w.deny(t, with(strings.Repeat("a", 64<<10), "v"), fault.RequestTooLarge)
	w.deny(t, with("X-"+strings.Repeat("a", 200), "v"), fault.RequestTooLarge)
	w.allow(t, with(most...))
}

func TestCase040OurOwnHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"X-Aivault-Capability", "X-Aivault-Token", "x_aivault_context", "X-AIVAULT-TOKEN"} {
		got, _ := w.allow(t, with(name, "avp_made-up", "X-A", "b"))
		for _, h := range got.Headers {
			if strings.Contains(strings.ToLower(h.Name), "aivault") || strings.Contains(h.Value, "avp_") {
				t.Errorf("%s was forwarded: %s", name, http.CanonicalHeaderKey(h.Name))
			}
		}
	}
}
