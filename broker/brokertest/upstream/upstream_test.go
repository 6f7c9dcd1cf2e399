package upstream_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// client trusts the server's authority and reaches it under any name.
func client(t *testing.T, s *upstream.Server) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CAPEM()) {
		t.Fatal("the CA is no PEM certificate")
	}
	transport := &http.Transport{
		DialContext:       s.Dial,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func get(t *testing.T, c *http.Client, url string) (status int, body string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// The wire is recorded as it is: order, spelling, target and body.
func TestRecordsTheWire(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CAPEM())
	raw, err := s.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "api.test"})
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	for n := range 2 {
		_, err := fmt.Fprintf(c, "POST /a%%2Fb?x=%d HTTP/1.1\r\nz-Last: 1\r\nHOST: api.test\r\na-first: v1\r\nA-First:v2 \r\ncontent-length: 4\r\n\r\nb\r\n\x00", n)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "{}" {
			t.Fatalf("body %q, error %v", body, err)
		}
	}
	var want []upstream.Request
	for n := range 2 {
		want = append(want, upstream.Request{
			Method: "POST", URI: fmt.Sprintf("/a%%2Fb?x=%d", n), Proto: "HTTP/1.1", Host: "api.test",
			Headers: []upstream.Header{{"z-Last", "1"}, {"HOST", "api.test"}, {"a-first", "v1"}, {"A-First", "v2"}, {"content-length", "4"}},
			Body:    []byte("b\r\n\x00"), SNI: "api.test", Conn: 1,
		})
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if got := s.Requests()[0].Values("A-FIRST"); !cmp.Equal(got, []string{"v1", "v2"}) {
		t.Errorf("Values = %q", got)
	}
	if s.Connections() != 1 || len(s.Received()) != 1 || strings.Count(string(s.Received()[0]), "POST ") != 2 {
		t.Errorf("%d connections", s.Connections())
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: true})
	get(t, client(t, s), "https://api.test/x")
	got := s.Requests()[0]
	if got.Proto != "HTTP/2.0" || got.SNI != "api.test" || got.Conn != 1 || got.URI != "/x" {
		t.Errorf("request %+v", got)
	}
}

func TestHandleCanReadTheBody(t *testing.T) {
	t.Parallel()
	s, err := upstream.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.Copy(w, r.Body)
	})
	resp, err := client(t, s).Post(fmt.Sprintf("https://localhost:%d/", s.Port()), "text/plain", strings.NewReader("echo"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusTeapot || string(body) != "echo" {
		t.Errorf("status %d, body %q", resp.StatusCode, body)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	s, err := upstream.StartWith(upstream.Options{IPv6: true})
	if err != nil {
		t.Skipf("no IPv6 on loopback: %v", err)
	}
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CAPEM())
	c, err := tls.Dial("tcp", fmt.Sprintf("[::1]:%d", s.Port()), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestRaw(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Script("HTTP/1.1 299 Odd\r\n\r\nrest")})
	status, body := get(t, client(t, s), "https://api.test/")
	if status != 299 || body != "rest" {
		t.Errorf("status %d, body %q", status, body)
	}
	if got := s.Received(); len(got) != 1 || !strings.HasPrefix(string(got[0]), "GET / HTTP/1.1\r\n") {
		t.Errorf("received %q", got)
	}
	if len(s.Requests()) != 0 {
		t.Error("raw mode recorded a request")
	}
}

// A client must be able to see each fault of a certificate.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]upstream.Options{
		"expired":     {Names: []string{"api.test"}, Expired: true},
		"self-signed": {Names: []string{"api.test"}, SelfSigned: true},
		"other name":  {Names: []string{"other.test"}},
	} {
		s := brokertest.NewWith(t, o)
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://api.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := client(t, s).Do(req); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

// A client certificate is asked for, checked against its authority, and kept.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ca, certPEM, keyPEM, err := upstream.ClientCertificate("client one")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	otherCA, _, _, err := upstream.ClientCertificate("client two")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"api.test"}
	tests := []struct {
		name    string
		options upstream.Options
		show    bool
		want    string // the common name, empty: none; "refused": no answer
	}{
		{"not asked for", upstream.Options{Names: names}, true, ""},
		{"required, shown", upstream.Options{Names: names, ClientCA: ca, RequireClientCert: true}, true, "client one"},
		{"required, shown, HTTP/2", upstream.Options{Names: names, ClientCA: ca, RequireClientCert: true, HTTP2: true}, true, "client one"},
		{"required, absent", upstream.Options{Names: names, ClientCA: ca, RequireClientCert: true}, false, "refused"},
		{"any, shown", upstream.Options{Names: names, RequireClientCert: true}, true, "client one"},
		{"any, absent", upstream.Options{Names: names, RequireClientCert: true}, false, "refused"},
		{"asked for, absent", upstream.Options{Names: names, ClientCA: ca}, false, ""},
		{"of another authority", upstream.Options{Names: names, ClientCA: otherCA}, true, "refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, test.options)
			c := client(t, s)
			if test.show {
				c.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return &cert, nil
				}
			}
			resp, err := c.Get("https://api.test/")
			if test.want == "refused" {
				if err == nil {
					_ = resp.Body.Close()
					t.Error("there was an answer")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			got := ""
			if shown := s.Requests()[0].PeerCertificates; len(shown) > 0 {
				got = shown[0].Subject.CommonName
			}
			if got != test.want {
				t.Errorf("the certificate of %q, want %q", got, test.want)
			}
		})
	}
	if _, err := upstream.StartWith(upstream.Options{ClientCA: []byte("no PEM")}); err == nil {
		t.Error("a server started with an authority that is none")
	}
}

// A script of frames is HTTP/2 to a client.
func TestFrames(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: true, Raw: upstream.HTTP2(func(f *upstream.Frames) {
		for {
			stream, err := f.Request()
			if err != nil {
				return
			}
			_ = f.Write(upstream.FrameHeaders, upstream.FlagEndHeaders, stream, []byte(upstream.OK))
			_ = f.Write(upstream.FrameData, upstream.FlagEndStream, stream, []byte("framed"))
		}
	})})
	c := client(t, s)
	for range 2 {
		if status, body := get(t, c, "https://api.test/"); status != 200 || body != "framed" {
			t.Errorf("status %d, body %q", status, body)
		}
	}
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}
