package broker_test

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// Names and contents arrive as they were given, whatever is in them, as one
// part each (cases 43 of the documented tests, 61).
func TestMultipart(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	parts := []broker.Part{
		{Field: "purpose", Data: []byte("fine-tune")},
		{Field: `a "quoted" name`, Data: []byte("\r\n--boundary\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nforged")},
		{Field: "file", File: `data "1".jsonl`, MediaType: "application/jsonl", Data: []byte{0, 1, 2, '\r', '\n', '-', '-'}},
		{Field: "other", File: "x.bin", Data: nil},
	}
	for range 2 {
		if _, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "acme/items", Parts: parts}); err != nil {
			t.Fatal(err)
		}
	}
	boundaries := map[string]bool{}
	for _, req := range r.up.Requests() {
		if req.Method != "POST" {
			t.Errorf("method %s", req.Method)
		}
		kind, params, err := mime.ParseMediaType(req.Get("Content-Type"))
		if err != nil || kind != "multipart/form-data" {
			t.Fatalf("type %q, %v", kind, err)
		}
		boundaries[params["boundary"]] = true
		form := multipart.NewReader(bytes.NewReader(req.Body), params["boundary"])
		for _, want := range parts {
			got, err := form.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			data, _ := io.ReadAll(got)
			unquote := strings.NewReplacer("%22", `"`).Replace
			if unquote(got.FormName()) != want.Field || unquote(got.FileName()) != want.File || !bytes.Equal(data, want.Data) {
				t.Errorf("part %q of file %q with %d bytes, want %q", got.FormName(), got.FileName(), len(data), want.Field)
			}
			wantType := want.MediaType
			if want.File != "" && wantType == "" {
				wantType = "application/octet-stream"
			}
			if got.Header.Get("Content-Type") != wantType {
				t.Errorf("part %q has the type %q", got.FormName(), got.Header.Get("Content-Type"))
			}
		}
		if _, err := form.NextRawPart(); err != io.EOF {
			t.Errorf("after the last part: %v", err)
		}
	}
	if len(boundaries) != 2 {
		t.Error("two calls have one boundary")
	}
	if e := r.last(t); e.RequestBytes == 0 {
		t.Errorf("recorded as %+v", e)
	}
}

func TestMultipartRefused(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	limit := int64(20)
	if _, err := r.broker.SetPolicy(context.Background(), vault.Policy{Capability: "acme/items", MaxRequest: &limit}, 0); err != nil {
		t.Fatal(err)
	}
	one := func(p broker.Part) broker.Call { return broker.Call{Capability: "acme/items", Parts: []broker.Part{p}} }
	both := one(broker.Part{Field: "a"})
	both.Body = []byte("x")
	typed := one(broker.Part{Field: "a"})
	typed.Headers = []broker.Header{{Name: "content-type", Value: "multipart/form-data; boundary=mine"}}
	many := broker.Call{Capability: "acme/items", Parts: make([]broker.Part, 257)}
	for name, tt := range map[string]struct {
		call broker.Call
		want fault.Code
	}{
		"57 body and parts":     {both, fault.InvalidRequest},
		"39 type of the caller": {typed, fault.PolicyViolation},
		"too many parts":        {many, fault.RequestTooLarge},
		"no name":               {one(broker.Part{Data: []byte("x")}), fault.InvalidRequest},
		"61 line break":         {one(broker.Part{Field: "a\r\nb"}), fault.InvalidRequest},
		"61 line break in file": {one(broker.Part{Field: "a", File: "x\n"}), fault.InvalidRequest},
		"no UTF-8":              {one(broker.Part{Field: "a\xff"}), fault.InvalidRequest},
		"long name":             {one(broker.Part{Field: strings.Repeat("a", 257)}), fault.InvalidRequest},
		"twice":                 {broker.Call{Capability: "acme/items", Parts: []broker.Part{{Field: "a"}, {Field: "a"}}}, fault.InvalidRequest},
		"type of a field":       {one(broker.Part{Field: "a", MediaType: "text/plain"}), fault.InvalidRequest},
		"type that is none":     {one(broker.Part{Field: "a", File: "x", MediaType: "a\r\nb"}), fault.InvalidRequest},
		"62 over the limit":     {one(broker.Part{Field: "a", Data: make([]byte, 20)}), fault.RequestTooLarge},
	} {
		before := len(r.events(t))
		tt.call.Context.Consumer = strings.ReplaceAll(name, " ", "-") // or the denials would be counted as one
		_, err := r.broker.Invoke(context.Background(), tt.call)
		if got := fault.CodeOf(err); got != tt.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, tt.want)
		}
		if events := r.events(t)[before:]; len(events) != 1 || events[0].Code != tt.want {
			t.Errorf("%s: recorded as %+v", name, events)
		}
	}
	if n := r.up.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}
