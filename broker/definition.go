package broker

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"

	"aivault/broker/internal/auth"
	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
)

// decodeOwn reads an operator's definition of a provider, which may have come from
// anywhere. Beyond what the registry asks of its own, of which a test sees that
// they are good, it refuses private hosts, patterns that mean everybody's hosts,
// headers that no caller could send either, and text that does not show.
func decodeOwn(definition []byte) (*registry.Provider, error) {
	p, err := registry.Decode(definition)
	if err != nil {
		return nil, err
	}
	if err := checkProvider(p.ID); err != nil {
		return nil, err
	}
	if i := strings.IndexFunc(string(definition), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' }); i >= 0 {
		return nil, fault.New(fault.InvalidRequest, "the definition has a character that does not show, at byte %d", i)
	}
	for _, check := range []func(*registry.Provider) error{checkTexts, checkHosts, checkStatic, checkAuths, checkAllows} {
		if err := check(p); err != nil {
			return nil, fault.Wrap(fault.CodeOf(err), err, "the provider %q", p.ID)
		}
	}
	return p, nil
}

// checkTexts refuses what an escape in the JSON brought in, where people read.
func checkTexts(p *registry.Provider) error {
	texts := []string{p.Name, p.DocsURL, p.Notes}
	for _, o := range p.OtherHosts {
		texts = append(texts, o.Description)
	}
	for _, h := range p.Headers {
		texts = append(texts, h.Value)
	}
	for i := range p.Capabilities {
		c := &p.Capabilities[i]
		texts = append(append(texts, c.Description, c.Example, c.ExampleBody), c.ExampleParts...)
	}
	for i := range p.Credentials {
		for _, a := range p.Credentials[i].Auth.Params {
			texts = append(texts, a.Value)
		}
		for _, slot := range p.Credentials[i].Secrets {
			texts = append(texts, slot.LooksLike...)
		}
	}
	for _, s := range texts {
		if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fault.New(fault.InvalidRequest, "a text has a character that does not show")
		}
	}
	return nil
}

// checkHosts refuses hosts that no secret may go to: private ones, and patterns
// under a domain below which anybody can have a host.
func checkHosts(p *registry.Provider) error {
	hosts := p.AllHosts()
	for i := range p.Credentials {
		if l := p.Credentials[i].Login; l != nil {
			u, err := url.Parse(l.AuthorizationEndpoint)
			if err != nil {
				return fault.New(fault.InvalidRequest, "the authorization endpoint is no address")
			}
			hosts = append(hosts, u.Host)
		}
	}
	for _, listed := range hosts {
		name := strings.TrimPrefix(listed, "*.")
		host, err := policy.ParseHost(name, false)
		if err != nil {
			return err
		}
		if host != name {
			return fault.New(fault.InvalidRequest, "the host %s is to be written %s", name, host)
		}
		suffix, _ := publicsuffix.PublicSuffix(name)
		if registry.IsPattern(listed) && suffix == name {
			return fault.New(fault.PolicyViolation, "anybody can have a host under %s, so %s would be everybody's", name, listed).
				WithHint("list your own host under it instead")
		}
	}
	return nil
}

// checkStatic refuses static headers that a caller could not send: they would go
// around what is refused of callers.
func checkStatic(p *registry.Provider) error {
	request := policy.Request{Method: http.MethodGet, Target: "/"}
	for _, h := range p.Headers {
		request.Headers = append(request.Headers, policy.Header{Name: h.Name, Value: h.Value})
	}
	_, err := policy.Decide(policy.Rule{Methods: []string{http.MethodGet}, Paths: []string{"/"}}, request)
	return err
}

// checkAuths refuses ways to authenticate that could never be used.
func checkAuths(p *registry.Provider) error {
	for i := range p.Credentials {
		t := &p.Credentials[i]
		var placeholders []string
		for _, slot := range t.Secrets {
			placeholders = append(placeholders, slot.Placeholder)
		}
		a := resolve.Auth(t)
		if err := auth.CheckConfig(a, placeholders); err != nil {
			return fmt.Errorf("the credential %q: %w", t.ID, err)
		}
		if _, err := auth.New(a); err != nil {
			return fmt.Errorf("the credential %q: %w", t.ID, err)
		}
	}
	return nil
}

// checkAllows refuses methods, paths and headers that no capability may have, and
// such as are not written in the one way in which requests are judged.
func checkAllows(p *registry.Provider) error {
	for i := range p.Capabilities {
		c := &p.Capabilities[i]
		if err := checkID("capability", c.ID, true); err != nil {
			return err
		}
		lists := []struct {
			in    []string
			parse func(string) (string, error)
			exact bool
		}{
			{c.Methods, policy.ParseMethod, true},
			{c.Paths, policy.ParsePrefix, false},
			{c.Headers, policy.ParseHeaderName, false},
		}
		for _, l := range lists {
			for _, s := range l.in {
				canonical, err := l.parse(s)
				if err == nil && l.exact && canonical != s {
					err = fault.New(fault.InvalidRequest, "%q is to be written %q", s, canonical)
				}
				if err != nil {
					return fmt.Errorf("the capability %q: %w", c.ID, err)
				}
			}
		}
	}
	return nil
}
