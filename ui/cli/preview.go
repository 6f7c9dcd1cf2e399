package cli

import (
	"context"
	"encoding/base64"
	"unicode/utf8"

	"aivault/broker"
	"aivault/ui/app"
)

// previewJSON is a request that was not sent.
type previewJSON struct {
	DryRun  bool `json:"dryRun"`
	Planned struct {
		plannedJSON
		Certificate string       `json:"clientCertificate,omitempty"`
		Headers     []headerJSON `json:"headers"`
		Body        *string      `json:"body"`
		BodyB64     string       `json:"bodyB64,omitempty"` // of a body that is no text
	} `json:"planned"`
}

// preview prints the request that a call would send.
func (sh *shell) preview(ctx context.Context, be app.Backend, call broker.Call, asJSON bool) error {
	p, err := be.Preview(ctx, call)
	if err != nil {
		return err
	}
	if asJSON || sh.out.json {
		return sh.out.printJSON(toPreview(p))
	}
	sh.out.printf("%s %s", p.Method, p.URL)
	for _, h := range p.Headers {
		sh.out.printf("%s: %s", h.Name, h.Value)
	}
	if len(p.Body) > 0 {
		sh.out.printf("")
		sh.out.body(p.Body)
	}
	if p.Certificate != "" {
		sh.out.noticef("the client certificate in %s is shown in the TLS handshake", p.Certificate)
	}
	return nil
}

func toPreview(p *broker.Preview) previewJSON {
	out := previewJSON{DryRun: true}
	out.Planned.plannedJSON = plannedJSON{p.Capability, orNull(p.Credential), p.Method, p.URL}
	out.Planned.Certificate = p.Certificate
	out.Planned.Headers = mapTo(p.Headers, func(h broker.Header) headerJSON { return headerJSON(h) })
	switch {
	case p.Body == nil:
	case utf8.Valid(p.Body):
		out.Planned.Body = new(string(p.Body))
	default:
		out.Planned.BodyB64 = base64.StdEncoding.EncodeToString(p.Body)
	}
	return out
}
