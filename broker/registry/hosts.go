package registry

import (
	"slices"
	"strings"
)

// IsPattern reports whether a host is a pattern of tenants' hosts.
func IsPattern(host string) bool { return strings.HasPrefix(host, "*.") }

// MatchHost reports whether a host, in canonical form, is one that a provider's
// list means: that host itself, or one label in front of what a pattern has
// after its asterisk. The name after the asterisk alone does not match, as it is
// nobody's tenant.
func MatchHost(listed, host string) bool {
	domain, pattern := strings.CutPrefix(listed, "*")
	if !pattern {
		return listed == host
	}
	label, ok := strings.CutSuffix(host, domain)
	return ok && label != "" && !strings.ContainsAny(label, ".*:[]")
}

// AnyHost reports whether a host is one that a list means.
func AnyHost(list []string, host string) bool {
	return slices.ContainsFunc(list, func(listed string) bool { return MatchHost(listed, host) })
}

// Has reports whether a host is one of the provider's, by name, by pattern, or
// as one that a credential may name.
func (p *Provider) Has(host string) bool {
	return AnyHost(p.Hosts, host) ||
		slices.ContainsFunc(p.OtherHosts, func(o OtherHost) bool { return MatchHost(o.Host, host) })
}

// AllHosts returns the provider's hosts, and those that a credential may name
// instead of one.
func (p *Provider) AllHosts() []string {
	hosts := slices.Clone(p.Hosts)
	for _, o := range p.OtherHosts {
		hosts = append(hosts, o.Host)
	}
	return hosts
}

// DefaultHosts returns the provider's hosts that nobody has to name. It is empty
// where each credential has to name its own.
func (p *Provider) DefaultHosts() []string {
	if !slices.ContainsFunc(p.Hosts, IsPattern) {
		return p.Hosts
	}
	return slices.DeleteFunc(slices.Clone(p.Hosts), IsPattern)
}

// DefaultHosts returns the hosts that the credential is for if it names none.
func (c *Credential) DefaultHosts(p *Provider) []string {
	if c.Hosts == nil {
		return p.DefaultHosts()
	}
	return slices.DeleteFunc(slices.Clone(c.Hosts), IsPattern)
}

// At reports whether the credential is for one of the hosts that a capability
// admits, whoever made that.
func (c *Credential) At(hosts []string) bool {
	return c.Hosts == nil || slices.ContainsFunc(hosts, func(h string) bool { return slices.Contains(c.Hosts, h) || AnyHost(c.Hosts, h) })
}

// Serves reports whether the credential is good for a capability of its
// provider, by name and by host.
func (c *Credential) Serves(what *Capability) bool {
	return c.Carries(what.ID) && c.At(what.Hosts)
}

// NeedsHost reports whether a credential has to name a host to be good for the
// capability.
func (c *Capability) NeedsHost() bool { return len(c.Hosts) > 0 && IsPattern(c.Hosts[0]) }

// NeedsHost returns a pattern under which a credential has to name a host before
// it is good for anything; empty if it need not.
func (c *Credential) NeedsHost(p *Provider) string {
	pattern := ""
	for i := range p.Capabilities {
		switch what := &p.Capabilities[i]; {
		case !c.Serves(what):
		case !what.NeedsHost():
			return ""
		case pattern == "":
			pattern = what.Hosts[0]
		}
	}
	return pattern
}

// family returns a host of the provider's, and after it those that a credential
// may name instead.
func (p *Provider) family(host string) []string {
	list := []string{host}
	for _, o := range p.OtherHosts {
		if o.InsteadOf == host {
			list = append(list, o.Host)
		}
	}
	return list
}

// Region returns the region of a host, for a credential whose Auth names the
// region of the host that it stands for: what the host has in place of that
// label. Where there is no such place it is the region of the Auth.
func (p *Provider) Region(host, region string) string {
	labels := strings.Split(host, ".")
	for _, o := range p.OtherHosts {
		usual := strings.Split(o.InsteadOf, ".")
		if i := slices.Index(usual, region); i >= 0 && MatchHost(o.Host, host) && len(labels) == len(usual) {
			return labels[i]
		}
	}
	return region
}
