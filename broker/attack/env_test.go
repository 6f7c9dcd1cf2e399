package attack_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
)

// call has the caller make its call in an environment, and checks what it
// prints and that the upstream got the secret, or that it did not.
func (w *world) call(t *testing.T, build builder, want string, env []string, authority ...string) {
	t.Helper()
	before := len(w.up.Requests())
	stdout, stderr, _ := w.run(t, build, env, append([]string{w.dir, w.up.Addr()}, authority...)...)
	if stdout != want+"\n" || stderr != "" {
		t.Errorf("in %q: output %q, errors %q", env, stdout, stderr)
	}
	sent := w.up.Requests()[before:]
	if answered := want == "200"; answered != (len(sent) == 1) {
		t.Errorf("in %q: the upstream got %d requests", env, len(sent))
	}
	for _, r := range sent {
		if _, ok := w.carries(r); !ok {
			t.Errorf("in %q: the secret is not where it belongs", env)
		}
	}
}

// authority writes the authority of the world's upstream to a file.
func (w *world) authority(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, w.up.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func TestCase052AuthoritiesOfTheEnvironment(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not take certificates from SSL_CERT_FILE")
	}
	w := newWorld(t)
	dir, file := w.authority(t)
	for _, env := range [][]string{{"SSL_CERT_FILE=" + file}, {"SSL_CERT_DIR=" + dir}, {"SSL_CERT_FILE=" + file, "SSL_CERT_DIR=" + dir}} {
		w.call(t, guarded, string(fault.UpstreamUnreachable), env)
	}
	for _, got := range w.up.Received() {
		if len(got) > 0 {
			t.Errorf("the upstream got %d bytes", len(got))
		}
	}
	// The control: a program that does not clean its environment is fooled.
	w.call(t, unguarded, "200", []string{"SSL_CERT_FILE=" + file})
}

func TestCase053Proxies(t *testing.T) {
	t.Parallel()
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()
	var connected atomic.Int64
	go func() {
		for {
			c, err := proxy.Accept()
			if err != nil {
				return
			}
			connected.Add(1)
			_ = c.Close()
		}
	}()
	w := newWorld(t)
	_, file := w.authority(t)
	url := "http://" + proxy.Addr().String()
	var env []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		env = append(env, name+"="+url)
	}
	for _, build := range []builder{guarded, unguarded} { // no proxy is asked for, even where one is named
		w.call(t, build, "200", append(env, "NO_PROXY="), file)
	}
	w.call(t, guarded, "200", []string{"NO_PROXY=*", "HTTPS_PROXY=socks5://" + proxy.Addr().String()}, file)
	if n := connected.Load(); n != 0 {
		t.Errorf("the proxy was connected to %d times", n)
	}
}

func TestCase054DebuggingOfTheRuntime(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a program cannot start again in its place")
	}
	w := newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}, HTTP2: true}))
	_, file := w.authority(t)
	keyLog := filepath.Join(t.TempDir(), "keys")
	for _, env := range [][]string{
		{"GODEBUG=http2debug=2"},
		{"GODEBUG=http2debug=1,netdns=go+2,tlsmaxrsasize=1,x509negativeserial=1"},
		{"GOTRACEBACK=crash"},
		{"SSLKEYLOGFILE=" + keyLog},
	} {
		w.call(t, guarded, "200", env, file)
	}
	if _, err := os.Stat(keyLog); !os.IsNotExist(err) {
		t.Errorf("the keys of TLS sessions were written: %v", err)
	}
	// Even where the environment is as it was, the log of net/http is off.
	w.call(t, unguarded, "200", []string{"GODEBUG=http2debug=2", "SSLKEYLOGFILE=" + keyLog}, file)
}
