package keys

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zalando/go-keyring"
)

func TestAvailableMemory(t *testing.T) {
	const meminfo = "MemTotal:       24576000 kB\nMemFree:          100 kB\nMemAvailable:    1048576 kB\nHugePages_Total:       0\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  uint64
	}{
		{"unknown", nil, math.MaxUint64},
		{"kernel", map[string]string{"/proc/meminfo": meminfo}, 1 << 20},
		{"old kernel", map[string]string{"/proc/meminfo": "MemFree: 100 kB\n"}, math.MaxUint64},
		{"garbage", map[string]string{"/proc/meminfo": "MemAvailable: many kB\n"}, math.MaxUint64},
		{"group without a limit", map[string]string{
			"/proc/meminfo":             meminfo,
			"/sys/fs/cgroup/memory.max": "max\n", "/sys/fs/cgroup/memory.current": "1\n",
		}, 1 << 20},
		{"small group", map[string]string{
			"/proc/meminfo":             meminfo,
			"/sys/fs/cgroup/memory.max": "314572800\n", "/sys/fs/cgroup/memory.current": "104857600\n",
		}, 200 << 10},
		{"full group", map[string]string{
			"/proc/meminfo":             meminfo,
			"/sys/fs/cgroup/memory.max": "1000\n", "/sys/fs/cgroup/memory.current": "2000\n",
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := availableKiB(func(path string) ([]byte, error) {
				if text, ok := c.files[path]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			})
			if got != c.want {
				t.Errorf("got %d KiB, want %d", got, c.want)
			}
		})
	}
}

// memory is a library that keeps entries in memory.
type memory struct {
	entries map[string]string
	absent  bool
	forget  bool
	err     error         // of every call
	block   chan struct{} // if not nil, calls wait for it
}

func (m *memory) reachable() (bool, error) { return !m.absent, nil }

func (m *memory) Get(service, account string) (string, error) {
	if m.block != nil {
		<-m.block
	}
	if m.err != nil {
		return "", m.err
	}
	v, ok := m.entries[service+"\x00"+account]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return v, nil
}

func (m *memory) Set(service, account, secret string) error {
	if m.err == nil && !m.forget {
		m.entries[service+"\x00"+account] = secret
	}
	return m.err
}

func (m *memory) Delete(service, account string) error {
	if _, err := m.Get(service, account); err != nil {
		return err
	}
	delete(m.entries, service+"\x00"+account)
	return nil
}

// held is a reader that gives b and then blocks, as the pipe of a living
// parent does.
func held(b []byte) io.Reader {
	r, _ := io.Pipe()
	return io.MultiReader(bytes.NewReader(b), r)
}

func ask(t *testing.T, lib library, op byte, fields ...string) (byte, string) {
	t.Helper()
	f := frame{kind: op}
	for _, s := range fields {
		f.fields = append(f.fields, []byte(s))
	}
	request, err := f.encode()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := serve(t.Context(), held(request), &out, lib); status != 0 {
		t.Fatalf("status %d", status)
	}
	reply, err := readFrame(&out, 1)
	if err != nil || out.Len() != 0 {
		t.Fatalf("%v, and %d bytes beyond", err, out.Len())
	}
	return reply.kind, string(reply.fields[0])
}

func TestServe(t *testing.T) {
	const secret = "CANARY-SECRET"
	broken := errors.New("the daemon says: " + secret + " is bad")
	there := func() map[string]string { return map[string]string{"s\x00a": "old"} }
	for _, c := range []struct {
		name string
		lib  *memory
		op   byte
		kind byte
		text string
	}{
		{"present", &memory{}, opPresent, outcomeDone, ""},
		{"absent", &memory{absent: true}, opPresent, outcomeNone, ""},
		{"absent get", &memory{absent: true}, opGet, outcomeNone, ""},
		{"unsupported", &memory{err: keyring.ErrUnsupportedPlatform}, opPresent, outcomeNone, ""},
		{"locked", &memory{err: errors.New("failed to unlock correct collection '/x'")}, opPresent, outcomeLocked, ""},
		{"get", &memory{entries: there()}, opGet, outcomeDone, "old"},
		{"get nothing", &memory{}, opGet, outcomeNoEntry, ""},
		{"set", &memory{entries: there()}, opSet, outcomeDone, ""},
		{"set and forget", &memory{entries: there(), forget: true}, opSet, outcomeForgot, ""},
		{"set into nothing", &memory{forget: true}, opSet, outcomeForgot, ""},
		{"delete", &memory{entries: there()}, opDelete, outcomeDone, ""},
		{"delete nothing", &memory{}, opDelete, outcomeNoEntry, ""},
		{"an error that shows the secret", &memory{err: broken}, opSet, outcomeFailed, "an error that cannot be shown"},
		{"a long error", &memory{err: errors.New(strings.Repeat("x", 9000))}, opGet, outcomeFailed, strings.Repeat("x", maxDetail)},
		{"a huge entry", &memory{entries: map[string]string{"s\x00a": strings.Repeat("x", 70000)}}, opGet, outcomeFailed, "the entry is too long"},
		{"another operation", &memory{}, '?', outcomeFailed, "unknown operation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := secret
			if c.op != opSet {
				given = ""
			}
			kind, text := ask(t, c.lib, c.op, "s", "a", given)
			if kind != c.kind || text != c.text {
				t.Errorf("got %c %.40q, want %c %.40q", kind, text, c.kind, c.text)
			}
		})
	}
}

// TestServeEnds: a helper whose parent is gone, or that is told to end, does
// not wait for the keyring.
func TestServeEnds(t *testing.T) {
	request, err := frame{opGet, [][]byte{nil, nil, nil}}.encode()
	if err != nil {
		t.Fatal(err)
	}
	lib := &memory{block: make(chan struct{})}
	defer close(lib.block)
	var out bytes.Buffer
	if status := serve(t.Context(), bytes.NewReader(request), &out, lib); status != 1 || out.Len() != 0 {
		t.Errorf("the parent is gone: status %d, %d bytes", status, out.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status := serve(ctx, held(request), &out, lib); status != 1 || out.Len() != 0 {
		t.Errorf("canceled: status %d, %d bytes", status, out.Len())
	}
}

func TestFrame(t *testing.T) {
	want := frame{'x', [][]byte{[]byte("one"), {}, bytes.Repeat([]byte{0}, 5000)}}
	b, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := readFrame(bytes.NewReader(b), 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(frame{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := (frame{'x', [][]byte{make([]byte, maxFrame)}}).encode(); err == nil {
		t.Error("a frame that is too long was encoded")
	}
	for n := range len(b) {
		if _, err := readFrame(bytes.NewReader(b[:n]), 3); err == nil {
			t.Fatalf("%d of %d bytes were read as a frame", n, len(b))
		}
	}
	for _, n := range []int{0, 1, 2, 4} {
		if _, err := readFrame(bytes.NewReader(b), n); err == nil {
			t.Errorf("a frame of 3 fields was read as one of %d", n)
		}
	}
}

// FuzzServe gives the helper any request: it replies to all that it can read,
// in the one form that there is, and touches nothing else.
func FuzzServe(f *testing.F) {
	for _, op := range []byte{opPresent, opGet, opSet, opDelete, '?'} {
		b, err := frame{op, [][]byte{[]byte("s"), []byte("a"), []byte("v")}}.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0, 1, 'g'})
	f.Add([]byte{0xff, 0xff, 'g', 0, 0})
	f.Fuzz(func(t *testing.T, request []byte) {
		lib := &memory{entries: map[string]string{"s\x00a": "old"}}
		var out bytes.Buffer
		in := bytes.NewReader(request)
		_, err := readFrame(in, 3)
		used := request[:len(request)-in.Len()]
		stdin := held(request)
		if err != nil {
			stdin = bytes.NewReader(request) // or it would wait for the rest
		}
		status := serve(t.Context(), stdin, &out, lib)
		if err != nil {
			if status == 0 || out.Len() != 0 {
				t.Fatalf("status %d, %d bytes for a request that is none", status, out.Len())
			}
			return
		}
		reply, rerr := readFrame(bytes.NewReader(out.Bytes()), 1)
		if status != 0 || rerr != nil {
			t.Fatalf("status %d, %v", status, rerr)
		}
		if again, err := reply.encode(); err != nil || !bytes.Equal(again, out.Bytes()) {
			t.Errorf("the reply has another form: %v", err)
		}
		parsed, err := readFrame(bytes.NewReader(used), 3)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parsed.encode(); err != nil || !bytes.Equal(again, used) {
			t.Errorf("the request has another form: %v", err)
		}
	})
}

func TestPrintableOnly(t *testing.T) {
	if got, want := printableOnly([]byte("a\x1b[2J\nb\xff\u202e\u00e9")), "a?[2J?b??\u00e9"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
