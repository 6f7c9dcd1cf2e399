package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

// An env is an environment without a home, a keyring or a terminal.
func env(t testing.TB, stdin string, stdout, stderr io.Writer) *app.Env {
	nowhere := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(nowhere, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return &app.Env{
		Stdin: strings.NewReader(stdin), Stdout: stdout, Stderr: stderr, Now: time.Now,
		Getenv:     func(name string) string { return map[string]string{"AIVAULT_DIR": nowhere}[name] },
		IsTerminal: func(any) bool { return false },
		OpenTTY:    func() (in, out *os.File, err error) { return nil, nil, os.ErrNotExist },
		Home:       func() (string, error) { return "", os.ErrNotExist },
		Executable: func() (string, error) { return "", os.ErrNotExist },
		Keyring:    func(time.Duration) keys.Keyring { return nil },
		KDF:        keys.DefaultKDF,
	}
}

// Every command explains itself in at most 80 columns, by prose and examples,
// none of which puts a value where others see it.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	plainValue := regexp.MustCompile(`--(value|entry|passphrase)([ =]|$)`)
	var help bytes.Buffer
	sh := &shell{env: env(t, "", &help, io.Discard)}
	sh.out = newOutput(sh.env, false)
	seen := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			seen++
			name := c.CommandPath()
			if c.Short == "" || c.Long == "" || c.Example == "" && !c.HasSubCommands() {
				t.Errorf("%s: summary, prose or examples are missing", name)
			}
			if plainValue.MatchString(c.Example) {
				t.Errorf("%s: an example shows a value", name)
			}
			help.Reset()
			sh.help(c, nil)
			for line := range strings.Lines(help.String()) {
				// What stands in quotes stays in one line.
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > wrapAt && !strings.Contains(line, "'{") {
					t.Errorf("%s: a line of %d columns: %s", name, n, line)
				}
			}
			walk(c)
		}
	}
	walk(sh.root([]string{"help"}))
	if seen < 30 {
		t.Errorf("%d commands were seen only", seen)
	}
}

// A crash says where it was, and nothing that may be a secret.
// Case 155.
func TestCrash(t *testing.T) {
	t.Parallel()
	after := func(f func()) (err error) {
		defer func() { err = crash(recover()) }()
		f()
		return nil
	}
	const canary = "canary-in-a-panic"
	err := after(func() { panic("reading " + canary) })
	if strings.Contains(err.Error(), canary) || fault.CodeOf(err) != fault.Internal {
		t.Errorf("error %q with code %s", err, fault.CodeOf(err))
	}
	var list []int
	err = after(func() { list[7]++ })
	if !strings.Contains(err.Error(), "index out of range") || !strings.Contains(err.Error(), "TestCrash") {
		t.Errorf("error %q does not say what and where", err)
	}
}

// A command of another group is made as far as help needs it only.
func TestMakesOneGroupOnly(t *testing.T) {
	t.Parallel()
	sh := &shell{env: env(t, "", io.Discard, io.Discard)}
	sh.out = newOutput(sh.env, false)
	for _, c := range sh.root([]string{"secrets", "list"}).Commands() {
		if c.HasSubCommands() != (c.Name() == "secrets") {
			t.Errorf("%s has commands: %v", c.Name(), c.HasSubCommands())
		}
	}
}

func TestShortIDs(t *testing.T) {
	t.Parallel()
	id := func(s string) vault.ID {
		id, err := vault.ParseSecretRef(s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	self := func(id vault.ID) vault.ID { return id }
	for _, test := range []struct {
		ids  []vault.ID
		want []string
	}{
		{nil, []string{}},
		{[]vault.ID{id("01234567-0000-4000-8000-000000000000")}, []string{"01234567"}},
		{
			[]vault.ID{id("01234567-89ab-4000-8000-000000000000"), id("fedcba98-0000-4000-8000-000000000000"), id("01234567-89cd-4000-8000-000000000000")},
			[]string{"01234567-89a", "fedcba98-000", "01234567-89c"},
		},
		{[]vault.ID{id("01234567-89ab-4000-8000-000000000000"), id("01234567-89ab-4000-8000-000000000000")}, []string{"01234567", "01234567"}},
	} {
		if diff := cmp.Diff(test.want, shortIDs(test.ids, self)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.ids, diff)
		}
	}
}

// How a credential authenticates shows as it is documented, for each kind.
func TestToAuth(t *testing.T) {
	t.Parallel()
	kinds := map[string]bool{}
	for _, test := range []struct {
		kind  string
		flags broker.AuthFlags
		want  string
	}{
		{"header", broker.AuthFlags{}, `{"header":{"header_name":"authorization","value_template":"Bearer {{secret}}"}}`},
		{"query", broker.AuthFlags{}, `{"query":{"param_name":"api_key"}}`},
		{"path", broker.AuthFlags{}, `{"path":{"prefix_template":"/bot{{secret}}"}}`},
		{"basic", broker.AuthFlags{}, `"basic"`},
		{
			"multi-header",
			broker.AuthFlags{AuthHeaders: []string{"x-b={{b}}", "x-a=1"}},
			`{"multi_header":[{"header_name":"x-b","value_template":"{{b}}"},{"header_name":"x-a","value_template":"1"}]}`,
		},
		{"multi-query", broker.AuthFlags{AuthQuery: []string{"b=k={{b}}"}}, `{"multi_query":[{"param_name":"b","value_template":"k={{b}}"}]}`},
		{
			"oauth2",
			broker.AuthFlags{TokenEndpoint: "https://a.test/t"},
			`{"o_auth2":{"grant_type":"refresh_token","token_endpoint":"https://a.test/t","scopes":[]}}`,
		},
		{
			"o-auth2",
			broker.AuthFlags{TokenEndpoint: "https://a.test/t", GrantType: "client_credentials", Scopes: []string{"x y", "z"}, ClientAuth: "body"},
			`{"o_auth2":{"grant_type":"client_credentials","token_endpoint":"https://a.test/t","scopes":["x","y","z"],"client_auth":"body"}}`,
		},
		{"aws-sigv4", broker.AuthFlags{}, `{"aws_sig_v4":{"service":"s3","region":"us-east-1"}}`},
		{"hmac", broker.AuthFlags{}, `{"hmac":{"algorithm":"sha256","header_name":"x-signature","value_template":"sha256={{signature}}"}}`},
		{"mtls", broker.AuthFlags{}, `"mtls"`},
	} {
		a, err := broker.ParseAuth(test.kind, test.flags)
		if err != nil {
			t.Fatal(err)
		}
		kinds[a.Kind] = true
		got, err := json.Marshal(toAuth(a))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, want %s", test.kind, got, test.want)
		}
	}
	if len(kinds) != 10 {
		t.Errorf("%d kinds were seen", len(kinds))
	}
	// The registry has basic authentication of two secrets.
	if got := toAuth(vault.Auth{Kind: "basic", Params: []vault.Param{{Name: "username", Value: "{{u}}"}, {Name: "password", Value: "{{p}}"}}}); got != "basic" {
		t.Errorf("basic of two secrets: %v", got)
	}
}

// Columns line up, wide characters included, and what could drive the terminal
// is shown.
func TestTable(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := newOutput(env(t, "", &b, io.Discard), false)
	o.table([][]cell{
		heading("NAME", "SCOPE", ""), cells("a", "global", ""), cells("鍵", "workspace:w", "x"), {{"  alone, and longer than a column", dim}}, cells("\x1b[2J", "g", "y"),
	})
	want := "NAME     SCOPE\na        global\n鍵       workspace:w  x\n  alone, and longer than a column\n\\x1b[2J  g            y\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func FuzzParseEntries(f *testing.F) {
	for _, seed := range []string{
		"", "A=b", "export A=b\n#c\n\nB='x y'\r\n", "A=\"", "A=\"\"", "=x", "A", "\ufeffA=b", "A=b=c", "A = 'it''s'", "A='\"'",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseEntries(data)
		if err != nil {
			if fault.CodeOf(err) != fault.InvalidRequest {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, e := range list {
			if e.Name == "" || strings.ContainsAny(e.Name, "=\n") || bytes.ContainsRune(e.Value.Reveal(), '\n') {
				t.Errorf("entry %q", e.Name)
			}
			if !bytes.Contains(data, e.Value.Reveal()) {
				t.Errorf("the value of %q is not in the file", e.Name)
			}
		}
	})
}

// Whatever the arguments are, there is no crash, and a status that is known.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		"", "status", "--json", "secrets list --workspace-id w", "secrets create --name A --value-stdin", "help secrets", "__complete secrets ",
		"invoke a/b --header x", "capability bind --capability a --secret-ref b", "audit --limit 1 --limit 2", "-v -- status", "credential create a --auth header --host b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, other := range []string{"demo", "file", "cert", "fd", "init", "/", "follow", "login"} { // no files of this machine
			if strings.Contains(line, other) && line != "invoke a/b --header x" {
				t.Skip()
			}
		}
		var out, errs bytes.Buffer
		switch status := Main(t.Context(), env(t, "made-up", &out, &errs), strings.Fields(line)); status {
		case 0, 2, 3, 5, 6, 7, 8, 9:
		default:
			t.Errorf("%q: status %d\n%s", line, status, errs.String())
		}
	})
}

// A command that is ended while it waits says so in words.
func TestCanceledInWords(t *testing.T) {
	t.Parallel()
	for _, err := range []error{context.Canceled, fmt.Errorf("reading: %w", context.Canceled)} {
		if e := toError(err); e.Code != fault.Canceled || strings.Contains(e.Message, "context") {
			t.Errorf("%+v", e)
		}
	}
}
