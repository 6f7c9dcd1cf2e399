package registry_test

import (
	"testing"

	"aivault/broker/policy"
	"aivault/broker/registry"
)

// A limit is a request that a capability must let pass, or must not.
type limit struct {
	id, method, target string
	want               bool
}

// checkLimits asks of capabilities what they must let pass, and what is next to
// that and must not.
func checkLimits(t *testing.T, limits []limit) {
	t.Helper()
	reg := registry.Builtin()
	for _, c := range limits {
		what, _, ok := reg.Capability(c.id)
		if !ok {
			t.Errorf("there is no %s", c.id)
			continue
		}
		if _, err := policy.Decide(rule(what), policy.Request{Method: c.method, Target: c.target}); (err == nil) != c.want {
			t.Errorf("%s: %s %s: %v", c.id, c.method, c.target, err)
		}
	}
}
