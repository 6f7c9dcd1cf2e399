package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/broker"
	"aivault/broker/policy"
	"aivault/keys/fault"
)

// maxTimeout is the longest time that a call may be given, in milliseconds.
const maxTimeout = 24 * 60 * 60 * 1000

// callFlags are the flags of a call.
type callFlags struct {
	payload, payloadFile string
	method, path         string
	headers              []string
	body, bodyFile       string
	fields, files        []string
	timeout              int64
	credential           string
	context              contextFlags
	clientIP             string
	stream, dryRun, fail bool
	set                  *pflag.FlagSet
}

func (f *callFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	f.set = fs
	text(fs, &f.method, "method", "METHOD", "the HTTP method")
	text(fs, &f.path, "path", "PATH", "the path, with the query")
	many(fs, &f.headers, "header", "HEADER", "a header, as 'Name: value'")
	text(fs, &f.body, "body", "TEXT", "the body; - takes it from the standard input")
	text(fs, &f.bodyFile, "body-file-path", "PATH", "a file that is the body, - for the standard input")
	many(fs, &f.fields, "multipart-field", "NAME=VALUE", "a field of a multipart body")
	many(fs, &f.files, "multipart-file", "NAME=PATH", "a file of a multipart body, - for the standard input")
	text(fs, &f.payload, "request", "JSON", "the request as JSON, instead of the flags above")
	text(fs, &f.payloadFile, "request-file", "PATH", "a file with the request as JSON, - for the standard input")
	f.context.add(fs)
	text(fs, &f.credential, "credential", "ID", "use this credential")
	number(fs, &f.timeout, "timeout-ms", "MS", 1, "give up after so many milliseconds")
	fs.BoolVar(&f.stream, "stream", false, "print the answer as it arrives")
	fs.BoolVar(&f.dryRun, "dry-run", false, "print the request that would be sent, and send nothing")
	fs.BoolVar(&f.fail, "fail", false, "exit with status 10 for an answer of status 400 and above")
	text(fs, &f.clientIP, "client-ip", "ADDRESS", "a loopback address, for the audit log")
}

// parse turns the flags into a call, reading the files that they name.
func (f *callFlags) parse(ctx context.Context, sh *shell, capability string) (broker.Call, error) {
	c, err := f.context.parse()
	if err != nil {
		return broker.Call{}, err
	}
	if err := refuseEmpty(f.set, leaveOut, "credential", "client-ip", "method", "path", "body-file-path", "request-file"); err != nil {
		return broker.Call{}, err
	}
	if f.timeout > maxTimeout {
		return broker.Call{}, fault.New(fault.Usage, "--timeout-ms is more than a day").WithHint("leave it out for the limits of the broker")
	}
	call := broker.Call{
		Capability: capability, Context: c, Credential: f.credential, ClientIP: f.clientIP,
		Timeout: time.Duration(f.timeout) * time.Millisecond,
	}
	if f.set.Changed("request") || f.set.Changed("request-file") {
		err = f.fromPayload(ctx, sh, &call)
	} else {
		err = f.fromFlags(ctx, sh, &call)
	}
	return call, err
}

// fromFlags fills in the request from --method, --path and so on.
func (f *callFlags) fromFlags(ctx context.Context, sh *shell, call *broker.Call) error {
	call.Method, call.Path = f.method, f.path
	for _, text := range f.headers {
		h, err := policy.ParseHeaderFlag(text)
		if err != nil {
			return err
		}
		call.Headers = append(call.Headers, broker.Header{Name: h.Name, Value: h.Value})
	}
	body, file := f.set.Changed("body"), f.set.Changed("body-file-path")
	multipart := f.set.Changed("multipart-field") || f.set.Changed("multipart-file")
	switch {
	case body && file, multipart && (body || file):
		return fault.New(fault.Usage, "provide only one of --body, --body-file-path, or multipart")
	case body && f.body != "-":
		call.Body = []byte(f.body)
		return nil
	}
	in := &inputs{sh: sh, left: maxBody}
	var err error
	switch {
	case body:
		call.Body, err = in.read(ctx, "-")
	case file:
		call.Body, err = in.read(ctx, f.bodyFile)
	case multipart:
		call.Parts, err = f.parts(ctx, in)
	}
	return err
}

// parts returns the parts of a multipart body, the fields first.
func (f *callFlags) parts(ctx context.Context, in *inputs) ([]broker.Part, error) {
	var parts []broker.Part
	for i, text := range f.fields {
		name, value, ok := cutPair(text)
		if !ok {
			return nil, fault.New(fault.Usage, "field %d of --multipart-field is not NAME=VALUE", i+1)
		}
		part, err := in.field(name, value)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	for i, text := range f.files {
		name, path, ok := cutPair(text)
		if !ok || path == "" {
			return nil, fault.New(fault.Usage, "file %d of --multipart-file is not NAME=PATH", i+1)
		}
		part, err := in.file(ctx, name, path)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}
