package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/publicsuffix"

	strategy "aivault/broker/internal/auth"
	"aivault/broker/internal/oauth"
	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
)

// rule is what a capability allows, as the broker asks it of package policy.
func rule(c *registry.Capability) policy.Rule {
	return policy.Rule{Methods: c.Methods, Paths: c.Paths, RawPaths: c.RawPaths, Except: c.Except, Headers: c.Headers, EncodedSlash: c.EncodedSlash}
}

// TestFiles holds the files to what [registry.Decode] cannot ask of every
// provider, and to what package policy accepts.
func TestFiles(t *testing.T) {
	for _, p := range decodeFiles(t) {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			day, err := time.Parse(time.DateOnly, p.VerifiedOn)
			if p.DocsURL == "" || err != nil || day.After(time.Now().AddDate(0, 0, 1)) {
				t.Errorf("docs_url or verified_on is missing, or the day is still to come: %q, %q", p.DocsURL, p.VerifiedOn)
			}
			for _, o := range p.OtherHosts {
				lintHost(t, o.Host)
			}
			for _, host := range p.Hosts {
				lintHost(t, host)
				if !slices.ContainsFunc(p.Capabilities, func(c registry.Capability) bool { return c.Hosts[0] == host }) && !slices.Contains(tokenHosts(t, p), host) {
					t.Errorf("no capability has the host %s", host)
				}
			}
			for _, h := range p.Headers {
				if _, err := policy.ParseHeaderName(h.Name); err != nil {
					t.Errorf("a caller could not send its own header %s: %v", h.Name, err)
				}
			}
			for i := range p.Credentials {
				c := &p.Credentials[i]
				var placeholders []string
				for _, slot := range c.Secrets {
					placeholders = append(placeholders, slot.Placeholder)
				}
				if err := strategy.CheckConfig(resolve.Auth(c), placeholders); err != nil {
					t.Errorf("the credential %q: %v", c.ID, err)
				}
			}
			for i := range p.Capabilities {
				lintCapability(t, p, &p.Capabilities[i])
			}
		})
	}
}

// lintHost checks a host, or the domain of a pattern: a domain under which
// anybody may register a name is nobody's.
func lintHost(t *testing.T, host string) {
	t.Helper()
	name := strings.TrimPrefix(host, "*.")
	if canonical, err := policy.ParseHost(name, false); canonical != name || err != nil {
		t.Errorf("the host %s reads as %q (%v)", host, canonical, err)
	}
	if suffix, icann := publicsuffix.PublicSuffix(name); icann && suffix == name {
		t.Errorf("%s is a zone of the public DNS", host)
	}
}

// TestClaimedOnce: a secret's name says where it goes, so no two credentials
// claim one.
func TestClaimedOnce(t *testing.T) {
	t.Parallel()
	by := map[string]string{}
	for _, p := range decodeFiles(t) {
		for _, c := range p.Credentials {
			for _, slot := range c.Secrets {
				if other := by[slot.Name]; other != "" {
					t.Errorf("%s is claimed by %s and by %s:%s", slot.Name, other, p.ID, c.ID)
				}
				by[slot.Name] = p.ID + ":" + c.ID
			}
		}
	}
	if len(by) == 0 {
		t.Error("nothing is claimed")
	}
}

// tokenHosts returns the hosts of a provider that give out tokens.
func tokenHosts(t *testing.T, p *registry.Provider) []string {
	t.Helper()
	var hosts []string
	for i := range p.Credentials {
		if p.Credentials[i].Auth.Kind != oauth.Kind {
			continue
		}
		cfg, err := oauth.ConfigOf(resolve.Auth(&p.Credentials[i]))
		if err != nil {
			t.Errorf("the credential %q: %v", p.Credentials[i].ID, err)
		}
		host, _, _ := cfg.Endpoint()
		hosts = append(hosts, host)
	}
	return hosts
}

func lintCapability(t *testing.T, p *registry.Provider, c *registry.Capability) {
	t.Helper()
	if !slices.ContainsFunc(p.Credentials, func(k registry.Credential) bool { return k.Serves(c) }) {
		t.Errorf("%s: no credential carries it", c.ID)
	}
	for _, m := range c.Methods {
		if canonical, err := policy.ParseMethod(m); canonical != m || err != nil {
			t.Errorf("%s: the method %s reads as %q (%v)", c.ID, m, canonical, err)
		}
	}
	if !slices.IsSorted(c.Methods) || !slices.IsSorted(c.Paths) || !slices.IsSorted(c.RawPaths) {
		t.Errorf("%s: methods, paths or raw_paths are not sorted", c.ID)
	}
	for _, prefix := range slices.Concat(c.Paths, c.RawPaths) {
		if canonical, err := policy.ParsePrefix(prefix); canonical != prefix || err != nil {
			t.Errorf("%s: the prefix %s reads as %q (%v)", c.ID, prefix, canonical, err)
		}
	}
	lintExample(t, c)
	for i := range p.Capabilities {
		other := &p.Capabilities[i]
		if other.ID == c.ID {
			continue
		}
		if marked := slices.Contains(c.Overlaps, other.ID); marked != overlap(c, other) {
			t.Errorf("%s overlaps %s: %t, and marked: %t", c.ID, other.ID, !marked, marked)
		}
	}
}

// lintExample sees to it that the example is a request that passes, with the body
// that its method has.
func lintExample(t *testing.T, c *registry.Capability) {
	t.Helper()
	method, target, hasExample := strings.Cut(c.Example, " ")
	if hasExample {
		if got, err := policy.Decide(rule(c), policy.Request{Method: method, Target: target}); err != nil || got.Target() != target {
			t.Errorf("%s: the example is refused or changed: %q, %v", c.ID, got.Target(), err)
		}
	} else {
		var err error
		if method, _, err = policy.Choose(rule(c), "", "", true); err != nil || c.Example != "" {
			t.Errorf("%s: it needs an example, as it has no single request", c.ID)
		}
	}
	hasBody, takesBody := c.ExampleBody != "" || len(c.ExampleParts) > 0, method == "POST" || method == "PUT" || method == "PATCH"
	if hasBody != takesBody && !(takesBody && strings.Contains(target, "?")) {
		t.Errorf("%s: the example is a %s, and has a body: %t", c.ID, method, hasBody)
	}
	if err := policy.CheckBody("", []byte(c.ExampleBody)); err != nil {
		t.Errorf("%s: the body of the example is refused: %v", c.ID, err)
	}
}

// overlap reports whether two capabilities admit a request in common.
func overlap(a, b *registry.Capability) bool {
	if a.Hosts[0] != b.Hosts[0] || !slices.ContainsFunc(a.Methods, func(m string) bool { return slices.Contains(b.Methods, m) }) {
		return false
	}
	return admitsPrefixOf(a, b) || admitsPrefixOf(b, a)
}

// admitsPrefixOf reports whether a prefix of b, or a path right under it, is
// one of a's.
func admitsPrefixOf(a, b *registry.Capability) bool {
	for _, prefix := range b.Paths {
		for _, path := range []string{prefix, strings.TrimSuffix(prefix, "/") + "/x"} {
			if _, err := policy.Decide(rule(a), policy.Request{Method: a.Methods[0], Target: path}); err == nil {
				return true
			}
		}
	}
	for _, prefix := range b.RawPaths {
		if _, err := policy.Decide(rule(a), policy.Request{Method: a.Methods[0], Target: prefix + "x"}); err == nil {
			return true
		}
	}
	return false
}

// TestRawPaths lists every prefix that does not end at a segment, as each is a
// hole by intent.
func TestRawPaths(t *testing.T) {
	t.Parallel()
	for _, p := range decodeFiles(t) {
		for _, c := range p.Capabilities {
			for _, prefix := range c.RawPaths {
				if p.ID != "slack" || !strings.HasPrefix(prefix, "/api/") || !strings.HasSuffix(prefix, ".") || strings.Count(prefix, "/") != 2 {
					t.Errorf("%s: unexpected raw prefix %s", c.ID, prefix)
				}
				for target, want := range map[string]bool{prefix + "list": true, strings.TrimSuffix(prefix, "."): false, strings.TrimSuffix(prefix, ".") + "_list": false} {
					if _, err := policy.Decide(rule(&c), policy.Request{Method: c.Methods[0], Target: target}); (err == nil) != want {
						t.Errorf("%s: %s: %v", c.ID, target, err)
					}
				}
			}
			if c.WholeHost && c.ID != "linear/storage" {
				t.Errorf("%s: unexpected whole host", c.ID)
			}
			if c.EncodedSlash && p.ID != "gitlab" {
				t.Errorf("%s: unexpected encoded slash", c.ID)
			}
		}
	}
}
