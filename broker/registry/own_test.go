package registry_test

import (
	"slices"
	"strings"
	"testing"

	"aivault/broker/registry"
)

// An operator's own providers stand beside the built-in ones, whose names and ids
// stay theirs.
func TestWith(t *testing.T) {
	t.Parallel()
	reg := registry.Builtin().With([]registry.Own{
		{ID: "acme", Claims: []string{"ACME_KEY", "OPENAI_API_KEY"}, Definition: []byte(small)},
		{ID: "torn", Claims: []string{"TORN_KEY"}, Definition: []byte(small[:100])},
		{ID: "another", Claims: []string{"ANOTHER_KEY"}, Definition: []byte(small)},
	})
	p, ok := reg.Provider("acme")
	if !ok || p.Name != "Acme" || !reg.IsOwn("acme") || reg.IsOwn("openai") {
		t.Errorf("it has %+v, %t", p, ok)
	}
	if again, _ := reg.Provider("acme"); again != p {
		t.Error("it is decoded again")
	}
	for _, id := range []string{"torn", "another"} {
		if p, ok := reg.Provider(id); ok {
			t.Errorf("%s, which cannot be read as that, is %+v", id, p)
		}
	}
	for name, want := range map[string]string{"ACME_KEY": "acme", "OPENAI_API_KEY": "openai", "TORN_KEY": "torn", "NOBODYS": ""} {
		if got, ok := reg.Claim(name); got != want || ok != (want != "") {
			t.Errorf("%s is claimed by %q", name, got)
		}
	}
	if c, p, ok := reg.Capability("acme/items"); !ok || c.ID != "acme/items" || p.ID != "acme" {
		t.Errorf("the capability is %v", c)
	}
	if _, _, ok := reg.Capability("openai/chat-completions"); !ok {
		t.Error("a built-in capability is gone")
	}
	ids := reg.Providers()
	if !slices.IsSorted(ids) || len(ids) != len(registry.Builtin().Providers())+3 {
		t.Errorf("ids are %q", ids)
	}
}

// A provider that comes with a later version moves no secret that was stored for
// an operator's own of that id.
func TestWithAnIDThatCameLater(t *testing.T) {
	t.Parallel()
	mine := strings.NewReplacer(`"id": "acme"`, `"id": "openai"`, `"acme/`, `"openai/`).Replace(small)
	reg := registry.Builtin().With([]registry.Own{{ID: "openai", Claims: []string{"ACME_KEY"}, Definition: []byte(mine)}})
	p, ok := reg.Provider("openai")
	if !ok || !slices.Equal(p.Hosts, []string{"api.acme.test"}) {
		t.Errorf("secrets of openai go to %v", p)
	}
	if n := len(reg.Providers()); n != len(registry.Builtin().Providers()) {
		t.Errorf("%d providers", n)
	}
	broken := registry.Builtin().With([]registry.Own{{ID: "openai", Definition: []byte("{")}})
	if p, ok := broken.Provider("openai"); ok {
		t.Errorf("secrets of one that cannot be read go to %v", p.Hosts)
	}
}
