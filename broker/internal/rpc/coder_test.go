package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"reflect"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// Everything that is sent arrives as it was, whatever is in it: with nil and
// empty apart, and texts that are no UTF-8.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, typ := range sent(t) {
		c := rpc.CoderOf(typ)
		r := rand.New(rand.NewPCG(1, uint64(len(typ.String()))))
		for range 30 {
			in, out := reflect.New(typ), reflect.New(typ)
			fill(r, in.Elem())
			b := c.Encode(in.Interface())
			if !c.Decode(b, out.Interface()) {
				t.Fatalf("%v: what was encoded does not decode: %x", typ, b)
			}
			if d := same(in.Interface(), out.Interface()); d != "" {
				t.Fatalf("%v is not what it was (-sent +got):\n%s", typ, d)
			}
		}
	}
}

// sent lists the types of all arguments and results.
func sent(t testing.TB) []reflect.Type {
	t.Helper()
	types := []reflect.Type{reflect.TypeFor[broker.Answer]()}
	for _, m := range rpc.NewTable().All() {
		args, result := m.(rpc.Typed).Types()
		types = append(types, args, result)
	}
	return types
}

// Case 124. What is not exactly as it is written does not decode: cut off, longer,
// or with any byte changed it is another value, with an encoding of its own, or
// none.
func TestOneEncoding(t *testing.T) {
	t.Parallel()
	for _, typ := range sent(t) {
		c := rpc.CoderOf(typ)
		r := rand.New(rand.NewPCG(2, uint64(len(typ.String()))))
		for range 5 {
			in := reflect.New(typ)
			fill(r, in.Elem())
			b := c.Encode(in.Interface())
			if len(b) > 0 && c.Decode(b[:r.IntN(len(b))], reflect.New(typ).Interface()) {
				t.Errorf("%v: %x decodes though it is cut off", typ, b)
			}
			if c.Decode(append(bytes.Clone(b), 0), reflect.New(typ).Interface()) {
				t.Errorf("%v: %x decodes with a byte after it", typ, b)
			}
			for i := range b {
				changed := bytes.Clone(b)
				changed[i] ^= byte(1 + r.UintN(255))
				checkOneEncoding(t, typ, c, changed)
			}
		}
	}
}

func checkOneEncoding(t testing.TB, typ reflect.Type, c rpc.Coder, b []byte) {
	out := reflect.New(typ)
	if c.Decode(b, out.Interface()) && !bytes.Equal(c.Encode(out.Interface()), b) {
		t.Errorf("%v: %x decodes, and is encoded otherwise", typ, b)
	}
}

// Case 124.
func TestMalformed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		into any
		b    []byte
	}{
		{"a bool that is 2", new(bool), []byte{2}},
		{"a pointer that is 2", new(*bool), []byte{2, 1}},
		{"a text longer than what is left", new(string), []byte{0, 0, 0, 2, 'a'}},
		{"a text of 4 GiB", new(string), []byte{255, 255, 255, 255, 'a'}},
		{"a list of 4 G items", new([]string), []byte{1, 255, 255, 255, 255, 0, 0, 0, 0}},
		{"more items than there is room for", new([]string), []byte{1, 0, 0, 0, 2, 0, 0, 0, 0}},
		{"keys in another order", new(map[string]bool), []byte{1, 0, 0, 0, 2, 0, 0, 0, 1, 'b', 1, 0, 0, 0, 1, 'a', 1}},
		{"a key twice", new(map[string]bool), []byte{1, 0, 0, 0, 2, 0, 0, 0, 1, 'a', 1, 0, 0, 0, 1, 'a', 0}},
		{"the zero time in full", new(time.Time), []byte{1, 0xff, 0xff, 0xff, 0xf1, 0x88, 0x6e, 0x09, 0, 0, 0, 0, 0}},
		{"a second of nanoseconds", new(time.Time), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0x3b, 0x9a, 0xca, 0}},
		{"a time beyond time", new(time.Time), []byte{1, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}},
		{"an error of no code", new(error), []byte{1, 0, 0, 0, 1, 'x', 0, 0, 0, 0, 0, 0, 0, 0}},
		{"nothing", new(vault.Scope), nil},
	}
	for _, test := range tests {
		if rpc.CoderOf(reflect.TypeOf(test.into).Elem()).Decode(test.b, test.into) {
			t.Errorf("%s: decodes as %v", test.name, test.into)
		}
	}
}

// A list may be no longer than its items are in bytes, and no longer than a
// million: what a peer sends takes memory in proportion.
func TestMemory(t *testing.T) {
	t.Parallel()
	c := rpc.CoderOf(reflect.TypeFor[[]*string]())
	b := append([]byte{1, 0, 0x20, 0, 0}, make([]byte, 2<<20)...)
	if c.Decode(b, new([]*string)) {
		t.Error("a list of two million items decodes")
	}
	var list []*string
	if c.Decode([]byte{1, 0, 0x0f, 255, 255, 0, 0, 0}, &list) || list != nil {
		t.Errorf("a count without items made a list of %d", len(list))
	}
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	type loop struct{ Next *loop }
	for name, v := range map[string]any{
		"a function":              new(func()),
		"a channel":               new(chan int),
		"a number with fractions": new(float64),
		"an interface":            new(any),
		"a map by numbers":        new(map[int]string),
		"a map of secrets":        new(map[string]opaque.Bytes),
		"a list of nothing":       new([]struct{}),
		"a hidden field":          new(vault.State),
		"what refers to itself":   new(loop),
		"a context":               new(context.Context),
		"a list of numbers":       new([3]int),
		"a function in a struct":  new(struct{ F func() }),
		"a hidden error":          new(struct{ err error }),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s can be sent", name)
				}
			}()
			rpc.CoderOf(reflect.TypeOf(v).Elem())
		}()
	}
}

// What an error says arrives, whatever it was made of; what it was made of does
// not.
func TestErrors(t *testing.T) {
	t.Parallel()
	table := rpc.NewTable()
	tests := []struct {
		err  error
		code fault.Code
		text string
		hint string
	}{
		{nil, "", "", ""},
		{fault.New(fault.Conflict, "no").WithHint("do"), fault.Conflict, "no", "do"},
		{fault.Wrap(fault.IO, fault.New(fault.DiskFull, "full").WithHint("free some"), "writing"), fault.IO, "writing: full", "free some"},
		{errors.New("what"), fault.Internal, "what", ""},
		{fault.New("made_up", "what"), fault.Internal, "what", ""},
		{context.Canceled, fault.Canceled, "context canceled", ""},
		{http.ErrServerClosed, fault.Internal, "http: Server closed", ""},
	}
	for _, test := range tests {
		got, err := table.DecodeError(table.EncodeError(test.err))
		if err != nil {
			t.Errorf("%v: %v", test.err, err)
			continue
		}
		if test.err == nil {
			if got != nil {
				t.Errorf("nil became %v", got)
			}
			continue
		}
		if fault.CodeOf(got) != test.code || got.Error() != test.text || fault.HintOf(got) != test.hint {
			t.Errorf("%v became %q %q %q", test.err, fault.CodeOf(got), got, fault.HintOf(got))
		}
	}
}

// Values do not stay where they were decoded.
func TestClear(t *testing.T) {
	t.Parallel()
	args := rpc.Three[vault.Scope, []vault.ImportEntry, bool]{B: []vault.ImportEntry{{Name: "A", Value: opaque.New([]byte("one"))}, {Name: "B"}}}
	c := rpc.CoderOf(reflect.TypeOf(args))
	b := c.Encode(&args)
	var got rpc.Three[vault.Scope, []vault.ImportEntry, bool]
	if !c.Decode(b, &got) || string(got.B[0].Value.Reveal()) != "one" {
		t.Fatal("it does not decode")
	}
	clear(b)
	if string(got.B[0].Value.Reveal()) != "one" {
		t.Error("the value is in the buffer from which it was decoded")
	}
	if !c.Clear(&got) || string(got.B[0].Value.Reveal()) != "\x00\x00\x00" {
		t.Error("the value is still there")
	}
	login := broker.Login{ClientSecret: opaque.New([]byte("one")), Credential: &broker.NewCredential{Proof: opaque.New([]byte("two"))}}
	if !rpc.CoderOf(reflect.TypeOf(login)).Clear(&login) || login.ClientSecret.Reveal()[0] != 0 || login.Credential.Proof.Reveal()[0] != 0 {
		t.Error("the secrets of a login are still there")
	}
	if rpc.CoderOf(reflect.TypeFor[vault.Secret]()).Clear(new(vault.Secret)) {
		t.Error("what is known of a secret is taken for one")
	}
}

// Case 129.
func FuzzDecode(f *testing.F) {
	types := sent(f)
	coders := make([]rpc.Coder, len(types))
	r := rand.New(rand.NewPCG(3, 4))
	for i, typ := range types {
		coders[i] = rpc.CoderOf(typ)
		v := reflect.New(typ)
		fill(r, v.Elem())
		f.Add(uint8(i), coders[i].Encode(v.Interface()))
	}
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		i := int(n) % len(types)
		checkOneEncoding(t, types[i], coders[i], b)
	})
}
