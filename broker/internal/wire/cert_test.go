package wire_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// identity makes a client certificate, and the authority that vouches for it.
func identity(t testing.TB, name string) (ca []byte, cert *tls.Certificate) {
	t.Helper()
	ca, certPEM, keyPEM, err := upstream.ClientCertificate(name)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return ca, &pair
}

func showing(cert *tls.Certificate) func(*wire.Config) {
	return func(c *wire.Config) { c.Certificate = cert }
}

// shown returns the names of the certificates that came with the requests.
func shown(s *upstream.Server) []string {
	var names []string
	for _, r := range s.Requests() {
		name := ""
		if len(r.PeerCertificates) > 0 {
			name = r.PeerCertificates[0].Subject.CommonName
		}
		names = append(names, name)
	}
	return names
}

// A certificate is shown to a server that asks for one, and to no other.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	ca, cert := identity(t, "mine")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, http2 := range []bool{false, true} {
			o := upstream.Options{
				Names: []string{"api.test"}, HTTP2: http2, ClientCA: ca, RequireClientCert: true,
				TLS: func(c *tls.Config) { c.MaxVersion = version },
			}
			asks := brokertest.NewWith(t, o)
			do(t, newClient(t, asks, showing(cert)), get("/"))
			if got := shown(asks); len(got) != 1 || got[0] != "mine" {
				t.Errorf("TLS %x, HTTP/2 %t: shown %q", version, http2, got)
			}
			o.ClientCA, o.RequireClientCert = nil, false
			does := brokertest.NewWith(t, o)
			do(t, newClient(t, does, showing(cert)), get("/"))
			if got := shown(does); len(got) != 1 || got[0] != "" {
				t.Errorf("TLS %x, HTTP/2 %t: shown unasked %q", version, http2, got)
			}
		}
	}
}

// A server that does not like the certificate, or wants one: no request is
// carried out, and the error says what it is about. Under TLS 1.3 the server
// says so when the request is already on its way.
func TestClientCertificateRefused(t *testing.T) {
	t.Parallel()
	ca, _ := identity(t, "theirs")
	_, other := identity(t, "other")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, cert := range map[string]*tls.Certificate{"none": nil, "another": other} {
			for _, http2 := range []bool{false, true} {
				s := brokertest.NewWith(t, upstream.Options{
					Names: []string{"api.test"}, HTTP2: http2, ClientCA: ca, RequireClientCert: true,
					TLS: func(c *tls.Config) { c.MaxVersion = version },
				})
				r := wire.Request{Method: "POST", Host: "api.test", Path: "/", Body: []byte("x")}
				for n, way := range ways() {
					_, err := way.do(newClient(t, s, showing(cert)), t.Context(), r)
					wantError(t, err, fault.UpstreamUnreachable, "api.test ")
					if !strings.Contains(fault.HintOf(err), "asks for a client certificate") {
						t.Errorf("TLS %x, %s: the hint is %q", version, name, fault.HintOf(err))
					}
					if s.Connections() != n+1 || len(s.Requests()) != 0 {
						t.Errorf("TLS %x, %s: %d connections, %d requests", version, name, s.Connections(), len(s.Requests()))
					}
				}
			}
		}
	}
}

// Case 55: two identities at one host never share a connection.
func TestCase55TwoIdentities(t *testing.T) {
	t.Parallel()
	_, one := identity(t, "one")
	_, two := identity(t, "two")
	for _, http2 := range []bool{false, true} {
		s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2, RequireClientCert: true})
		clients := map[string]*wire.Client{"one": newClient(t, s, showing(one)), "two": newClient(t, s, showing(two))}
		for range 3 {
			for name, c := range clients {
				do(t, c, get("/"+name))
			}
		}
		for i, name := range shown(s) {
			if got := s.Requests()[i]; got.URI != "/"+name {
				t.Errorf("HTTP/2 %t: %s came with the certificate of %q", http2, got.URI, name)
			}
		}
		if s.Connections() != 2 {
			t.Errorf("HTTP/2 %t: %d connections for two identities", http2, s.Connections())
		}
	}
}

// Case 93: no TLS session is resumed, by the same credential or by another.
func TestCase93NoTickets(t *testing.T) {
	t.Parallel()
	var handshakes, resumed atomic.Int32
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, TLS: func(c *tls.Config) {
		c.VerifyConnection = func(state tls.ConnectionState) error {
			handshakes.Add(1)
			if state.DidResume {
				resumed.Add(1)
			}
			return nil
		}
	}})
	s.Handle(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	one, other := newClient(t, s), newClient(t, s)
	for range 3 {
		do(t, one, get("/"))
		do(t, other, get("/"))
	}
	if handshakes.Load() != 6 || resumed.Load() != 0 {
		t.Errorf("%d of %d handshakes resumed a session", resumed.Load(), handshakes.Load())
	}
}

// A certificate comes with timeouts like everything else.
func TestClientCertificateStall(t *testing.T) {
	t.Parallel()
	ca, cert := identity(t, "mine")
	s := brokertest.NewWith(t, upstream.Options{
		Names: []string{"api.test"}, ClientCA: ca, RequireClientCert: true, Raw: upstream.Stall(""),
	})
	start := time.Now()
	_, err := newClient(t, s, brief, showing(cert)).Do(t.Context(), get("/"))
	wantError(t, err, fault.Timeout, "did not answer within 400ms")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("gave up after %v", took)
	}
}
