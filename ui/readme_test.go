package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestREADME runs every command of the README in its order, against an
// upstream that stands in for the services that it names. The two commands
// that a newcomer starts with, and the build, are for the CI to run: they would
// run this test again.
func TestREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, commands := readmeScript(string(text))
	if commands < 25 {
		t.Fatalf("the README has %d commands only", commands)
	}
	path := filepath.Join(t.TempDir(), "readme.txtar")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	params := scriptParams()
	params.Files = []string{path}
	testscript.Run(t, params)
}

// readmeScript makes a script of the sh blocks of a README.
func readmeScript(text string) (script string, commands int) {
	var b strings.Builder
	b.WriteString("[!linux] skip 'a prompt needs a terminal of its own'\n")
	b.WriteString("upstream everywhere api.openai.com api.github.com api.example.com id.acme.example api.acme.example\n")
	b.WriteString("canary typed token.txt intranet.txt client.txt passphrase.txt ACCESS REFRESH\ncd $CANARIES\n")
	b.WriteString("exec sh -c 'cat typed typed >twice; echo {} >requests.jsonl'\n")
	inBlock := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock = line == "```sh"
			continue
		case !inBlock || !strings.HasPrefix(line, "aivault ") || strings.HasSuffix(line, "--tui"): // screens have tests of their own
			continue
		}
		commands++
		if !strings.Contains(line, "--value-file") && strings.Contains(line, "secrets create") {
			b.WriteString("ttyin -stdin twice\n")
		}
		b.WriteString("exec " + line + "\n")
		if strings.Contains(line, "secrets create") {
			b.WriteString("id ID\n")
		}
	}
	b.WriteString("received 7\n")
	return b.String(), commands
}
