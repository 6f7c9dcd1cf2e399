package cli

import (
	"context"
	"maps"
	"mime"
	"path/filepath"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
)

// maxBody is how much a call may carry, in bytes, over all parts of its body.
const maxBody = 64 << 20

// payloadExcludes are the flags that say what a payload says.
func payloadExcludes() []string {
	return []string{"method", "path", "header", "body", "body-file-path", "multipart-field", "multipart-file"}
}

// fromPayload fills in the request from --request or --request-file.
func (f *callFlags) fromPayload(ctx context.Context, sh *shell, call *broker.Call) error {
	if f.set.Changed("request") && f.set.Changed("request-file") {
		return fault.New(fault.Usage, "provide only one of --request and --request-file")
	}
	for _, name := range payloadExcludes() {
		if f.set.Changed(name) {
			return fault.New(fault.Usage, "do not mix --request/--request-file and --%s", name)
		}
	}
	in := &inputs{sh: sh, left: broker.MaxPayload}
	data := []byte(f.payload)
	if f.set.Changed("request-file") {
		var err error
		if data, err = in.read(ctx, f.payloadFile); err != nil {
			return err
		}
	}
	in.left = maxBody
	p, err := broker.ParsePayload(data)
	switch {
	case err != nil:
		return err
	case p.Capability != "" && p.Capability != call.Capability:
		return fault.New(fault.InvalidRequest, "the payload's capability %.140q does not match command capability %s", p.Capability, call.Capability)
	case p.Credential != "" && call.Credential != "":
		return fault.New(fault.InvalidRequest, "the credential is given by --credential and by the payload").WithHint("give it once")
	case p.Credential != "":
		call.Credential = p.Credential
	}
	call.Method, call.Path = p.Request.Method, p.Request.Path
	for _, h := range p.Request.Headers {
		call.Headers = append(call.Headers, broker.Header(h))
	}
	return payloadBody(ctx, in, &p, call)
}

// payloadBody fills in the body that a payload has, or names.
func payloadBody(ctx context.Context, in *inputs, p *broker.Payload, call *broker.Call) (err error) {
	r := &p.Request
	switch {
	case r.BodyFilePath != "":
		call.Body, err = in.read(ctx, r.BodyFilePath)
		return err
	case r.Body != nil:
		call.Body = []byte(*r.Body)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		part, err := in.field(name, r.Fields[name])
		if err != nil {
			return err
		}
		call.Parts = append(call.Parts, part)
	}
	for _, f := range r.Files {
		part, err := in.file(ctx, f.Field, f.Path)
		if err != nil {
			return err
		}
		call.Parts = append(call.Parts, part)
	}
	return nil
}

// inputs reads what the body of one call is made from. Files are opened here,
// with the rights of whoever makes the call (case 58).
type inputs struct {
	sh    *shell
	left  int64 // how many bytes there may still be
	stdin bool  // the standard input was read: it is empty now
}

// read reads what the user named.
func (in *inputs) read(ctx context.Context, path string) ([]byte, error) {
	f, err := in.sh.env.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Stdin && in.stdin {
		return nil, fault.New(fault.Usage, "the standard input is wanted twice").WithHint("put one of the two into a file")
	}
	in.stdin = in.stdin || f.Stdin
	b, err := f.ReadAll(ctx, in.left)
	in.left -= int64(len(b))
	return b, err
}

// field makes a part of a text.
func (in *inputs) field(name, value string) (broker.Part, error) {
	if in.left -= int64(len(value)); in.left < 0 {
		return broker.Part{}, fault.New(fault.RequestTooLarge, "the body has more than %d bytes", maxBody)
	}
	return broker.Part{Field: name, Data: []byte(value)}, nil
}

// file makes a part of a file. Its name is sent without directories, which are
// nobody's business; its media type is what the name's extension says.
func (in *inputs) file(ctx context.Context, field, path string) (broker.Part, error) {
	data, err := in.read(ctx, path)
	if err != nil {
		return broker.Part{}, err
	}
	name := filepath.Base(path)
	if path == "-" {
		name = "stdin" // something to call it by
	}
	return broker.Part{Field: field, File: name, MediaType: mime.TypeByExtension(filepath.Ext(name)), Data: data}, nil
}

// cutPair splits NAME=VALUE at the first equals sign. The name is trimmed, and
// not empty.
func cutPair(text string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	return name, value, ok && name != ""
}
