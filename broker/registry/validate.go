package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Character sets of the names in a provider file.
const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// validate refuses what no provider can be. It does not ask whether the facts
// are right.
func (p *Provider) validate() error {
	switch {
	case !isName(p.ID, lower+digits+"-"):
		return errors.New("the id is not a word of lower-case letters, digits and dashes")
	case p.Name == "":
		return errors.New("the name is missing")
	case p.DocsURL != "" && !strings.HasPrefix(p.DocsURL, "https://"):
		return errors.New("docs_url is not an https address")
	case len(p.Hosts) == 0 || len(p.Credentials) == 0 || len(p.Capabilities) == 0:
		return errors.New("it needs a host, a credential and a capability")
	}
	if p.VerifiedOn != "" {
		if _, err := time.Parse(time.DateOnly, p.VerifiedOn); err != nil {
			return errors.New("verified_on is not a date such as 2006-01-02")
		}
	}
	if err := p.validateHosts(); err != nil {
		return err
	}
	for _, h := range p.Headers {
		if !isName(h.Name, upper+lower+digits+"-") || !isText(h.Value) {
			return fmt.Errorf("the header %q is malformed", h.Name)
		}
	}
	for i := range p.Capabilities {
		if err := p.Capabilities[i].validate(p); err != nil {
			return fmt.Errorf("the capability %q: %w", p.Capabilities[i].ID, err)
		}
	}
	for i := range p.Credentials {
		if err := p.Credentials[i].validate(p, i); err != nil {
			return fmt.Errorf("the credential %q: %w", p.Credentials[i].ID, err)
		}
	}
	return p.validateIDs()
}

// validateHosts refuses what is no host, and hosts that stand for none.
func (p *Provider) validateHosts() error {
	hosts := slices.Clone(p.Hosts)
	for _, o := range p.OtherHosts {
		hosts = append(hosts, o.Host)
		if !slices.Contains(p.Hosts, o.InsteadOf) {
			return fmt.Errorf("%q is instead of %q, which is none of its hosts", o.Host, o.InsteadOf)
		}
		if !isText(o.Description) {
			return fmt.Errorf("the description of %q is missing or has more than one line", o.Host)
		}
	}
	for i, host := range hosts {
		if !isHost(strings.TrimPrefix(host, "*.")) {
			return fmt.Errorf("%q is no host name in lower case", host)
		}
		for j, other := range hosts {
			if j != i && (host == other || MatchHost(host, other)) {
				return fmt.Errorf("the host %q is there twice", other)
			}
		}
	}
	return nil
}

// validateIDs refuses ids that occur twice, and references to none.
func (p *Provider) validateIDs() error {
	var capabilities, credentials []string
	for i := range p.Capabilities {
		capabilities = append(capabilities, p.Capabilities[i].ID)
	}
	for i := range p.Credentials {
		credentials = append(credentials, p.Credentials[i].ID)
	}
	if !slices.IsSorted(capabilities) {
		return errors.New("the capabilities are not sorted by id")
	}
	if repeated(capabilities) || repeated(credentials) {
		return errors.New("an id is there twice")
	}
	var refs []string
	for i := range p.Capabilities {
		refs = append(refs, p.Capabilities[i].Overlaps...)
	}
	for i := range p.Credentials {
		refs = append(refs, p.Credentials[i].Capabilities...)
	}
	for _, id := range refs {
		if !slices.Contains(capabilities, id) {
			return fmt.Errorf("it has no capability %q", id)
		}
	}
	return nil
}

func (c *Capability) validate(p *Provider) error {
	name, ok := strings.CutPrefix(c.ID, p.ID+"/")
	switch {
	case !ok || !isName(name, lower+digits+"-_"):
		return errors.New("the id is not the provider's, a slash, and a lower-case name")
	case !isText(c.Description):
		return errors.New("the description is missing or has more than one line")
	case len(c.Hosts) == 0 || !slices.Contains(p.Hosts, c.Hosts[0]) || !slices.Equal(c.Hosts, p.family(c.Hosts[0])):
		return errors.New("it needs exactly one of the provider's hosts")
	case len(c.Methods) == 0 || repeated(c.Methods):
		return errors.New("it needs methods, each once")
	case len(c.Paths)+len(c.RawPaths) == 0 || repeated(c.Paths) || repeated(c.RawPaths):
		return errors.New("it needs paths or raw_paths, each once")
	case c.WholeHost != slices.Contains(c.Paths, "/"):
		return errors.New("whole_host and the path / go together")
	case slices.Contains(c.RawPaths, "/"):
		return errors.New("a raw path is /")
	}
	for _, m := range c.Methods {
		if !isName(m, upper) {
			return fmt.Errorf("%q is no method in upper case", m)
		}
	}
	for _, path := range slices.Concat(c.Paths, c.RawPaths, c.Except) {
		if !isPath(path) {
			return fmt.Errorf("%q is no path prefix", path)
		}
	}
	for _, path := range c.Except {
		if !slices.ContainsFunc(slices.Concat(c.Paths, c.RawPaths), func(p string) bool { return p != path && strings.HasPrefix(path, p) }) {
			return fmt.Errorf("%q is excepted from nothing", path)
		}
	}
	for _, h := range c.Headers {
		if !isName(h, upper+lower+digits+"-") {
			return fmt.Errorf("%q is no header name", h)
		}
	}
	return c.validateExample()
}

// validateExample refuses a body that is none, and one without a request.
func (c *Capability) validateExample() error {
	switch {
	case c.ExampleBody != "" && len(c.ExampleParts) > 0:
		return errors.New("example_body and example_parts exclude each other")
	case c.ExampleBody != "" && !json.Valid([]byte(c.ExampleBody)) && !IsForm(c.ExampleBody):
		return errors.New("example_body is neither JSON nor fields of a form")
	}
	for _, part := range c.ExampleParts {
		if field, value, ok := strings.Cut(part, "="); !ok || !isName(field, upper+lower+digits+"-_[].") || !isText(value) {
			return fmt.Errorf("%q is no part such as FIELD=VALUE or FIELD=@FILE", part)
		}
	}
	return nil
}

// IsForm reports whether the body of an example is fields of a form
// (application/x-www-form-urlencoded) with at least one value.
func IsForm(body string) bool {
	values, err := url.ParseQuery(body)
	return err == nil && isText(body) && !strings.ContainsAny(body, " \"{") && strings.Contains(body, "=") && len(values) > 0
}

func (c *Credential) validate(p *Provider, index int) error {
	switch {
	case (c.ID == "") != (index == 0):
		return errors.New("the first credential, and no other, has an empty id")
	case c.ID != "" && !isName(c.ID, lower+digits+"-"):
		return errors.New("the id is not a word of lower-case letters, digits and dashes")
	case c.ID == "ws" || c.ID == "group":
		return errors.New("the id is a word that credential ids use for scopes")
	case len(c.Secrets) == 0:
		return errors.New("it needs a secret")
	case c.Capabilities != nil && len(c.Capabilities) == 0 || repeated(c.Capabilities):
		return errors.New("capabilities is empty or repeats one; leave it out for all")
	}
	var placeholders, names []string
	for _, slot := range c.Secrets {
		if !isName(slot.Placeholder, lower+"_") || !isName(slot.Name, upper+digits+"_") {
			return fmt.Errorf("the secret %q or its placeholder is malformed", slot.Name)
		}
		if slices.ContainsFunc(slot.LooksLike, func(s string) bool { return !isText(s) || strings.Contains(s, " ") }) || repeated(slot.LooksLike) {
			return fmt.Errorf("what values of %q look like is malformed", slot.Name)
		}
		placeholders = append(placeholders, slot.Placeholder)
		names = append(names, slot.Name)
	}
	if repeated(placeholders) || repeated(names) {
		return errors.New("a secret or a placeholder is there twice")
	}
	hosts := p.Hosts
	if c.Hosts != nil {
		hosts = c.Hosts
	}
	if len(hosts) == 0 || repeated(hosts) || slices.ContainsFunc(hosts, func(h string) bool { return !slices.Contains(p.Hosts, h) }) {
		return errors.New("hosts is empty, repeats one, or has one that is not the provider's; leave it out for all")
	}
	if err := c.Auth.validate(placeholders, hosts); err != nil || c.Login == nil {
		return err
	}
	return c.validateLogin()
}

// validateLogin refuses a login that could not be made.
func (c *Credential) validateLogin() error {
	l := c.Login
	if c.Auth.Kind != "oauth2" || !slices.Contains(c.Auth.Params, Param{"grant_type", "refresh_token"}) {
		return errors.New("a login is for oauth2 by refresh_token")
	}
	host, path, _ := strings.Cut(strings.TrimPrefix(l.AuthorizationEndpoint, "https://"), "/")
	if !strings.HasPrefix(l.AuthorizationEndpoint, "https://") || !isHost(host) || !isPath("/"+path) {
		return errors.New("the authorization endpoint is no https address of a path")
	}
	if slices.ContainsFunc(l.Scopes, func(s string) bool { return !isText(s) || strings.ContainsAny(s, ` "\`) }) || repeated(l.Scopes) {
		return errors.New("a scope is malformed, or there twice")
	}
	for _, p := range l.Params {
		if !isName(p.Name, lower+"_") || !isText(p.Value) {
			return fmt.Errorf("the parameter %q of the login is malformed", p.Name)
		}
	}
	return nil
}

// isName reports whether s is not empty, has only characters of the set, and
// begins with none but a letter or a digit.
func isName(s, set string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, set) == "" && s[0] != '-' && s[0] != '_'
}

// isText reports whether s is one line of text.
func isText(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// isHost reports whether s is a host name of two labels or more.
func isHost(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !isName(label, lower+digits+"-") || len(label) > 63 || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return len(labels) > 1 && len(s) <= 253 && strings.Trim(labels[len(labels)-1], digits) != ""
}

// isPath reports whether s is a path prefix that needs no escapes.
func isPath(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.Trim(s, upper+lower+digits+"-._~:/") != "" {
		return false
	}
	for segment := range strings.SplitSeq(strings.Trim(s, "/"), "/") {
		if s != "/" && strings.Trim(segment, ".") == "" {
			return false
		}
	}
	return !strings.Contains(s, "//")
}

func repeated(list []string) bool {
	for i, s := range list {
		if slices.Contains(list[:i], s) {
			return true
		}
	}
	return false
}
