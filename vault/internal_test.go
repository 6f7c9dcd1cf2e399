package vault

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// decoders are those of every kind of record: each decodes and encodes again.
func decoders() []func(b []byte) ([]byte, error) {
	id := ID{1}
	return []func(b []byte) ([]byte, error){
		func(b []byte) ([]byte, error) {
			s, err := decodeSecret(id, 1, b)
			return encodeSecret(s), err
		},
		func(b []byte) ([]byte, error) {
			c, err := decodeCredential(1, b)
			return encodeCredential(c), err
		},
		func(b []byte) ([]byte, error) {
			c, err := decodeCapability(1, b)
			return encodeCapability(c), err
		},
		func(b []byte) ([]byte, error) {
			v, err := decodeBinding(1, b)
			return encodeBinding(v), err
		},
		func(b []byte) ([]byte, error) {
			v, err := decodeDisabled(b)
			return encodeDisabled(v), err
		},
		func(b []byte) ([]byte, error) {
			v, err := decodeUsage(b)
			return encodeUsage(v), err
		},
		func(b []byte) ([]byte, error) {
			p, err := decodePolicy(1, b)
			return encodePolicy(p), err
		},
		func(b []byte) ([]byte, error) {
			g, err := decodeGrant(b)
			return encodeGrant(g), err
		},
		func(b []byte) ([]byte, error) {
			p, err := decodeProvider(b)
			return encodeProvider(p), err
		},
		func(b []byte) ([]byte, error) {
			r, err := decodeRenewal(b)
			return encodeRenewal(&r), err
		},
		func(b []byte) ([]byte, error) {
			e, err := decodeEvent(b)
			return encodeEvent(e), err
		},
		func(b []byte) ([]byte, error) {
			w, err := decodeWindow(b)
			return w.encode(), err
		},
		func(b []byte) ([]byte, error) {
			d, err := decodeDenials(b)
			return d.encode(), err
		},
		func(b []byte) ([]byte, error) {
			m, err := decodeManifest(1, b)
			return m.encode(), err
		},
	}
}

// at is when the samples were made.
var at = time.Date(2030, 1, 2, 3, 4, 5, 6e6, time.UTC)

func samplePolicy() *Policy {
	return &Policy{
		Capability: "p/c", Rate: new(int64(0)), MaxRequest: new(int64(1 << 40)), MaxResponse: new(int64(7)),
		Block: []string{"a", "é"}, UpdatedAt: at, Revision: 3,
	}
}

func sampleSecret() *Secret {
	return &Secret{
		ID: ID{1}, Name: "é", Aliases: []string{"a", "b"}, Scope: Scope{Group, "w", "g"}, AttachedOnly: true, PinnedProvider: "p",
		Hosts: []Host{{"h", true, "ca"}, {"i", false, ""}}, Attached: []GroupRef{{"w", "g"}}, CreatedAt: at, UpdatedAt: at.Add(1e9), RotatedAt: at.Add(2e9),
		Version: 1<<64 - 1, Revision: 1,
	}
}

func sampleCredential() *Credential {
	return &Credential{
		ID: "c", Provider: "p", Scope: Scope{Workspace, "w", ""}, Auth: Auth{"k", []Param{{"a", "b"}, {"a", ""}}}, Hosts: []string{"h"},
		Capabilities: []string{"p/c"}, Secret: uuid.New(), AllowPrivate: true, CACert: []byte("pem"), CreatedAt: at, Revision: 1,
	}
}

func sampleEvent() *Event {
	return &Event{
		Seq: 1, Time: at, Kind: "k", Outcome: "o", Code: "c", Actor: "a", UID: -1, PID: 1 << 30, Workspace: "w", Group: "g", Consumer: "n",
		Capability: "p/c", Credential: "r", Secret: uuid.New(), SecretVersion: 3, Scope: "s", Method: "m", Host: "h", Path: "/p", Status: 200,
		RequestBytes: 1 << 40, ResponseBytes: 1 << 41, Duration: time.Hour, Redactions: 4, Intent: 5, Note: "n",
	}
}

func sampleWindow() *window {
	return &window{at: stamp{"boot", 1 << 50, -5}, tallies: []tally{{1, 1}, {time.Second, 1 << 40}, {rateWindow + rateGrid, 3}}}
}

func sampleDenials() *denials {
	return &denials{at: stamp{"", 0, 7}, open: []openDenial{{[16]byte{1}, 2, time.Second, 0, time.Time{}}, {[16]byte{2}, 9, rateWindow, 4, at}}}
}

// TestRecordsRoundTrip: every field of every kind is there again.
func TestRecordsRoundTrip(t *testing.T) {
	s := sampleSecret()
	gotS, err := decodeSecret(s.ID, s.Revision, encodeSecret(s))
	if diff := cmp.Diff(gotS, s); diff != "" || err != nil {
		t.Errorf("%v; secret (-got +want):\n%s", err, diff)
	}
	c := sampleCredential()
	gotC, err := decodeCredential(c.Revision, encodeCredential(c))
	if diff := cmp.Diff(gotC, c); diff != "" || err != nil {
		t.Errorf("%v; credential (-got +want):\n%s", err, diff)
	}
	e := sampleEvent()
	gotE, err := decodeEvent(encodeEvent(e))
	if diff := cmp.Diff(gotE, e); diff != "" || err != nil {
		t.Errorf("%v; event (-got +want):\n%s", err, diff)
	}
	e.Count, e.Last = 1<<63, at.Add(time.Minute)
	gotE, err = decodeEvent(encodeEvent(e))
	if diff := cmp.Diff(gotE, e); diff != "" || err != nil {
		t.Errorf("%v; event with a count (-got +want):\n%s", err, diff)
	}
	w := sampleWindow()
	if got, err := decodeWindow(w.encode()); !reflect.DeepEqual(got, w) || err != nil {
		t.Errorf("window %+v, %v, want %+v", got, err, w)
	}
	d := sampleDenials()
	if got, err := decodeDenials(d.encode()); !reflect.DeepEqual(got, d) || err != nil {
		t.Errorf("denials %+v, %v, want %+v", got, err, d)
	}
	p := &Capability{ID: "p/c", Provider: "p", Allow: Allow{[]string{"h"}, []string{"GET"}, []string{"/"}, []string{"x"}}, CreatedAt: at, Revision: 2}
	gotP, err := decodeCapability(2, encodeCapability(p))
	if diff := cmp.Diff(gotP, p); diff != "" || err != nil {
		t.Errorf("%v; capability (-got +want):\n%s", err, diff)
	}
	b := &Binding{Capability: "p/c", Secret: uuid.New(), Scope: Scope{Global, "", ""}, Consumer: "n", UpdatedAt: at, Revision: 2}
	gotB, err := decodeBinding(2, encodeBinding(b))
	if diff := cmp.Diff(gotB, b); diff != "" || err != nil {
		t.Errorf("%v; binding (-got +want):\n%s", err, diff)
	}
	for _, p := range []*Policy{samplePolicy(), {Capability: "p/c", Revision: 4}} {
		got, err := decodePolicy(p.Revision, encodePolicy(p))
		if diff := cmp.Diff(got, p); diff != "" || err != nil {
			t.Errorf("%v; policy (-got +want):\n%s", err, diff)
		}
	}
	for _, r := range []Renewal{{}, {Version: 1<<64 - 1, Begun: 1<<31 - 1, Refused: true, LastAt: at}} {
		if got, err := decodeRenewal(encodeRenewal(&r)); got != r || err != nil {
			t.Errorf("renewal %+v, %v, want %+v", got, err, r)
		}
	}
	for _, g := range []*Grant{{Context: Context{Workspace: "w"}}, {UID: MaxUID, Context: Context{Workspace: "w", Group: "g"}, CreatedAt: at}} {
		got, err := decodeGrant(encodeGrant(g))
		if diff := cmp.Diff(got, g); diff != "" || err != nil {
			t.Errorf("%v; grant (-got +want):\n%s", err, diff)
		}
	}
	m := manifest{epoch: 1, gen: 2, set: [4]uint64{1, 2, 3, 4}, seq: 5, link: [32]byte{6}}
	counted := m
	counted.counted, counted.slots = true, [4]uint64{7, 8, 9, 10}
	for _, m := range []manifest{m, counted} {
		if got, err := decodeManifest(1, m.encode()); got != m || err != nil {
			t.Errorf("manifest %+v, %v, want %+v", got, err, m)
		}
	}
}

// TestBoundIsInjective: a value is bound to its scope, pin and hosts; any
// other has another encoding.
func TestBoundIsInjective(t *testing.T) {
	seen := map[string]int{}
	secrets := []*Secret{
		{Scope: Scope{Global, "", ""}},
		{Scope: Scope{Workspace, "w", ""}},
		{Scope: Scope{Group, "w", "g"}},
		{Scope: Scope{Group, "wg", "g"}},
		{Scope: Scope{Global, "", ""}, PinnedProvider: "p"},
		{Scope: Scope{Global, "", ""}, Hosts: []Host{{"p", false, ""}}},
		{Scope: Scope{Global, "", ""}, Hosts: []Host{{"p", true, ""}}},
		{Scope: Scope{Global, "", ""}, Hosts: []Host{{"p", false, "ca"}}},
		{Scope: Scope{Global, "", ""}, Hosts: []Host{{"p", false, ""}, {"q", false, ""}}},
		{Scope: Scope{Global, "", ""}, Hosts: []Host{{"q", false, ""}, {"p", false, ""}}},
		{Scope: Scope{Global, "", ""}, Hosts: []Host{{"p", false, ""}, {"", false, ""}}},
	}
	for i, s := range secrets {
		if j, taken := seen[string(bound(s))]; taken {
			t.Errorf("secrets %d and %d are bound to the same", i, j)
		}
		seen[string(bound(s))] = i
	}
	renamed := *secrets[0]
	renamed.Name, renamed.Aliases, renamed.Attached = "n", []string{"a"}, []GroupRef{{"w", "g"}}
	if !bytes.Equal(bound(&renamed), bound(secrets[0])) {
		t.Error("a rename or an attachment would need the value")
	}
}

// FuzzDecoders: no decoder of a record panics, and what decodes has one
// encoding.
func FuzzDecoders(f *testing.F) {
	f.Add(encodeSecret(sampleSecret()))
	f.Add(encodeCredential(sampleCredential()))
	f.Add(encodePolicy(samplePolicy()))
	f.Add(encodeRenewal(&Renewal{Version: 2, Begun: 1, LastAt: at}))
	f.Add(encodeEvent(sampleEvent()))
	f.Add(encodeCapability(&Capability{ID: "p/c", Provider: "p", CreatedAt: at}))
	f.Add(encodeBinding(&Binding{Capability: "p/c", Scope: Scope{Global, "", ""}, UpdatedAt: at}))
	f.Add(encodeDisabled("c"))
	f.Add(encodeUsage(at))
	f.Add(sampleWindow().encode())
	f.Add(sampleDenials().encode())
	counted := sampleEvent()
	counted.Count, counted.Last = 2, at
	f.Add(encodeEvent(counted))
	f.Add((&manifest{}).encode())
	f.Add((&manifest{counted: true}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, again := range decoders() {
			if enc, err := again(b); err == nil && !bytes.Equal(enc, b) {
				t.Errorf("decoder %d takes %x for %x", i, b, enc)
			}
		}
	})
}

// TestAWindowStaysSmall: however many calls a limit allows, and whenever they
// come, a window has few entries, and counts each for a minute and no more than
// a grid's step longer.
func TestAWindowStaysSmall(t *testing.T) {
	for _, limit := range []int64{1, exactLimit, exactLimit + 1, 5000, 1 << 40} {
		rng := rand.New(rand.NewPCG(1, uint64(limit)))
		w := &window{at: stamp{boot: "b"}}
		var now time.Duration
		var granted []time.Duration // in the last minute and a step
		for range 20_000 {
			now += time.Duration(rng.Int64N(int64(20 * time.Millisecond)))
			w.pass(stamp{boot: "b", up: now})
			for len(granted) > 0 && now-granted[0] >= rateWindow+rateGrid {
				granted = granted[1:]
			}
			in := int64(0)
			for i := len(granted) - 1; i >= 0 && now-granted[i] < rateWindow; i-- {
				in++
			}
			switch free := w.wait(limit) == 0; {
			case free && in >= limit:
				t.Fatalf("limit %d: call %d of a minute is granted", limit, in+1)
			case !free && int64(len(granted)) < limit:
				t.Fatalf("limit %d: call %d of a minute is refused", limit, len(granted)+1)
			case free:
				w.add(limit)
				granted = append(granted, now)
			}
			if len(w.tallies) > 256 {
				t.Fatalf("limit %d: %d entries", limit, len(w.tallies))
			}
		}
		if got, err := decodeWindow(w.encode()); err != nil || len(got.tallies) != len(w.tallies) {
			t.Errorf("limit %d: decoded %v", limit, err)
		}
	}
}

// TestTheClockOfThisMachine goes on while time does, and names one boot.
func TestTheClockOfThisMachine(t *testing.T) {
	boot, up := systemClock()()
	if runtime.GOOS == "linux" && (len(boot) != 36 || up <= 0) {
		t.Errorf("boot %q, up %v", boot, up)
	}
	time.Sleep(2 * time.Millisecond)
	if again, later := systemClock()(); again != boot || boot != "" && later-up < 2*time.Millisecond {
		t.Errorf("boot %q, up %v; then boot %q, up %v", boot, up, again, later)
	}
}
