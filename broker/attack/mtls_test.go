package attack_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// countSessions has a server count its handshakes, and those that resume the
// session of another.
func countSessions(handshakes, resumed *atomic.Int64) func(*tls.Config) {
	return func(c *tls.Config) {
		c.VerifyConnection = func(state tls.ConnectionState) error {
			handshakes.Add(1)
			if state.DidResume {
				resumed.Add(1)
			}
			return nil
		}
	}
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// clientPair is a certificate of its own that is good until a time from now,
// and its key.
func clientPair(t *testing.T, good time.Duration) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(good),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der), pemOf("PRIVATE KEY", keyDER)
}

func TestCase092MTLS(t *testing.T) {
	t.Parallel()
	ca, cert, key, err := upstream.ClientCertificate("mine")
	if err != nil {
		t.Fatal(err)
	}
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			t.Parallel()
			up := brokertest.NewWith(t, upstream.Options{Names: []string{host, "other.test"}, HTTP2: http2, ClientCA: ca})
			w := newWorldAt(t, up)
			bearer := w.secret
			block, _ := pem.Decode(key)
			w.canaries = append(w.canaries, string(key), base64.StdEncoding.EncodeToString(block.Bytes), string(block.Bytes))
			pair := w.putValue(t, "PAIR", string(cert)+string(key))
			w.credential(t, broker.NewCredential{ID: "mtls", Secret: pair.id, Auth: params("mtls")})
			call := get(prefix)
			call.Credential = "mtls"
			for range 2 {
				w.shows(t, call, "mine")
			}
			// Neither another credential at the same host nor another host,
			// though the server asks, is shown it.
			call.Credential = credential
			w.carries = bearerOf(bearer)
			w.shows(t, call, "")
			w.capability(t, broker.NewCapability{ID: "api/other", Hosts: []string{"other.test"}})
			w.deny(t, broker.Call{Capability: "api/other", Method: "GET", Path: prefix, Credential: "mtls"}, fault.SecretNotAccessible)
			other := w.put(t, "OTHER")
			w.credential(t, broker.NewCredential{ID: "other", Secret: other.id, Hosts: []string{"other.test"}})
			w.carries = bearerOf(other)
			w.shows(t, broker.Call{Capability: "api/other", Method: "GET", Path: prefix}, "")
			for _, got := range up.Received() {
				brokertest.Scan(t, "what the upstream got", got, string(block.Bytes), string(key))
			}
			// A pair that replaces another is shown from then on.
			newCert, newKey := clientPair(t, time.Hour)
			_, err := w.vault.RotateSecret(context.Background(), pair.id, opaque.New([]byte(newKey+newCert)), 0)
			if err != nil {
				t.Fatal(err)
			}
			call.Credential = "mtls"
			w.fail(t, call, fault.UpstreamUnreachable) // the server does not know its authority
		})
	}
}

// shows makes a call, and checks with which certificate it came.
func (w *world) shows(t *testing.T, call broker.Call, name string) {
	t.Helper()
	if call.Credential == "mtls" {
		w.carries = func(r upstream.Request) (upstream.Request, bool) { return r, true } // it never is
	}
	got, _ := w.allow(t, call)
	shown := ""
	if len(got.PeerCertificates) > 0 {
		shown = got.PeerCertificates[0].Subject.CommonName
	}
	if shown != name {
		t.Errorf("%s by %s: the certificate of %q was shown, want %q", brief(call), call.Credential, shown, name)
	}
}

func TestCase092PairsThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cert, key := clientPair(t, time.Hour)
	otherCert, otherKey := clientPair(t, time.Hour)
	expired, expiredKey := clientPair(t, -time.Hour)
	s := w.putValue(t, "PAIR", cert+key)
	w.credential(t, broker.NewCredential{ID: "mtls", Secret: s.id, Auth: params("mtls")})
	for name, value := range map[string]string{
		"a key of another":     cert + otherKey,
		"another's first":      otherCert + cert + key,
		"expired":              expired + expiredKey,
		"encrypted":            cert + pemOf("ENCRYPTED PRIVATE KEY", []byte("made-up")),
		"encrypted, old style": cert + "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nbWFkZS11cA==\n-----END EC PRIVATE KEY-----\n",
		"no key":               cert,
		"no certificate":       key,
		"two keys":             cert + key + otherKey,
		"no PEM":               "made-up",
		"a broken key":         cert + pemOf("PRIVATE KEY", []byte("made-up")),
	} {
		w.refuse(t, name, fault.InvalidRequest, func() error {
			_, err := w.vault.RotateSecret(context.Background(), s.id, opaque.New([]byte(value)), 0)
			return err
		})
	}
}
