package registry_test

import (
	"os"
	"strings"
	"testing"

	"aivault/broker/policy"
	"aivault/broker/registry"
)

// What is documented.
const (
	documentedProviders    = 44
	documentedCapabilities = 283
)

// A documented capability is one line of testdata/documented.tsv.
type documented struct {
	id, host          string
	methods, prefixes []string
	change            string // "corrected", "left out" or empty
}

func readDocumented(t *testing.T) []documented {
	t.Helper()
	text, err := os.ReadFile("testdata/documented.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var list []documented
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := append(strings.Split(strings.TrimSpace(line), "\t"), "")
		list = append(list, documented{fields[0], fields[1], strings.Split(fields[2], ","), strings.Split(fields[3], ","), fields[4]})
	}
	if len(list) != documentedCapabilities {
		t.Fatalf("%d capabilities are documented", len(list))
	}
	return list
}

// TestDocumented finds every documented capability, with at least what is
// documented for it, unless that was found wrong and the file says so.
func TestDocumented(t *testing.T) {
	t.Parallel()
	reg := registry.Builtin()
	providers := map[string]bool{}
	for _, d := range readDocumented(t) {
		id, _, _ := strings.Cut(d.id, "/")
		p, ok := reg.Provider(id)
		if !ok {
			t.Fatalf("there is no %s", id)
		}
		providers[id] = true
		if d.change != "" && p.Notes == "" {
			t.Errorf("%s is %s, and its file does not say so", d.id, d.change)
		}
		c, _, ok := reg.Capability(d.id)
		if ok == (d.change == "left out") {
			t.Errorf("%s is %q, and is there: %t", d.id, d.change, ok)
		}
		if refused := d.refused(c); len(refused) > 0 != (d.change == "corrected") {
			t.Errorf("%s is %q, and refused is %q", d.id, d.change, refused)
		}
	}
	if len(providers) != documentedProviders {
		t.Errorf("%d providers are documented", len(providers))
	}
}

// refused lists what is documented of a capability and not allowed by it.
func (d *documented) refused(c *registry.Capability) []string {
	if c == nil {
		return nil
	}
	var list []string
	if !registry.AnyHost(c.Hosts, d.host) {
		list = append(list, d.host)
	}
	for _, method := range d.methods {
		for _, prefix := range d.prefixes {
			if strings.HasSuffix(prefix, ".") {
				prefix += "method"
			}
			for _, target := range append(d.within(prefix), prefix, strings.TrimSuffix(prefix, "/")+"/x?y=z") {
				if _, err := policy.Decide(rule(c), policy.Request{Method: method, Target: target}); err != nil {
					list = append(list, method+" "+target)
				}
			}
		}
	}
	return list
}

// within lists what is known to be under a prefix, and was taken out.
func (d *documented) within(prefix string) []string {
	var list []string
	for _, path := range []string{"/v0/meta/bases", "/gmail/v1/users/me/messages/send", "/v3/domains/x", "/item/remove", "/item/public_token/exchange"} {
		if strings.HasPrefix(path, prefix) && len(path) > len(prefix) {
			list = append(list, path)
		}
	}
	return list
}
