package ui_test

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers says for each layer which others it may import: imports run
// ui -> broker -> vault -> keys, never back. The two leaves below keys, the
// words of failure and bytes that do not print, are for everybody.
var layers = map[string][]string{
	"main":   {"ui"},
	"ui":     {"ui", "broker", "vault", "keys"},
	"broker": {"broker", "vault"},
	"vault":  {"vault", "keys"},
	"keys":   {"keys"},
}

var leaves = []string{"aivault/keys/fault", "aivault/keys/opaque"}

// carriers are what passes keys between a client, where they live, and a daemon,
// where the vault is open: of a broker only these know what a key is.
var carriers = []string{"aivault/broker/internal/rpc", "aivault/broker/serve", "aivault/broker/remote"}

// owners says which packages, and those below them, may import what. The
// longest prefix of an import path that is listed decides.
var owners = map[string][]string{
	"go.etcd.io/bbolt":              {"aivault/vault/internal/store"},
	"github.com/zalando/go-keyring": {"aivault/keys"},
	"github.com/godbus/dbus":        {"aivault/keys"},
	"github.com/spf13/cobra":        {"aivault/ui/cli"},
	"github.com/aws":                {"aivault/broker/internal/auth"},
	"github.com/charmbracelet":      {"aivault/ui/tui", "aivault/ui/guard/release"},
	"github.com/muesli":             {"aivault/ui/tui"},
	"github.com/sahilm/fuzzy":       {"aivault/ui/tui/widget"},
	"golang.org/x/crypto":           {"aivault/keys", "aivault/vault/internal/seal"},
	"crypto":                        {"aivault/keys", "aivault/vault/internal", "aivault/broker"},
	"net/http":                      {"aivault/broker/internal", "aivault/broker/brokertest", "aivault/broker", "aivault/ui/tui/uitest"},
}

// allowed are imports of a prefix in owners that are open to everybody.
var allowed = []string{"crypto/rand", "crypto/subtle"}

func TestImportDirections(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not in PATH")
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "aivault/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages++
		for _, imported := range fields[1:] {
			checkImport(t, fields[0], imported)
		}
	}
	if packages < 10 {
		t.Errorf("go list saw %d packages only", packages)
	}
}

func checkImport(t *testing.T, from, imported string) {
	if rest, ours := strings.CutPrefix(imported, "aivault/"); ours {
		if slices.Contains(leaves, imported) {
			return
		}
		to, _, _ := strings.Cut(rest, "/")
		carried := imported == "aivault/keys" && slices.Contains(carriers, from)
		if !slices.Contains(layers[layer(from)], to) && !carried {
			t.Errorf("%s imports %s", from, imported)
		}
		if within(from, "aivault/ui/cli") && within(imported, "aivault/ui/tui") || within(from, "aivault/ui/tui") && within(imported, "aivault/ui/cli") {
			t.Errorf("%s imports %s: command line and terminal interface do not know each other", from, imported)
		}
		return
	}
	if slices.Contains(allowed, imported) {
		return
	}
	for prefix := imported; prefix != "."; prefix = path.Dir(prefix) {
		who, owned := owners[prefix]
		if !owned {
			continue
		}
		if !slices.ContainsFunc(who, func(w string) bool { return within(from, w) }) {
			t.Errorf("%s imports %s, which is for %s", from, imported, strings.Join(who, ", "))
		}
		return
	}
}

// Whatever draws on a terminal imports the package that gives TERM back: not
// only for its own tests, but so that styles which it makes at package level
// are made after that.
func TestDrawingNeedsRelease(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not in PATH")
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "aivault/ui/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	drawing := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		draws := slices.ContainsFunc(fields[1:], func(p string) bool {
			return within(p, "github.com/charmbracelet") || within(p, "github.com/muesli/termenv")
		})
		if !draws || fields[0] == "aivault/ui/guard/release" {
			continue
		}
		drawing++
		if !slices.Contains(fields[1:], "aivault/ui/guard/release") {
			t.Errorf("%s does not import aivault/ui/guard/release", fields[0])
		}
	}
	if drawing == 0 {
		t.Error("go list saw no package that draws")
	}
}

// layer is the first element of a package's path within the module.
func layer(pkg string) string {
	rest, below := strings.CutPrefix(pkg, "aivault/")
	if !below {
		return "main"
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

func within(pkg, parent string) bool { return pkg == parent || strings.HasPrefix(pkg, parent+"/") }
