package auth_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// made-up keys of the kinds that there are.
func newKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certPEM is a certificate that is good between two times from now.
func certPEM(t testing.TB, key crypto.Signer, from, to time.Duration) string {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client.test"},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func keyPEM(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func inJSON(t testing.TB, pairs ...string) string {
	t.Helper()
	fields := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMTLS(t *testing.T) {
	t.Parallel()
	key := newKey(t, "ecdsa")
	cert, authority := certPEM(t, key, -time.Hour, time.Hour), certPEM(t, newKey(t, "ed25519"), -time.Hour, time.Hour)
	rsaKey := newKey(t, "rsa").(*rsa.PrivateKey)
	sec1, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	edKey := newKey(t, "ed25519")
	tests := []struct {
		name, secret string
		key          crypto.Signer
		pem          string // of the key
		chain        int
	}{
		{"certificate and key", cert + keyPEM(t, key), key, keyPEM(t, key), 1},
		{"key and chain", keyPEM(t, key) + cert + authority, key, keyPEM(t, key), 2},
		{"words between", "Bag Attributes\r\n" + cert + "\nkey:\n" + block("EC PARAMETERS", []byte("x")) + block("EC PRIVATE KEY", sec1) + "end", key, block("EC PRIVATE KEY", sec1), 1},
		{"CRLF", strings.ReplaceAll(cert+keyPEM(t, key), "\n", "\r\n"), key, strings.ReplaceAll(keyPEM(t, key), "\n", "\r\n"), 1},
		{"JSON in camelCase", inJSON(t, "certPem", cert+authority, "keyPem", keyPEM(t, key), "note", "x"), key, keyPEM(t, key), 2},
		{"JSON in snake_case", inJSON(t, "cert_pem", cert, "key_pem", keyPEM(t, key)), key, keyPEM(t, key), 1},
		{"RSA, PKCS #1", certPEM(t, rsaKey, -time.Hour, time.Hour) + pkcs1, rsaKey, pkcs1, 1},
		{"Ed25519", certPEM(t, edKey, -time.Hour, time.Hour) + keyPEM(t, edKey), edKey, keyPEM(t, edKey), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := auth.SecretShape(config("mtls"), opaque.Clone([]byte(test.secret))); err != nil {
				t.Fatal(err)
			}
			c, err := strategy(t, config("mtls")).(auth.Certifier).Certificate(values("secret", test.secret))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Certificate) != test.chain || !bytes.Equal(c.Certificate[0], c.Leaf.Raw) {
				t.Errorf("a chain of %d", len(c.Certificate))
			}
			if got, ok := c.PrivateKey.(interface{ Equal(crypto.PrivateKey) bool }); !ok || !got.Equal(test.key) {
				t.Error("the key is another one")
			}
			m := message(t, http.MethodGet, "https://api.test/x?y", nil)
			secrets := applyTo(t, config("mtls"), m, values("secret", test.secret))
			if len(m.Header) != 0 || m.URL.RequestURI() != "/x?y" {
				t.Error("Apply changed the request")
			}
			decoded, _ := pem.Decode([]byte(test.pem))
			want := set([]string{strings.TrimSpace(test.pem), base64.StdEncoding.EncodeToString(decoded.Bytes)})
			if !cmp.Equal(want, set(secrets)) {
				t.Error("other secrets are to be redacted than the key as PEM and as base64")
			}
		})
	}
}

// Case 92: what cannot work is refused when it is stored.
func TestCase092MTLS(t *testing.T) {
	t.Parallel()
	key, other := newKey(t, "ecdsa"), newKey(t, "ecdsa")
	cert := certPEM(t, key, -time.Hour, time.Hour)
	proc := strings.Replace(keyPEM(t, key), "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1)
	tests := []struct{ name, secret, says string }{
		{"empty", "", "no certificate in PEM"},
		{"text", "made-up", "no certificate in PEM"},
		{"no key", cert, "no key in PEM"},
		{"no certificate", keyPEM(t, key), "no certificate in PEM"},
		{"another key", cert + keyPEM(t, other), "not that of the first certificate"},
		{"another kind of key", cert + keyPEM(t, newKey(t, "ed25519")), "not that of the first certificate"},
		{"authority first", certPEM(t, other, -time.Hour, time.Hour) + cert + keyPEM(t, key), "not that of the first certificate"},
		{"two keys", cert + keyPEM(t, key) + keyPEM(t, other), "more than one key"},
		{"encrypted", cert + block("ENCRYPTED PRIVATE KEY", []byte("made-up")), "is encrypted"},
		{"encrypted of old", cert + proc, "is encrypted"},
		{"expired", certPEM(t, key, -2*time.Hour, -time.Hour) + keyPEM(t, key), "certificate 1 in the secret expired on"},
		{"not yet", certPEM(t, key, time.Hour, 2*time.Hour) + keyPEM(t, key), "certificate 1 in the secret is not valid before"},
		{"an expired authority", cert + certPEM(t, other, -2*time.Hour, -time.Hour) + keyPEM(t, key), "certificate 2 in the secret expired on"},
		{"broken certificate", block("CERTIFICATE", []byte("made-up")) + keyPEM(t, key), "certificate 1 in the secret cannot be read"},
		{"broken key", cert + block("PRIVATE KEY", []byte("made-up")), "cannot be read"},
		{"JSON without key", inJSON(t, "certPem", cert), "no field keyPem"},
		{"JSON without certificate", inJSON(t, "keyPem", keyPEM(t, key)), "no field certPem"},
		{"JSON, swapped", inJSON(t, "certPem", keyPEM(t, key), "keyPem", cert), "the field certPem of the secret has no certificate"},
		{"JSON, certificate as key", inJSON(t, "certPem", cert, "keyPem", cert), "the field keyPem of the secret has no key"},
		{"JSON, expired", inJSON(t, "certPem", certPEM(t, key, -2*time.Hour, -time.Hour), "keyPem", keyPEM(t, key)), "certPem of the secret expired on"},
		{"JSON, another key", inJSON(t, "certPem", cert, "keyPem", keyPEM(t, other)), "the key in the field keyPem"},
		{"JSON, a list", `{"certPem":[],"keyPem":""}`, "no field certPem"},
		{"JSON, twice", `{"certPem":"a","cert_pem":"b","keyPem":""}`, "certPem twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := auth.SecretShape(config("mtls"), opaque.Clone([]byte(test.secret)))
			if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error()+fault.HintOf(err), "made-up") {
				t.Fatalf("error %v, want %q", err, test.says)
			}
			s := strategy(t, config("mtls"))
			if _, err := s.Apply(message(t, http.MethodGet, "https://api.test/", nil), values("secret", test.secret)); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("Apply: %v", err)
			}
			if c, err := s.(auth.Certifier).Certificate(values("secret", test.secret)); c != nil || fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("Certificate: %v", err)
			}
		})
	}
	if _, err := auth.New(config("mtls", "cert", "x")); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("a parameter: %v", err)
	}
}
