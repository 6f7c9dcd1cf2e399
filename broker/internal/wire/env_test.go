package wire_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// Cases 52 and 53: what the environment says about proxies and authorities has
// no effect on a client with an authority of its own. (That the environment
// has none on the system's roots either is for the program, which clears it
// before anything else.)
func TestCase52And53Environment(t *testing.T) {
	proxy, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()
	connected := make(chan struct{}, 1)
	go func() {
		for {
			c, err := proxy.Accept()
			if err != nil {
				return
			}
			connected <- struct{}{}
			_ = c.Close()
		}
	}()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "http://"+proxy.Addr().String())
	}
	t.Setenv("NO_PROXY", "")

	mine, foreign := brokertest.New(t, "api.test"), brokertest.New(t, "api.test")
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, foreign.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)
	t.Setenv("SSL_CERT_DIR", dir)

	do(t, newClient(t, mine), get("/"))
	c := newClient(t, foreign, func(c *wire.Config) { c.CACert = mine.CAPEM() })
	_, err = c.Do(t.Context(), get("/"))
	wantError(t, err, fault.UpstreamUnreachable, "unknown authority")
	if len(foreign.Requests()) != 0 {
		t.Error("the server of the foreign authority got a request")
	}
	select {
	case <-connected:
		t.Error("the proxy of the environment was used")
	default:
	}
}

// What an upstream sends beyond its answer is quoted by net/http in the
// standard log, where an echo of the secret would be seen.
func TestNothingIsLogged(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(io.Discard)

	const echo = "made-up-echo"
	gone := make(chan struct{})
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: func(c net.Conn) {
		upstream.Script("HTTP/1.1 204 No Content\r\n\r\n" + echo)(c)
		_, _ = io.Copy(io.Discard, c) // until the client has closed, and so has logged
		close(gone)
	}})
	if resp := do(t, newClient(t, s), get("/")); resp.Status != 204 || len(resp.Body) != 0 {
		t.Errorf("response %+v", resp)
	}
	<-gone
	if logged.Len() > 0 {
		t.Error("something was logged")
	}
}
