package rpc_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aivault/broker/internal/rpc"
)

// pipe returns both ends of a connection; what one end was told to write is
// written meanwhile, and then closed.
func reading(t testing.TB, sent []byte) *rpc.Reader {
	a, b := net.Pipe()
	t.Cleanup(func() { _ = b.Close() })
	go func() {
		_, _ = a.Write(sent)
		_ = a.Close()
	}()
	return rpc.NewReader(b, time.Second)
}

// written returns what a writer writes.
func written(t testing.TB, write func(w *rpc.Writer) error) []byte {
	t.Helper()
	a, b := net.Pipe()
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(b)
		got <- all
	}()
	if err := write(rpc.NewWriter(a, time.Second)); err != nil {
		t.Error(err)
	}
	_ = a.Close()
	return <-got
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 4 << 10, 64<<10 - 5, 64<<10 - 4, 64<<10 - 3, 128 << 10, 1<<20 + 17} {
		sent := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
		b := written(t, func(w *rpc.Writer) error {
			return errors.Join(w.Message(rpc.KindRequest, sent, false), w.Frame(rpc.KindCancel, nil, false), w.Flush())
		})
		r := reading(t, b)
		kind, first, err := r.Next(0)
		if err != nil || kind != rpc.KindRequest || rpc.Size(first) != int64(size) {
			t.Fatalf("%d bytes: kind %d, %v", size, kind, err)
		}
		got, err := r.Message(first, size)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes: %d came, %v", size, len(got), err)
		}
		if kind, _, err := r.Next(0); kind != rpc.KindCancel || err != nil {
			t.Errorf("after %d bytes: kind %d, %v", size, kind, err)
		}
		if _, _, err := r.Next(0); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
	}
}

// A small frame is one write, and so are several that wait for each other.
func TestWritesAreJoined(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	w := rpc.NewWriter(a, time.Second)
	go func() {
		_ = w.Frame(rpc.KindStage, []byte("one"), false)
		_ = w.Data([]byte("two"), false)
		_ = w.Message(rpc.KindReply, []byte("three"), true)
	}()
	buf := make([]byte, 100)
	n, err := b.Read(buf)
	if want := 5 + 3 + 5 + 3 + 5 + 4 + 5; n != want || err != nil {
		t.Errorf("the first write has %d bytes, want %d: %v", n, want, err)
	}
}

// head is a frame that announces so many bytes, and has what follows.
func head(kind rpc.Kind, size uint32, payload string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{byte(kind)}, size), payload...)
}

// Case 124. What is no frame, or one that is longer than its kind may be, is
// noticed by its first bytes; what is cut off, when the connection ends.
func TestMalformedFrames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, io.EOF},
		{"half a head", []byte{2, 0, 0}, io.ErrUnexpectedEOF},
		{"half a payload", head(rpc.KindData, 5, "abc"), io.ErrUnexpectedEOF},
		{"kind 0", head(0, 0, ""), rpc.ErrProtocol},
		{"kind 99", head(99, 0, ""), rpc.ErrProtocol},
		{"1 GiB", head(rpc.KindRequest, 1<<30, ""), rpc.ErrProtocol},
		{"4 GiB", head(rpc.KindHello, 1<<32-1, ""), rpc.ErrProtocol},
		{"one byte too many", head(rpc.KindData, 64<<10+1, ""), rpc.ErrProtocol},
		{"a word with something to say", head(rpc.KindCancel, 1, "x"), rpc.ErrProtocol},
		{"a stage with a long name", head(rpc.KindStage, 33, ""), rpc.ErrProtocol},
		{"JSON", []byte(`{"capability":"a","capability":"b"}` + "\n"), rpc.ErrProtocol},
		{"HTTP", []byte("POST /v1/invoke HTTP/1.1\r\nHost: localhost\r\n\r\n"), rpc.ErrProtocol},
	}
	for _, test := range tests {
		if kind, p, err := reading(t, test.b).Next(0); err != test.want {
			t.Errorf("%s: kind %d, %d bytes, %v; want %v", test.name, kind, len(p), err, test.want)
		}
	}
}

// Case 124.
func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	full := string(binary.BigEndian.AppendUint32(nil, 100<<10)) + string(make([]byte, 64<<10-4))
	tests := []struct {
		name  string
		first string
		then  []byte
		want  error
	}{
		{"no length", "abc", nil, rpc.ErrProtocol},
		{"more than it says", "\x00\x00\x00\x01ab", nil, rpc.ErrProtocol},
		{"more than the limit", "\x00\x10\x00\x01ab", nil, rpc.ErrProtocol},
		{"4 GiB", "\xff\xff\xff\xffab", nil, rpc.ErrProtocol},
		{"parts that are shorter than they could be", "\x00\x00\x00\x03ab", head(rpc.KindData, 1, "c"), rpc.ErrProtocol},
		{"something else in between", full, head(rpc.KindCancel, 0, ""), rpc.ErrProtocol},
		{"a last part that is too long", full, head(rpc.KindData, 64<<10, string(make([]byte, 64<<10))), rpc.ErrProtocol},
		{"an empty part", full, head(rpc.KindData, 0, ""), rpc.ErrProtocol},
		{"the end in between", full, nil, io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		if b, err := reading(t, test.then).Message([]byte(test.first), limit); err != test.want {
			t.Errorf("%s: %d bytes, %v; want %v", test.name, len(b), err, test.want)
		}
	}
}

// A peer that stops in the middle of a frame is waited for half a minute, not
// for ever, and one that sends a byte now and then has no longer.
func TestStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		var all sync.WaitGroup
		defer func() { _, _ = a.Close(), b.Close(); all.Wait() }()
		all.Go(func() {
			for _, x := range head(rpc.KindData, 100, "some, and then more") {
				if _, err := a.Write([]byte{x}); err != nil {
					return
				}
				time.Sleep(10 * time.Second)
			}
		})
		start := time.Now()
		_, _, err := rpc.NewReader(b, rpc.Stall).Next(0)
		if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took > 2*rpc.Stall {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

// Fault F21. A peer that takes nothing for half a minute is given up, and one
// that takes a little now and then is not.
func TestSlowPeer(t *testing.T) {
	t.Parallel()
	for every, want := range map[time.Duration]error{20 * time.Second: nil, 40 * time.Second: os.ErrDeadlineExceeded} {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			var all sync.WaitGroup
			defer func() { _, _ = a.Close(), b.Close(); all.Wait() }()
			all.Go(func() {
				for buf := make([]byte, 10); ; {
					time.Sleep(every)
					if _, err := b.Read(buf); err != nil {
						return
					}
				}
			})
			if err := rpc.NewWriter(a, rpc.Stall).Frame(rpc.KindData, make([]byte, 100), true); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("10 bytes every %s: %v", every, err)
			}
		})
	}
}

// Case 129. Whatever comes, reading ends with it, and takes memory in proportion.
func FuzzFrames(f *testing.F) {
	f.Add(head(rpc.KindCancel, 0, ""))
	f.Add(append(head(rpc.KindRequest, 6, "\x00\x00\x00\x02ab"), head(rpc.KindData, 3, "abc")...))
	f.Add(head(rpc.KindRequest, 64<<10, string(make([]byte, 64<<10))))
	f.Add(head(rpc.KindReply, 1<<31, "\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reading(t, b)
		total := 0
		for {
			kind, payload, err := r.Next(time.Second)
			if err != nil {
				break
			}
			total += 5 + len(payload)
			if kind == rpc.KindRequest {
				whole, err := r.Message(payload, 1<<20)
				if err != nil {
					break
				}
				total += max(0, len(whole)-len(payload))
			}
		}
		if total > len(b) {
			t.Errorf("%d bytes of %d were read", total, len(b))
		}
	})
}
