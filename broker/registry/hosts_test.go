package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
)

func TestMatchHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listed, host string
		want         bool
	}{
		{"api.acme.test", "api.acme.test", true},
		{"api.acme.test", "api.acme.test:8443", false},
		{"api.acme.test", "evil.test", false},
		{"*.acme.test", "shop.acme.test", true},
		{"*.acme.test", "acme.test", false},
		{"*.acme.test", ".acme.test", false},
		{"*.acme.test", "a.shop.acme.test", false},
		{"*.acme.test", "shop-acme.test", false},
		{"*.acme.test", "evilacme.test", false},
		{"*.acme.test", "shop.acme.test.evil.test", false},
		{"*.acme.test", "shop.acme.test:8443", false},
		{"*.acme.test", "*.acme.test", false},
		{"*.acme.test", "[::1].acme.test", false},
	} {
		if got := registry.MatchHost(c.listed, c.host); got != c.want {
			t.Errorf("%s means %s: %t", c.listed, c.host, got)
		}
	}
}

// tenants has an API at each tenant's host, and one at a host of its own.
func tenants() *registry.Provider {
	return &registry.Provider{
		ID: "acme", Hosts: []string{"*.acme.test", "api.acme.example", "queue.us-east-1.acme.example"},
		OtherHosts: []registry.OtherHost{
			{Host: "eu.acme.example", InsteadOf: "api.acme.example"},
			{Host: "queue.eu-west-2.acme.example", InsteadOf: "queue.us-east-1.acme.example"},
		},
		Credentials: []registry.Credential{{}, {Hosts: []string{"*.acme.test", "queue.us-east-1.acme.example"}}},
		Capabilities: []registry.Capability{
			{ID: "acme/account", Hosts: []string{"api.acme.example", "eu.acme.example"}},
			{ID: "acme/shop", Hosts: []string{"*.acme.test"}},
		},
	}
}

func TestProviderHosts(t *testing.T) {
	t.Parallel()
	p := tenants()
	for host, want := range map[string]bool{
		"api.acme.example": true, "eu.acme.example": true, "shop.acme.test": true,
		"acme.test": false, "us.acme.example": false, "*.acme.test": false,
	} {
		if got := p.Has(host); got != want {
			t.Errorf("it has %s: %t", host, got)
		}
	}
	if diff := cmp.Diff(p.DefaultHosts(), []string{"api.acme.example", "queue.us-east-1.acme.example"}); diff != "" {
		t.Errorf("default hosts (-got +want)\n%s", diff)
	}
	for i, want := range [][]string{{"api.acme.example", "queue.us-east-1.acme.example"}, {"queue.us-east-1.acme.example"}} {
		if diff := cmp.Diff(p.Credentials[i].DefaultHosts(p), want); diff != "" {
			t.Errorf("hosts of credential %d (-got +want)\n%s", i, diff)
		}
	}
	if got := p.Credentials[0].NeedsHost(p); got != "" {
		t.Errorf("the first credential needs a host under %s", got)
	}
	if got := p.Credentials[1].NeedsHost(p); got != "*.acme.test" {
		t.Errorf("the second credential needs a host under %q", got)
	}
}

func TestRegion(t *testing.T) {
	t.Parallel()
	p := tenants()
	for host, want := range map[string]string{
		"queue.eu-west-2.acme.example": "eu-west-2", "queue.us-east-1.acme.example": "us-east-1", "eu.acme.example": "us-east-1",
	} {
		if got := p.Region(host, "us-east-1"); got != want {
			t.Errorf("%s is in %s, want %s", host, got, want)
		}
	}
}
