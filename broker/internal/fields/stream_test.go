package fields_test

import (
	"bytes"
	"strings"
	"testing"

	"aivault/broker/internal/fields"
	"aivault/keys/fault"
)

// inPieces runs a body through a Stream, cut where cuts says: before byte i if
// the bit i%64 of cuts is set.
func inPieces(f *fields.Filter, mediaType string, body []byte, cuts uint64) (out []byte, n int, err error) {
	s := f.Stream(mediaType)
	done := 0
	for i := range body {
		if cuts>>(i%64)&1 == 0 {
			continue
		}
		piece, err := s.Write(body[done:i])
		out = append(out, piece...)
		if err != nil {
			return out, s.Count(), err
		}
		done = i
	}
	piece, err := s.Write(body[done:])
	out = append(out, piece...)
	if err != nil {
		return out, s.Count(), err
	}
	piece, err = s.End()
	return append(out, piece...), s.Count(), err
}

// Each line and event leaves as soon as it is complete, and not before.
func TestStreamLeavesByUnit(t *testing.T) {
	t.Parallel()
	type step struct{ in, out string }
	tests := []struct {
		name, mediaType string
		steps           []step
		cut             string // what comes if it breaks off here
	}{
		{"events", "text/event-stream", []step{
			{"data: {\"ema", ""},
			{"il\":1}\n", ""},
			{"\ndata: 2", "data: {\"email\":" + marker + "}\n\n"},
			{"\n\ndata: {\"ssn\":1}\n\ndata: {", "data: 2\n\ndata: {\"ssn\":" + marker + "}\n\n"},
		}, ""},
		{"events with CR LF", "text/event-stream", []step{
			{"data: 1\r", ""},
			{"\n\r", "data: 1\r\n\r"},
			{"\n", "\n"},
			{"data: {\"email\":1}\r\n\r\n", "data: {\"email\":" + marker + "}\r\n\r\n"},
			{"id: 1\r\n", ""},
		}, ""},
		{"lines", "application/x-ndjson", []step{
			{"{\"email\":1}", ""},
			{"\n{\"x", "{\"email\":" + marker + "}\n"},
			{"\":1}\n\n7", "{\"x\":1}\n\n"},
		}, ""},
		{"a document", "application/json", []step{{"[1,\n", ""}, {"2]\n", ""}}, ""},
		{"a document without a type", "", []step{{" ", ""}, {"\n[1,", ""}, {"2]", ""}}, ""},
		{"text", "text/plain", []step{{" \n", ""}, {"te", " \nte"}, {"{\"email\":1}", "{\"email\":1}"}}, ""},
		{"only space", "text/plain", []step{{" \n", ""}}, " \n"},
	}
	f := fields.New(names)
	for _, test := range tests {
		s := f.Stream(test.mediaType)
		for i, step := range test.steps {
			got, err := s.Write([]byte(step.in))
			if err != nil || string(got) != step.out {
				t.Errorf("%s, step %d: %q lets %q leave, %v; want %q", test.name, i, step.in, got, err, step.out)
			}
		}
		if got := string(s.Cut()); got != test.cut {
			t.Errorf("%s: %q leaves after the body broke off, want %q", test.name, got, test.cut)
		}
		if got, err := s.End(); len(got) > 0 || err != nil {
			t.Errorf("%s: %q, %v after Cut", test.name, got, err)
		}
	}
}

// What came before an error leaves, and nothing after it.
func TestStreamError(t *testing.T) {
	t.Parallel()
	s := fields.New(names).Stream("application/x-ndjson")
	got, err := s.Write([]byte("{\"email\":1}\n{\"email\":\n{}\n"))
	if want := "{\"email\":" + marker + "}\n"; string(got) != want || fault.CodeOf(err) != fault.UpstreamStatus {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if got, err := s.Write([]byte("{}\n")); len(got) > 0 || err == nil {
		t.Errorf("got %q, %v after an error", got, err)
	}
	if got, err := s.End(); len(got) > 0 || err == nil {
		t.Errorf("got %q, %v at the end after an error", got, err)
	}
	if got := s.Cut(); len(got) > 0 {
		t.Errorf("got %q when cut after an error", got)
	}
}

// A line or event has a limit; a document has that of its caller.
func TestStreamLimit(t *testing.T) {
	t.Parallel()
	f := fields.New(names)
	piece := bytes.Repeat([]byte("x"), 1<<20)
	for _, test := range []struct {
		mediaType, first, last string
		fits                   bool
	}{
		{"application/x-ndjson", `"`, "\"\n", false},
		{"text/event-stream", "data: ", "\n\n", false},
		{"application/json", `"`, `"`, true},
	} {
		s := f.Stream(test.mediaType)
		out, err := s.Write([]byte(test.first))
		for i := 0; err == nil && i < fields.MaxUnit>>20; i++ {
			out, err = s.Write(piece)
		}
		if test.fits {
			if err != nil {
				t.Errorf("%s: %v", test.mediaType, err)
			}
			continue
		}
		if len(out) > 0 || fault.CodeOf(err) != fault.ResponseTooLarge {
			t.Errorf("%s: %d bytes leave, %v", test.mediaType, len(out), err)
		}
		if testing.Short() {
			continue // this is slow under the race detector
		}
		whole := test.first + strings.Repeat("x", fields.MaxUnit) + test.last
		if _, _, err := f.Body(test.mediaType, []byte(whole)); fault.CodeOf(err) != fault.ResponseTooLarge {
			t.Errorf("%s, whole: %v", test.mediaType, err)
		}
		whole = test.first + strings.Repeat("x", fields.MaxUnit-len(test.first+test.last)) + test.last
		if _, _, err := f.Body(test.mediaType, []byte(whole)); err != nil {
			t.Errorf("%s, at the limit: %v", test.mediaType, err)
		}
	}
}

// FuzzStreamFields cuts a body in every way, and the result is that of the
// whole.
func FuzzStreamFields(f *testing.F) {
	types := []string{"application/json", "application/x-ndjson", "text/event-stream", "", "application/json-seq", "text/html"}
	for _, seed := range []string{
		`{"email":"x","id":1}`, "{\"email\":1}\n{\"email\":2}\r\n\n7", "data: {\"email\":1}\n\ndata: {\"email\":2}\r\n\r\n:x\r\rdata:[DONE]\n\n",
		"event: a\rdata: {\rdata: \"email\":[1,\rid: 7\rdata: 2]}\r\r\ndata: {\"email\":1}\n\r\n", "\ufeffdata: 1\n\n", "text", ")]}'", "\x1e{}\n\x1e{}\n",
		"data: {\"a\ndata: 1\n\n", " \n\t{\"email\":1}", "dat", "id", "\xff\xfe{\x00", "data\ndata:\ndata: {\"email\":1}\n\n", "{\"email\":\n1}\n",
	} {
		for i := range types {
			f.Add([]byte(seed), uint8(i), uint64(0x5a5a5a5a12345678))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8, cuts uint64) {
		mediaType := types[int(which)%len(types)]
		filter := fields.New([]string{"email", "a"})
		want, count, wantErr := filter.Body(mediaType, body)
		for _, cuts := range []uint64{cuts, ^uint64(0)} {
			got, n, err := inPieces(filter, mediaType, body, cuts)
			if fault.CodeOf(err) != fault.CodeOf(wantErr) {
				t.Fatalf("%s %q cut by %x: %v, want %v", mediaType, body, cuts, err, wantErr)
			}
			if err == nil && (!bytes.Equal(got, want) || n != count) {
				t.Fatalf("%s %q cut by %x: got %q, %d\nwant %q, %d", mediaType, body, cuts, got, n, want, count)
			}
		}
		if wantErr != nil {
			return
		}
		again, n, err := filter.Body(mediaType, want)
		if err != nil || !bytes.Equal(again, want) || n != count {
			t.Fatalf("%s %q becomes %q, %d, and that %q, %d, %v", mediaType, body, want, count, again, n, err)
		}
	})
}
