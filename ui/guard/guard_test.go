package guard

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// One import more, and the guard may run after what it guards against.
func TestImportsNextToNothing(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); path != "os" && path != "syscall" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// This process has run the guard; `go test` may have been given any of them.
func TestTakesAway(t *testing.T) {
	t.Parallel()
	for _, name := range harmful() {
		if v, ok := os.LookupEnv(name); ok {
			t.Errorf("%s is %q", name, v)
		}
	}
}

// Whatever the terminal of `go test`, Bubble Tea's init must see a dumb one, and
// this package does not import what gives TERM back.
func TestDumbUntilGivenBack(t *testing.T) {
	if got := os.Getenv("TERM"); got != "dumb" {
		t.Errorf("TERM is %q", got)
	}
	GiveBackTerm()
	defer func() { _ = os.Setenv("TERM", "dumb") }()
	if got, ok := os.LookupEnv("TERM"); got != term || ok != hasTerm {
		t.Errorf("TERM is %q, %v; it was %q, %v", got, ok, term, hasTerm)
	}
}

func TestForRuntime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, value string
		want        bool
	}{
		{"GODEBUG", "http2debug=2", true},
		{"GOTRACEBACK", "crash", true},
		{"GODEBUG", "", false},
		{"SSL_CERT_FILE", "ca.pem", false},
	} {
		got := forRuntime(func(name string) string {
			if name == test.name {
				return test.value
			}
			return ""
		})
		if got != test.want {
			t.Errorf("%s=%s: %v, want %v", test.name, test.value, got, test.want)
		}
	}
	if !isTest() {
		t.Error("a test does not know that it is one")
	}
}
