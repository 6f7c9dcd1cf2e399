package ops

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aivault/broker"
	"aivault/vault"
)

// What is only looked at has a command line too. These are the lines of what
// screens show.

// StatusLine shows where the vault is.
func StatusLine() Line { return line("status") }

// ListLine lists what a context sees.
func ListLine(c vault.Context) Line {
	if c.Workspace == "" {
		return ScopeLine(vault.GlobalScope())
	}
	return line("secrets", "list").scope(c.Scope())
}

// ScopeLine lists the secrets of a scope of its own.
func ScopeLine(s vault.Scope) Line {
	return line("secrets", "list", "--scope", s.Level.String()).scope(s)
}

// CreateLine stores a secret in a scope, under a name to be chosen.
func CreateLine(s vault.Scope) Line {
	return line("secrets", "create", "--name", "NAME").scope(s)
}

// ExplainLine tells which secret a call would use; credential may be empty.
func ExplainLine(capability string, c vault.Context, credential string) Line {
	return line("explain", capability).context(c).with("--credential", credential)
}

// CapabilitiesLine lists capabilities.
func CapabilitiesLine() Line { return line("capability", "list") }

// DescribeLine tells how to use a capability.
func DescribeLine(capability string) Line { return line("capability", "describe", capability) }

// PolicyLine shows the limits of a capability.
func PolicyLine(capability string) Line { return line("capability", "policy", "show", capability) }

// BindingsLine lists the bindings of a capability; of all if it is empty.
func BindingsLine(capability string) Line {
	return line("capability", "bindings").with("--capability", capability)
}

// CredentialsLine lists credentials.
func CredentialsLine() Line { return line("credential", "list") }

// VerifyLine verifies the audit log.
func VerifyLine() Line { return line("audit", "verify") }

// AuditLine shows the events of a query, as far as the command line has a flag
// for it: it always begins with the newest.
func AuditLine(q vault.AuditQuery) Line {
	l := line("audit")
	if !q.Since.IsZero() {
		l = l.with("--since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	l = l.with("--kind", strings.TrimSuffix(q.Kind, ".")).with("--capability", q.Capability)
	if q.Secret != (vault.ID{}) {
		l = l.with("--secret", q.Secret.String()) // it may be gone: then only all of it names it
	}
	l = l.with("--workspace-id", q.Workspace).with("--group-id", q.Group)
	l = l.with("--actor", q.Actor).with("--outcome", q.Outcome)
	if q.Limit > 0 {
		l = l.with("--limit", strconv.Itoa(q.Limit))
	}
	if !q.Before.IsZero() {
		l = l.with("--before-ts-ms", strconv.FormatInt(q.Before.UnixMilli(), 10))
	}
	return l
}

// PreviewLine shows the request of a call, and sends nothing.
func PreviewLine(c broker.Call) Line { return append(InvokeLine(c), "--dry-run") }

// BodyFile is the file that the line of a call names for a body that is no
// short text.
const BodyFile = "request.json"

// InvokeLine makes a call.
func InvokeLine(c broker.Call) Line {
	l := line("invoke", c.Capability).with("--method", c.Method).with("--path", c.Path)
	for _, h := range c.Headers {
		l = append(l, "--header", h.Name+": "+h.Value)
	}
	for _, p := range c.Parts {
		if p.File != "" {
			l = append(l, "--multipart-file", p.Field+"="+p.File)
		} else {
			l = append(l, "--multipart-field", p.Field+"="+string(p.Data))
		}
	}
	if c.Body != nil {
		if text, ok := shortBody(c.Body); ok {
			l = append(l, "--body", text)
		} else {
			l = append(l, "--body-file-path", BodyFile)
		}
	}
	l = l.context(c.Context).with("--credential", c.Credential)
	if c.Timeout > 0 {
		l = l.with("--timeout-ms", strconv.FormatInt(max(c.Timeout.Milliseconds(), 1), 10))
	}
	return l.with("--client-ip", c.ClientIP)
}

// maxShortBody is how long a body on a command line may be, in bytes.
const maxShortBody = 2000

// shortBody returns a body as a word of a command line: one line of text. JSON
// that is spread over several comes without the space between its tokens.
func shortBody(body []byte) (string, bool) {
	if bytes.ContainsAny(body, "\n\t") {
		var b bytes.Buffer
		if json.Compact(&b, body) == nil {
			body = b.Bytes()
		}
	}
	switch {
	case len(body) > maxShortBody, !utf8.Valid(body), bytes.ContainsFunc(body, unicode.IsControl):
		return "", false
	case string(body) == "-": // which is the standard input
		return "", false
	}
	return string(body), true
}
