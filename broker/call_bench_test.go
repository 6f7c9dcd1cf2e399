package broker_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// BenchmarkCall compares a call through the broker, on a real vault with its
// audit log, with the same call made directly: over loopback TLS that is kept
// alive, with 1, 16 and 64 callers at once and answers of 1 and 64 KiB. Beside
// the time of a call it reports how many connections the upstream got. What the
// disk takes for the one durable commit of a call is BenchmarkAuthorize of
// package vault.
func BenchmarkCall(b *testing.B) {
	run := func(callers, size int, delay time.Duration) {
		name := fmt.Sprintf("size=%dK/delay=%s/callers=%d", size>>10, delay, callers)
		b.Run(name+"/direct", func(b *testing.B) { benchDirect(b, callers, size, delay) })
		b.Run(name+"/broker", func(b *testing.B) { benchBroker(b, callers, size, delay) })
	}
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, callers := range []int{1, 16, 64} {
			run(callers, size, 0)
		}
	}
	run(64, 1<<10, 50*time.Millisecond)
}

// benchRig is a rig on a real vault whose upstream answers so many bytes, after
// a while.
func benchRig(b *testing.B, size int, delay time.Duration) (*rig, stored) {
	r := newRig(b, func(t testing.TB) secretStore { return vaulttest.New(t, registry.Builtin()) })
	s := r.acme(b)
	body := bytes.Repeat([]byte(`{"some":"json","of":["an","answer"],"n":12345}`+"\n"), size/47+1)[:size]
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(delay)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	return r, s
}

// spread runs a call b.N times, by so many callers at once.
func spread(b *testing.B, r *rig, callers int, call func() error) {
	before := r.up.Connections()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for left.Add(-1) >= 0 {
				if err := call(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(r.up.Connections()-before), "conns")
}

func benchDirect(b *testing.B, callers, size int, delay time.Duration) {
	r, s := benchRig(b, size, delay)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.up.CAPEM())
	client := &http.Client{Transport: &http.Transport{
		DialContext: r.up.Dial, TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64, DisableCompression: true,
	}}
	defer client.CloseIdleConnections()
	spread(b, r, callers, func() error {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.acme.test/v1/items", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+s.value)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	})
}

func benchBroker(b *testing.B, callers, size int, delay time.Duration) {
	r, _ := benchRig(b, size, delay)
	call := broker.Call{Capability: "acme/items", Method: "GET", Context: vault.Context{}}
	spread(b, r, callers, func() error {
		answer, err := r.broker.Invoke(context.Background(), call)
		if err == nil && len(answer.Body) != size {
			err = fmt.Errorf("%d bytes", len(answer.Body))
		}
		return err
	})
}
