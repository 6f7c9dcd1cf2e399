package opaque_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"aivault/keys/locked"
	"aivault/keys/opaque"
)

// canary is what must not show, in no form that a verb could give it.
const canary = "c4nary-Zx9"

// forms are the ways in which a verb could show the canary.
func forms() []string {
	b := []byte(canary)
	return []string{
		canary,
		fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), fmt.Sprintf("% x", b),
		strings.Trim(fmt.Sprint(b), "[]"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
		"YzRuYXJ5LVp4OQ", // base64
	}
}

func wantHidden(t *testing.T, how, shown string) {
	t.Helper()
	for _, form := range forms() {
		if strings.Contains(shown, form) {
			t.Errorf("%s shows the bytes", how)
		}
	}
}

// nested holds a Bytes in every place from which a printer might dig it out.
type nested struct {
	Exported opaque.Bytes
	hidden   opaque.Bytes
	Pointer  *opaque.Bytes
	List     []opaque.Bytes
	Map      map[string]opaque.Bytes
	Any      any
}

func values() map[string]any {
	b := opaque.New([]byte(canary))
	n := nested{b, b, &b, []opaque.Bytes{b}, map[string]opaque.Bytes{"k": b}, b}
	return map[string]any{
		"bare": b, "pointer": &b, "list": []opaque.Bytes{b}, "array": [1]opaque.Bytes{b},
		"map": map[string]opaque.Bytes{"k": b}, "struct": n, "struct pointer": &n,
		"unexported": struct{ v opaque.Bytes }{b}, "any": []any{b, n},
	}
}

func TestNoVerbShowsTheBytes(t *testing.T) {
	for name, v := range values() {
		for verb := rune('!'); verb <= '~'; verb++ {
			for _, flags := range []string{"", "+", "#", " ", "-20", "020", "+#.3"} {
				format := "%" + flags + string(verb)
				wantHidden(t, name+" with "+format, fmt.Sprintf(format, v))
			}
		}
		wantHidden(t, name+" printed", fmt.Sprint(v)+fmt.Sprintln(v))
		wantHidden(t, name+" in an error", fmt.Errorf("failing: %w, %v", errors.New("x"), v).Error())
	}
}

func TestABareBytesShowsThatItIsHidden(t *testing.T) {
	b := opaque.New([]byte(canary))
	for _, verb := range []string{"%v", "%s", "%q", "%x", "%d", "%#v"} {
		if got := fmt.Sprintf(verb, b); got != "[redacted]" {
			t.Errorf("%s shows %q", verb, got)
		}
	}
	if b.String() != "[redacted]" {
		t.Errorf("String is %q", b.String())
	}
}

func TestNoEncoderShowsTheBytes(t *testing.T) {
	for name, v := range values() {
		if data, err := json.Marshal(v); err != nil {
			t.Errorf("JSON of %s: %v", name, err)
		} else {
			wantHidden(t, "JSON of "+name, string(data))
		}
		if data, err := xml.Marshal(v); err == nil { // maps have no XML
			wantHidden(t, "XML of "+name, string(data))
		}
		for how, h := range map[string]func(*bytes.Buffer) slog.Handler{
			"text log": func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) },
			"JSON log": func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var w bytes.Buffer
			slog.New(h(&w)).Info("message", "value", v, slog.Group("g", "value", v))
			wantHidden(t, how+" of "+name, w.String())
		}
	}
}

func TestRevealAndClear(t *testing.T) {
	b := opaque.New([]byte(canary))
	if string(b.Reveal()) != canary || b.Len() != len(canary) {
		t.Fatalf("Reveal gives %d bytes, which are not those that were put in", b.Len())
	}
	source := []byte(canary)
	clone := opaque.Clone(source)
	clear(source)
	if !clone.Equal(b) {
		t.Error("a clone shares the bytes that it was made of")
	}
	inside := b.Reveal()
	b.Clear()
	if !bytes.Equal(inside, make([]byte, len(canary))) {
		t.Error("Clear left the bytes behind")
	}
	if clone.Equal(b) {
		t.Error("zeros equal the bytes that were there")
	}
}

func TestNilHoldsNothing(t *testing.T) {
	var b opaque.Bytes
	b.Clear()
	if b.Reveal() != nil || b.Len() != 0 {
		t.Error("the nil Bytes holds something")
	}
	if !b.Equal(opaque.New(nil)) || b.Equal(opaque.New([]byte("x"))) {
		t.Error("the nil Bytes equals others than the empty one")
	}
	if got := fmt.Sprint(b); got != "[redacted]" {
		t.Errorf("the nil Bytes shows %q", got)
	}
}

// A key is moved to locked memory, and gives its place back when it is cleared:
// what has the place since is not touched by whoever clears it again.
func TestNewKey(t *testing.T) {
	given := []byte(canary)
	b := opaque.NewKey(given)
	if string(b.Reveal()) != canary || !bytes.Equal(given, make([]byte, len(canary))) {
		t.Fatal("the key was not moved")
	}
	if got := fmt.Sprintf("%v %+v", b, struct{ b opaque.Bytes }{b}); strings.Contains(got, canary) {
		t.Error("the key shows")
	}
	place := &b.Reveal()[0]
	b.Clear()
	next := locked.New([]byte(canary))
	defer next.Free()
	if &next.Bytes()[0] != place {
		t.Error("the key had no place in locked memory, or did not give it back")
	}
	b.Clear()
	if string(next.Bytes()) != canary || !bytes.Equal(b.Reveal(), make([]byte, len(canary))) {
		t.Error("a key that was cleared reaches the one that has its place")
	}
}
