package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
)

// shapes runs a benchmark over protocols, callers at a time and sizes of the
// answer; connect returns the function that makes one call. The connections
// that were made are counted, as each costs a handshake.
func shapes(b *testing.B, connect func(*upstream.Server) func(context.Context) (int, error)) {
	for _, http2 := range []bool{false, true} {
		for _, size := range []int{1 << 10, 64 << 10} {
			for _, callers := range []int{1, 16, 64} {
				b.Run(fmt.Sprintf("http2=%t/%dKB/c=%d", http2, size>>10, callers), func(b *testing.B) {
					s := brokertest.NewWith(b, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
					s.Reply(200, nil, make([]byte, size))
					together(b, callers, size, connect(s))
					b.ReportMetric(float64(s.Connections()), "conns")
				})
			}
		}
	}
}

// together makes b.N calls, by so many callers at a time.
func together(b *testing.B, callers, size int, call func(context.Context) (int, error)) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.SetBytes(int64(size))
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if n, err := call(b.Context()); err != nil || n != size {
					b.Errorf("%d bytes, error %v", n, err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
}

func BenchmarkDo(b *testing.B) {
	shapes(b, func(s *upstream.Server) func(context.Context) (int, error) {
		c := benchClient(b, s)
		return func(ctx context.Context) (int, error) {
			resp, err := c.Do(ctx, get("/"))
			if err != nil {
				return 0, err
			}
			return len(resp.Body), nil
		}
	})
}

// BenchmarkOpen reads with one buffer per caller, as a stream is read.
func BenchmarkOpen(b *testing.B) {
	shapes(b, func(s *upstream.Server) func(context.Context) (int, error) {
		c := benchClient(b, s)
		return func(ctx context.Context) (int, error) {
			a, err := c.Open(ctx, get("/"))
			if err != nil {
				return 0, err
			}
			defer func() { _ = a.Close() }()
			n, err := io.Copy(io.Discard, a)
			return int(n), err
		}
	})
}

// BenchmarkDirect is the measure of the others: net/http alone, with the same
// settings.
func BenchmarkDirect(b *testing.B) {
	shapes(b, func(s *upstream.Server) func(context.Context) (int, error) {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.CAPEM())
		transport := &http.Transport{
			DialContext: s.Dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			ForceAttemptHTTP2: true, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
		}
		b.Cleanup(transport.CloseIdleConnections)
		client := &http.Client{Transport: transport}
		return func(ctx context.Context) (int, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/", nil)
			if err != nil {
				return 0, err
			}
			resp, err := client.Do(req)
			if err != nil {
				return 0, err
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			return len(body), err
		}
	})
}

func benchClient(b *testing.B, s *upstream.Server) *wire.Client {
	c := wire.New(wire.Config{
		CACert: s.CAPEM(), Check: func(netip.Addr) error { return nil }, Dial: s.Dial,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		},
	})
	b.Cleanup(c.Close)
	return c
}
