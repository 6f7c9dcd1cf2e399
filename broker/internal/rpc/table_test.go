package rpc_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/keys/opaque"
	"aivault/vault"
)

// notAsked are the methods of a vault that no daemon is asked for, with what
// stands for them: they need no key, or are about a file of the client's, which
// the daemon does not open (case 58).
var notAsked = map[string]string{
	"State": "", "Init": "", "Compare": "", "Restore": "", "Salvage": "",
	"AddSlot": "AddSlotKey", "RotateMaster": "RotateTo", "Backup": "CopyTo",
}

// Every method that a user interface has can be asked for, and nothing else but
// what brings keys in.
func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	want := []string{"HandOver"}
	for _, i := range []reflect.Type{reflect.TypeFor[vault.Vault](), reflect.TypeFor[broker.Service]()} {
		for n := range i.NumMethod() {
			name := i.Method(n).Name
			if instead, ok := notAsked[name]; ok {
				name = instead
			}
			if name != "" {
				want = append(want, name)
			}
		}
	}
	var got []string
	for _, m := range rpc.NewTable().All() {
		got = append(got, m.Name())
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := same(want, got); d != "" {
		t.Errorf("methods (-want +got):\n%s", d)
	}
}

// Case 128. Agents have two verbs.
func TestClasses(t *testing.T) {
	t.Parallel()
	var calls, reads []string
	for _, m := range rpc.NewTable().All() {
		switch m.Class() {
		case rpc.Calls:
			calls = append(calls, m.Name())
		case rpc.Reads:
			reads = append(reads, m.Name())
		}
	}
	if !slices.Equal(calls, []string{"Invoke", "Stream"}) {
		t.Errorf("agents may ask for %q", calls)
	}
	for _, name := range []string{"CreateSecret", "RotateSecret", "DeleteSecret", "AddSlotKey", "Grant", "Revoke", "Bind", "SetPolicy", "Login", "AcceptOlder", "AddProvider", "RemoveProvider"} {
		if slices.Contains(reads, name) {
			t.Errorf("%s is said to change nothing", name)
		}
	}
}

// No verb returns a key or a value: no result can hold one.
func TestNoKeyComesBack(t *testing.T) {
	t.Parallel()
	for _, m := range rpc.NewTable().All() {
		_, result := m.(rpc.Typed).Types()
		if rpc.CoderOf(result).Clear(reflect.New(result).Interface()) {
			t.Errorf("the result of %s can hold a secret", m.Name())
		}
	}
}

// Tables are the same in each process of one version, and another layout is
// another one.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	if a, b := rpc.NewTable().Fingerprint, rpc.NewTable().Fingerprint; a != b || a == (rpc.Fingerprint{}) {
		t.Errorf("two tables: %x, %x", a, b)
	}
	type one struct {
		Name string
		N    int32
	}
	type renamed struct {
		Title string
		N     int32
	}
	type turned struct {
		N    int32
		Name string
	}
	type wider struct {
		Name string
		N    int64
	}
	seen := map[string]bool{}
	for _, v := range []any{one{}, renamed{}, turned{}, wider{}, &one{}, []one{}} {
		seen[rpc.CoderOf(reflect.TypeOf(v)).Layout()] = true
	}
	if len(seen) != 6 {
		t.Errorf("six types have %d layouts: %v", len(seen), seen)
	}
}

func TestHello(t *testing.T) {
	t.Parallel()
	table := rpc.NewTable().Fingerprint
	h := rpc.Hello{Table: table, Version: "1.2.3", Shared: true, Open: true, PID: 17}
	got, err := rpc.DecodeHello(h.Encode(), table)
	if err != nil || got != h {
		t.Errorf("%+v became %+v, %v", h, got, err)
	}
	other := rpc.Fingerprint{1}
	got, err = rpc.DecodeHello(append(h.Encode(), "what a later version adds"...), other)
	if err != nil || got != (rpc.Hello{Table: table, Version: "1.2.3"}) {
		t.Errorf("of another version: %+v, %v", got, err)
	}
	g := rpc.Greeting{Table: table, Version: "1.2.3", Wish: rpc.WishStop}
	if got, err := rpc.DecodeGreeting(g.Encode()); err != nil || got != g {
		t.Errorf("%+v became %+v, %v", g, got, err)
	}
	for i := range g.Encode() {
		if _, err := rpc.DecodeGreeting(g.Encode()[:i]); err == nil {
			t.Errorf("a greeting of %d bytes is one", i)
		}
	}
	for _, bad := range [][]byte{append(g.Encode(), 0), append(g.Encode()[:len(g.Encode())-1], 9), []byte("GET / HTTP/1.1\r\n\r\n")} {
		if got, err := rpc.DecodeGreeting(bad); err == nil {
			t.Errorf("%q is a greeting: %+v", bad, got)
		}
	}
}

// A request that holds a secret is written into one buffer, which whoever sends
// it clears: one that grew would have left copies of its beginning.
func TestRequestsLeaveNoCopies(t *testing.T) {
	t.Parallel()
	table := rpc.NewTable()
	value := opaque.Clone([]byte("a made-up value"))
	rotate, err := table.RotateSecret.Request(rpc.Three[vault.ID, vault.Value, vault.IfRevision]{B: value})
	if err != nil || cap(rotate) != table.RotateSecret.Limit() {
		t.Errorf("a value has a buffer of %d bytes, which may grow: %v", cap(rotate), err)
	}
	hand, err := table.HandOver.Request(rpc.Three[vault.ID, vault.Value, time.Duration]{B: value})
	if err != nil || cap(hand) != table.HandOver.Limit() {
		t.Errorf("a key has a buffer of %d bytes, which may grow: %v", cap(hand), err)
	}
	if plain, err := table.FindSecret.Request("x"); err != nil || cap(plain) > 64 {
		t.Errorf("what is none has %d bytes: %v", cap(plain), err)
	}
}
