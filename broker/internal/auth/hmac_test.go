package auth_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// macAgain is HMAC by its definition (RFC 2104), beside that of the library.
func macAgain(h func() hash.Hash, key, text []byte) string {
	block := h().BlockSize()
	sum := func(parts ...[]byte) []byte {
		s := h()
		s.Write(bytes.Join(parts, nil))
		return s.Sum(nil)
	}
	if len(key) > block {
		key = sum(key)
	}
	inner, outer := bytes.Repeat([]byte{0x36}, block), bytes.Repeat([]byte{0x5c}, block)
	for i, c := range key {
		inner[i] ^= c
		outer[i] ^= c
	}
	return hex.EncodeToString(sum(outer, sum(inner, text)))
}

// The request of the vectors. The signatures were made with the commands
//
//	printf 'aivault-hmac-v1\nPOST\napi.test\n/v1/caf%%C3%%A9\na=2&b=%%2F&b=1\n1440938160\n%s' $HASH | openssl dgst -sha256 -hmac made-up-key
//	printf '{"a":1}' | openssl dgst -sha256 # HASH
//
// and the same with -sha512.
func TestHMAC(t *testing.T) {
	t.Parallel()
	const url, body = "https://api.test/v1/caf%C3%A9?b=1&b=%2F&a=2", `{"a":1}`
	tests := []struct {
		name   string
		cfg    vault.Auth
		hash   func() hash.Hash
		header string
		value  string // with %s for the signature
		vector string
	}{
		{"defaults", config("hmac"), sha256.New, "X-Signature", "sha256=%s", "c836d114ce85e415198750922b81903928a155568c4452c14e46e007e3a56ec7"},
		{"SHA-512", config("hmac", "algorithm", "sha512"), sha512.New, "X-Signature", "sha512=%s", "44a4d01d7f592c93cfb5627491bb141b5ff9871c7e290681639d0f2e4b255af5764e8362a47ee82d9d8ba3e947707be9525cea0460c9c860cfd5c1aefc971a12"},
		{
			"own header", config("hmac", "algorithm", "sha256", "header_name", "x-hub-sig", "value_template", "t={{timestamp}},v1={{signature}}"),
			sha256.New, "X-Hub-Sig", "t=1440938160,v1=%s", "c836d114ce85e415198750922b81903928a155568c4452c14e46e007e3a56ec7",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := message(t, http.MethodPost, url, []byte(body))
			m.Header.Set("Content-Type", "application/json")
			secrets := applyTo(t, test.cfg, m, values("secret", "made-up-key"))
			sum := test.hash()
			sum.Write([]byte(body))
			text := "aivault-hmac-v1\nPOST\napi.test\n/v1/caf%C3%A9\na=2&b=%2F&b=1\n1440938160\n" + hex.EncodeToString(sum.Sum(nil))
			signature := macAgain(test.hash, []byte("made-up-key"), []byte(text))
			if signature != test.vector {
				t.Errorf("the definition gives %s, openssl %s", signature, test.vector)
			}
			want := http.Header{
				"Content-Type": {"application/json"}, test.header: {fmt.Sprintf(test.value, signature)}, test.header + "-Timestamp": {"1440938160"},
			}
			if diff := cmp.Diff(want, m.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if m.URL.RequestURI() != strings.TrimPrefix(url, "https://api.test") {
				t.Errorf("the target became %q", m.URL.RequestURI())
			}
			if diff := cmp.Diff(set([]string{"made-up-key", signature, want.Get(test.header)}), set(secrets)); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

// Case 86: requests that differ have different signatures, also where their
// parts put together are the same text.
func TestCase086Injective(t *testing.T) {
	t.Parallel()
	type request struct {
		method, url, body string
		later             time.Duration
	}
	requests := []request{
		{"GET", "https://api.test/a", "", 0},
		{"POST", "https://api.test/a", "", 0},
		{"GET", "https://api.tes/a", "", 0},
		{"GET", "https://api.test:8443/a", "", 0},
		{"GET", "https://api.test/a/", "", 0},
		{"GET", "https://api.test/A", "", 0},
		{"GET", "https://api.test/%41%2Fb", "", 0},
		{"GET", "https://api.test/a?", "\n", 0},
		{"GET", "https://api.test/a?b", "", 0},
		{"GET", "https://api.test/a?b=", "", 0},
		{"GET", "https://api.test/a?b&", "", 0},
		{"GET", "https://api.test/a?b&&", "", 0},
		{"GET", "https://api.test/a?b&b", "", 0},
		{"GET", "https://api.test/a%0Ab", "", 0},
		{"GET", "https://api.test/a?b%0A1440938160", "", 0},
		{"GET", "https://api.test/a?b=1&c=2", "", 0},
		{"GET", "https://api.test/a?b=1%26c=2", "", 0},
		{"GET", "https://api.test/a?b=1&c=%32", "", 0},
		{"GET", "https://api.test/a", "x", 0},
		{"GET", "https://api.test/a", "x\n", 0},
		{"GET", "https://api.test/a", "", time.Second},
	}
	sign := func(r request) string {
		m := message(t, r.method, r.url, []byte(r.body))
		m.Time = m.Time.Add(r.later)
		applyTo(t, config("hmac"), m, values("secret", "k"))
		return m.Header.Get("X-Signature")
	}
	seen := map[string]request{}
	for _, r := range requests {
		s := sign(r)
		if other, ok := seen[s]; ok {
			t.Errorf("%v and %v have one signature", r, other)
		}
		seen[s] = r
	}
	// Only the order of the pairs is not signed.
	if sign(request{"GET", "https://api.test/a?c=2&b=1", "", 0}) != sign(request{"GET", "https://api.test/a?b=1&c=2", "", 0}) {
		t.Error("the order of the pairs is signed")
	}
}

func TestHMACRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg  vault.Auth
		says string
	}{
		{config("hmac", "algorithm", "md5"), `"md5" is no hmac algorithm`},
		{config("hmac", "algorithm", "SHA256"), "no hmac algorithm"},
		{config("hmac", "algorithm", "sha256", "algorithm", "sha512"), "twice"},
		{config("hmac", "key", "x"), `"key"`},
		{config("hmac", "header_name", "host"), "cannot carry"},
		{config("hmac", "header_name", ""), "empty"},
		{config("hmac", "value_template", "{{secret}}"), "needs {{signature}}"},
		{config("hmac", "value_template", "x"), "needs {{signature}}"},
		{config("hmac", "value_template", "{{signature}}{{secret}}"), "takes nothing else"},
		{config("hmac", "value_template", "{{signature}}{{signature}}"), "twice"},
		{config("hmac", "value_template", "{{timestamp}}"), "needs {{signature}}"},
		{config("hmac", "value_template", "{{signature}}\n"), "line break"},
	} {
		_, err := auth.New(test.cfg)
		if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: error %v, want %q", test.cfg, err, test.says)
		}
	}
	cfg := config("hmac")
	if err := auth.SecretShape(cfg, nil); fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty key: %v", err)
	}
	if err := auth.SecretShape(cfg, opaque.New([]byte("\x00\n\xff"))); err != nil {
		t.Errorf("a key of any bytes: %v", err)
	}
	// A line break would end a line of what is signed.
	m := message(t, http.MethodGet, "https://api.test/a", nil)
	m.Host = "api.test\nx"
	if _, err := strategy(t, cfg).Apply(m, values("secret", "k")); fault.CodeOf(err) != fault.InvalidRequest || len(m.Header) != 0 {
		t.Errorf("a host with a line break: %v", err)
	}
}
