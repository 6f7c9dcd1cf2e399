package broker

import (
	"context"
	"slices"
	"strings"

	"aivault/broker/internal/auth"
	"aivault/vault"
)

// Preview implements Service. It judges a call as Stream does, but for the rate:
// that is the business of calls which are made.
func (b *Broker) Preview(ctx context.Context, call Call) (*Preview, error) {
	body, malformed := encodeBody(&call)
	var p *plan
	err := b.store.View(ctx, func(r vault.Reader) (err error) {
		p, err = b.decide(ctx, r, &call, body, malformed)
		return err
	})
	if err != nil {
		return nil, err
	}
	req := p.wireRequest(p.request)
	r, err := req.HTTP(b.cfg.Version)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, part := range p.choice.Parts {
		names[part.Placeholder] = part.Secret.Name
	}
	if err := p.strategy.Preview(&auth.Message{Request: r, Body: req.Body, Time: b.cfg.Now()}, names); err != nil {
		return nil, err
	}
	out := &Preview{Capability: p.capability.ID, Credential: p.choice.Credential, Method: req.Method, Body: req.Body}
	_, out.Secret = nameParts(p.choice.Parts)
	if _, ok := p.strategy.(auth.Certifier); ok {
		out.Certificate = "<" + out.Secret + ">"
	}
	out.URL = "https://" + req.Host + r.URL.RawPath
	if r.URL.RawQuery != "" {
		out.URL += "?" + r.URL.RawQuery
	}
	for name, values := range r.Header {
		for _, v := range values {
			out.Headers = append(out.Headers, Header{name, v})
		}
	}
	slices.SortFunc(out.Headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
