package auth_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/vault"
)

// Preview has what Apply adds, but for what the secret decides.
func TestPreview(t *testing.T) {
	t.Parallel()
	names := map[string]string{"secret": "MY_KEY"}
	amz := http.Header{
		"Authorization": {"AWS4-HMAC-SHA256 Credential=<MY_KEY>/20150830/us-east-1/s3/aws4_request, " +
			"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=<MY_KEY>"},
		"X-Amz-Date":           {"20150830T123600Z"},
		"X-Amz-Content-Sha256": {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	}
	bearer := http.Header{"Authorization": {"Bearer <MY_KEY>"}}
	tests := []struct {
		cfg         vault.Auth
		names       map[string]string
		header      http.Header
		path, query string
	}{
		{config("header", "authorization", "Bearer {{secret}}"), names, bearer, "/x", "y"},
		{config("query", "key", "{{secret}}"), names, http.Header{}, "/x", "y&key=<MY_KEY>"},
		{config("path", "prefix", "/bot{{secret}}"), names, http.Header{}, "/bot<MY_KEY>/x", "y"},
		{config("basic"), names, http.Header{"Authorization": {"Basic <MY_KEY>"}}, "/x", "y"},
		{config("multi-header", "x-a", "{{a}}", "x-b", "v{{secret}}"), names, http.Header{"X-A": {"<MY_KEY.a>"}, "X-B": {"v<MY_KEY.secret>"}}, "/x", "y"},
		{config("multi-header", "x-a", "{{a}}", "x-b", "{{b}}"), map[string]string{"a": "A", "b": "B"}, http.Header{"X-A": {"<A>"}, "X-B": {"<B>"}}, "/x", "y"},
		{config("multi-query", "a", "{{a}}", "b", "{{b.c}}"), names, http.Header{}, "/x", "y&a=<MY_KEY.a>&b=<MY_KEY.b.c>"},
		{oauth("refresh_token"), names, bearer, "/x", "y"},
		{sigV4("s3", "us-east-1"), names, amz, "/x", "y"},
		{config("hmac"), names, http.Header{"X-Signature": {"sha256=<MY_KEY>"}, "X-Signature-Timestamp": {"1440938160"}}, "/x", "y"},
		{config("mtls"), names, http.Header{}, "/x", "y"},
	}
	var kinds []string
	for _, test := range tests {
		kinds = append(kinds, test.cfg.Kind)
		m := message(t, http.MethodGet, "https://api.test/x?y", nil)
		if err := strategy(t, test.cfg).Preview(m, test.names); err != nil {
			t.Errorf("%s: %v", test.cfg.Kind, err)
			continue
		}
		if diff := cmp.Diff(test.header, m.Header); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", test.cfg.Kind, diff)
		}
		if path := either(m.URL.RawPath, m.URL.Path); path != test.path || m.URL.RawQuery != test.query {
			t.Errorf("%s: %s?%s", test.cfg.Kind, path, m.URL.RawQuery)
		}
	}
	if kinds = slices.Compact(kinds); len(kinds) != 10 {
		t.Errorf("%d kinds were seen", len(kinds))
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
