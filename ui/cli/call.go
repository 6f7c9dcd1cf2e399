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

// maxBody is how much a call may carry, in bytes.
const maxBody = 64 << 20

// maxTimeout is the longest time that a call may be given, in milliseconds.
const maxTimeout = 24 * 60 * 60 * 1000

// callFlags are the flags of a call.
type callFlags struct {
	payload, payloadFile string
	method, path         string
	headers              []string
	body, bodyFile       string
	timeout              int64
	credential           string
	context              contextFlags
	clientIP             string
	fail                 bool
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
	text(fs, &f.payload, "request", "JSON", "the request as JSON, instead of the flags above")
	text(fs, &f.payloadFile, "request-file", "PATH", "a file with the request as JSON, - for the standard input")
	f.context.add(fs)
	text(fs, &f.credential, "credential", "ID", "use this credential")
	number(fs, &f.timeout, "timeout-ms", "MS", 1, "give up after so many milliseconds")
	fs.BoolVar(&f.fail, "fail", false, "exit with status 10 for an answer of status 400 and above")
	text(fs, &f.clientIP, "client-ip", "ADDRESS", "a loopback address, for the audit log")
}

// parse turns the flags into a call, reading the files that they name.
func (f *callFlags) parse(ctx context.Context, sh *shell, capability string) (broker.Call, error) {
	c, err := f.context.parse()
	if err != nil {
		return broker.Call{}, err
	}
	if f.set.Changed("credential") && f.credential == "" {
		return broker.Call{}, fault.New(fault.Usage, "--credential is empty")
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
	for _, name := range []string{"method", "path", "body-file-path"} {
		if flag := f.set.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return fault.New(fault.Usage, "--%s is empty", name)
		}
	}
	for _, text := range f.headers {
		h, err := policy.ParseHeaderFlag(text)
		if err != nil {
			return err
		}
		call.Headers = append(call.Headers, broker.Header{Name: h.Name, Value: h.Value})
	}
	body, file := f.set.Changed("body"), f.set.Changed("body-file-path")
	switch {
	case body && file:
		return fault.New(fault.Usage, "provide only one of --body and --body-file-path")
	case body && f.body != "-":
		call.Body = []byte(f.body)
		return nil
	case body:
		return readBody(ctx, sh, "-", call)
	case file:
		return readBody(ctx, sh, f.bodyFile, call)
	}
	return nil
}

// fromPayload fills in the request from --request or --request-file.
func (f *callFlags) fromPayload(ctx context.Context, sh *shell, call *broker.Call) error {
	if f.set.Changed("request") && f.set.Changed("request-file") {
		return fault.New(fault.Usage, "provide only one of --request and --request-file")
	}
	for _, name := range []string{"method", "path", "header", "body", "body-file-path"} {
		if f.set.Changed(name) {
			return fault.New(fault.Usage, "do not mix --request/--request-file and --%s", name)
		}
	}
	data := []byte(f.payload)
	if f.set.Changed("request-file") {
		var err error
		if data, err = sh.env.ReadFile(ctx, f.payloadFile, broker.MaxPayload); err != nil {
			return err
		}
	}
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
	r := p.Request
	call.Method, call.Path = r.Method, r.Path
	for _, h := range r.Headers {
		call.Headers = append(call.Headers, broker.Header(h))
	}
	switch {
	case r.BodyFilePath != "":
		return readBody(ctx, sh, r.BodyFilePath, call)
	case r.Body != nil:
		call.Body = []byte(*r.Body)
	}
	return nil
}

// readBody makes what the user named the body. It is opened here, with the
// rights of whoever makes the call.
func readBody(ctx context.Context, sh *shell, path string, call *broker.Call) (err error) {
	call.Body, err = sh.env.ReadFile(ctx, path, maxBody)
	return err
}
