package ui_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
)

// A fixture is one world of scope-vectors.json, with its cases.
type fixture struct {
	Name, Capability, Provider string
	Secrets                    []struct {
		Key, Name, Scope, WS, Group string
		Attached                    [][2]string
		AttachedOnly                bool `json:"attached_only"`
	}
	Credentials []struct {
		ID, Provider, Secret, WS, Group string
		Auto                            bool
	}
	Bindings []struct{ Capability, Secret, Scope, WS, Group, Consumer string }
	Cases    []struct {
		Context struct{ WS, Group, Consumer, Credential string }
		Expect  struct {
			Credential, Secret string
			Error              fault.Code
		}
	}
}

// TestScopeVectors runs every worked case of scope resolution through the
// command line, with real TLS: what a person would type, what a program reads,
// and what the upstream received.
func TestScopeVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "broker", "testdata", "scope-vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var fixtures []fixture
	if err := json.Unmarshal(data, &fixtures); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, f := range fixtures {
		cases += len(f.Cases)
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.run(t)
		})
	}
	if cases != 82 {
		t.Errorf("%d cases, want 82", cases)
	}
}

// A cliWorld is a vault that is used through the command line only: that of the
// real program, or, for a provider of the registry, that of the test binary,
// which reaches the upstream under the provider's name.
type cliWorld struct {
	t       *testing.T
	exe     string
	host    []string // flags of a credential for the upstream
	dir     string
	env     []string
	service *upstream.Server
	values  map[string]string // of the secrets, by key
	ids     map[string]string
}

func newWorld(t *testing.T, registry bool) *cliWorld {
	dir := t.TempDir()
	w := &cliWorld{t: t, dir: dir, values: map[string]string{}, ids: map[string]string{}}
	w.service = brokertest.New(t, "localhost", "api.openai.com")
	w.service.Handle(func(rw http.ResponseWriter, r *http.Request) {
		for key, value := range w.values {
			if r.Header.Get("Authorization") == "Bearer "+value {
				_, _ = fmt.Fprintf(rw, "{\"secret\":%q}", key)
				return
			}
		}
		_, _ = rw.Write([]byte(`{"secret":"none that is known"}`))
	})
	ca := w.file("ca.pem", string(w.service.CAPEM()))
	w.env = append(os.Environ(), "AIVAULT_DIR="+filepath.Join(dir, "vault"), "HOME="+dir, "AIVAULTD_DISABLE=1")
	if !registry {
		w.exe = binary(t)
		w.host = []string{"--host", fmt.Sprintf("localhost:%d", w.service.Port()), "--allow-private", "--ca-cert", ca}
		return w
	}
	exe, err := exec.LookPath("aivault")
	if err != nil {
		t.Fatal(err)
	}
	w.exe = exe
	w.env = append(w.env, varUpstream+"="+w.service.Addr(), varRoots+"="+ca)
	return w
}

func (w *cliWorld) file(name, content string) string {
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// aivault runs a command with --json and returns its output and exit status.
func (w *cliWorld) aivault(args ...string) (stdout, stderr []byte, status int) {
	w.t.Helper()
	cmd := exec.Command(w.exe, append(args, "--json")...)
	cmd.Env = w.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			w.t.Fatal(err)
		}
	}
	return out.Bytes(), errs.Bytes(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed.
func (w *cliWorld) must(args ...string) []byte {
	w.t.Helper()
	out, errs, status := w.aivault(args...)
	if status != 0 {
		w.t.Fatalf("aivault %s: status %d\n%s", strings.Join(args, " "), status, errs)
	}
	return out
}

// in returns the flags of a scope or context.
func in(ws, group string) []string {
	var flags []string
	if ws != "" {
		flags = append(flags, "--workspace-id", ws)
	}
	if group != "" {
		flags = append(flags, "--group-id", group)
	}
	return flags
}

// build makes the world of a fixture, and returns the capability to call.
func (w *cliWorld) build(f *fixture) string {
	for _, s := range f.Secrets {
		name := s.Name
		if name == "" {
			name = "KEY_" + s.Key
		}
		w.values[s.Key] = brokertest.Word(w.t)
		args := append([]string{"secrets", "create", "--name", name, "--scope", s.Scope, "--value-file", w.file(s.Key, w.values[s.Key])}, in(s.WS, s.Group)...)
		if s.AttachedOnly {
			args = append(args, "--attached-only")
		}
		var made struct{ SecretID string }
		if err := json.Unmarshal(w.must(args...), &made); err != nil {
			w.t.Fatal(err)
		}
		w.ids[s.Key] = made.SecretID
		for _, g := range s.Attached {
			w.must(append([]string{"secrets", "attach-group", "--id", made.SecretID}, in(g[0], g[1])...)...)
		}
	}
	for _, c := range f.Credentials {
		if c.Auto {
			continue // the registry makes it
		}
		args := []string{"credential", "create", c.ID, "--provider", c.Provider, "--secret-ref", w.ids[c.Secret], "--value-file", filepath.Join(w.dir, c.Secret)}
		if c.Provider != "openai" {
			args = append(args, "--auth", "header")
			args = append(args, w.host...)
		}
		w.must(append(args, in(c.WS, c.Group)...)...)
	}
	if f.Capability != "" {
		return f.Capability
	}
	w.must("capability", "create", "acme/items", "--provider", "acme", "--host", w.host[1], "--method", "GET", "--path", "/items")
	return "acme/items"
}

func (f *fixture) run(t *testing.T) {
	w := newWorld(t, f.Provider != "")
	capability := w.build(f)
	for _, b := range f.Bindings {
		target := b.Capability
		if target == "" {
			target = capability
		}
		args := append([]string{"capability", "bind", "--capability", target, "--secret-ref", w.ids[b.Secret], "--scope", b.Scope, "--value-file", filepath.Join(w.dir, b.Secret)}, in(b.WS, b.Group)...)
		if b.Consumer != "" {
			args = append(args, "--consumer", b.Consumer)
		}
		w.must(args...)
	}
	for i, c := range f.Cases {
		args := append([]string{"json", capability}, in(c.Context.WS, c.Context.Group)...)
		if c.Context.Consumer != "" {
			args = append(args, "--consumer", c.Context.Consumer)
		}
		if c.Context.Credential != "" {
			args = append(args, "--credential", c.Context.Credential)
		}
		before := len(w.service.Requests())
		out, errs, status := w.aivault(args...)
		name := fmt.Sprintf("case %d: %+v", i, c.Context)
		if c.Expect.Error != "" {
			var failed struct{ Error struct{ Code fault.Code } }
			if err := json.Unmarshal(errs, &failed); err != nil || failed.Error.Code != c.Expect.Error || status == 0 {
				t.Errorf("%s: status %d, %s; want error %s", name, status, errs, c.Expect.Error)
			}
			if got := len(w.service.Requests()); got != before {
				t.Errorf("%s: a refused call reached the upstream", name)
			}
			continue
		}
		var answer struct {
			Planned  struct{ Credential string }
			Response struct{ JSON struct{ Secret string } }
		}
		if err := json.Unmarshal(out, &answer); err != nil || status != 0 {
			t.Errorf("%s: status %d, %s", name, status, errs)
			continue
		}
		if answer.Response.JSON.Secret != c.Expect.Secret || answer.Planned.Credential != c.Expect.Credential {
			t.Errorf("%s: secret %q by credential %q, want %q by %q", name,
				answer.Response.JSON.Secret, answer.Planned.Credential, c.Expect.Secret, c.Expect.Credential)
		}
	}
	w.scan()
}

// scan looks for the values in the vault, and wherever else the commands wrote.
func (w *cliWorld) scan() {
	values := make([]string, 0, len(w.values))
	for _, v := range w.values {
		values = append(values, v)
	}
	slices.Sort(values)
	brokertest.ScanDir(w.t, filepath.Join(w.dir, "vault"), values...)
}
