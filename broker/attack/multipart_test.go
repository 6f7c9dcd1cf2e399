package attack_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

// parts is a call of the base capability with a multipart body.
func parts(list ...broker.Part) broker.Call {
	call := post("")
	call.Body, call.Parts = nil, list
	return call
}

func TestCase039OwnBoundary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, kind := range []string{"multipart/form-data; boundary=mine-mine", "multipart/form-data", "text/plain", "application/json"} {
		for _, name := range []string{"Content-Type", "content-type", "content_type"} {
			call := parts(broker.Part{Field: "a", Data: []byte("--mine-mine--")})
			call.Headers = []broker.Header{{Name: name, Value: kind}}
			w.deny(t, call, fault.PolicyViolation)
		}
	}
	got, _ := w.allow(t, parts(broker.Part{Field: "a", Data: []byte("--mine-mine--")}))
	if kinds := got.Values("Content-Type"); len(kinds) != 1 || !strings.HasPrefix(kinds[0], "multipart/form-data; boundary=") {
		t.Errorf("Content-Type %q", kinds)
	}
}

// form reads a multipart body strictly.
func form(t *testing.T, r upstream.Request) (boundary string, got []broker.Part) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(r.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		t.Fatalf("Content-Type %q: %v", r.Get("Content-Type"), err)
	}
	for in := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]); ; {
		p, err := in.NextRawPart()
		if errors.Is(err, io.EOF) {
			return params["boundary"], got
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Header) > 2 {
			t.Errorf("a part has the headers %v", p.Header)
		}
		got = append(got, broker.Part{Field: p.FormName(), File: p.FileName(), Data: data})
	}
}

func TestCase061ForgedParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a\r\nX-A: b", "a\n", "\r", "a\x00", "\r\n--boundary", "a\x1b[2J", "\xff", "\u0085"} {
		w.deny(t, parts(broker.Part{Field: name, Data: []byte("x")}), fault.InvalidRequest)
		w.deny(t, parts(broker.Part{Field: "f", File: name, Data: []byte("x")}), fault.InvalidRequest)
		w.deny(t, parts(broker.Part{Field: "f", File: "f", MediaType: "text/plain" + name, Data: []byte("x")}), fault.InvalidRequest)
	}
	w.deny(t, parts(broker.Part{Field: ""}), fault.InvalidRequest)
	w.deny(t, parts(broker.Part{Field: "a"}, broker.Part{Field: "a"}), fault.InvalidRequest)

	// Quotes are part of a name, and what reads like a boundary of a part: the
	// one that stands between them is another for each call.
	seen := map[string]bool{}
	forged := "x"
	for range 4 {
		sent := []broker.Part{
			{Field: `a"; filename="b`, Data: []byte(forged)},
			{Field: "file", File: `c"; name="d`, Data: []byte(forged + "\r\n--")},
		}
		got, _ := w.allow(t, parts(sent...))
		boundary, received := form(t, got)
		if len(boundary) < 22 || seen[boundary] { // 128 bits in base64
			t.Errorf("the boundary %q is short, or was there before", boundary)
		}
		seen[boundary] = true
		forged = "\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"forged\"\r\n\r\nx\r\n--" + boundary + "--\r\n"
		if len(received) != len(sent) {
			t.Fatalf("%d parts arrived of %d", len(received), len(sent))
		}
		for i, p := range received {
			unquoted := strings.NewReplacer("%22", `"`).Replace(p.Field + "|" + p.File)
			if unquoted != sent[i].Field+"|"+sent[i].File || !bytes.Equal(p.Data, sent[i].Data) {
				t.Errorf("part %d arrived as %q of file %q with %d bytes", i, p.Field, p.File, len(p.Data))
			}
		}
	}
}

func TestCase062LongBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	limit := int64(1000)
	if _, err := w.broker.SetPolicy(t.Context(), vault.Policy{Capability: capability, MaxRequest: &limit}, 0); err != nil {
		t.Fatal(err)
	}
	w.allow(t, post(strings.Repeat("x", 1000)))
	w.deny(t, post(strings.Repeat("x", 1001)), fault.RequestTooLarge)
	w.deny(t, post(strings.Repeat("x", 1<<20)), fault.RequestTooLarge)
	w.deny(t, parts(broker.Part{Field: "a", Data: bytes.Repeat([]byte("x"), 500)}, broker.Part{Field: "b", Data: bytes.Repeat([]byte("x"), 500)}), fault.RequestTooLarge)
	w.deny(t, parts(broker.Part{Field: strings.Repeat("n", 200), Data: bytes.Repeat([]byte("x"), 900)}), fault.RequestTooLarge)
	call := post(strings.Repeat("x", 1001)) // a length that lies is not the caller's to give
	call.Headers = []broker.Header{{Name: "Content-Length", Value: "10"}}
	w.deny(t, call, fault.PolicyViolation)
	call.Body = call.Body[:1000]
	w.deny(t, call, fault.PolicyViolation)
	w.refuse(t, "a long payload", fault.RequestTooLarge, func() error {
		_, err := broker.ParsePayload(bytes.Repeat([]byte(" "), broker.MaxPayload+1))
		return err
	})
}
