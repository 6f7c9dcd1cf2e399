//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/ui/faultrun"
)

// A world is a directory with a vault in it and files that commands take, as it
// is before a command. Each run has a copy of it.
type world struct {
	exe     string
	env     []string // beside what every command has
	files   map[string][]byte
	ids     map[string]string // of secrets, by name, and of slots, by the kind of their keys
	values  map[string]string // of files, by name
	service *upstream.Server
	host    []string // flags of a credential for the service
}

const vaultDir = "vault"

// emptyWorld returns one without a vault.
func emptyWorld(t testing.TB) *world {
	t.Helper()
	w := &world{exe: binary(t), files: map[string][]byte{}, ids: map[string]string{}, values: map[string]string{}}
	for _, name := range []string{"value", "value2", "value3", "pass"} {
		w.file(name, brokertest.Word(t))
	}
	w.file("key", strings.Repeat("a5", 32))
	w.file("import.env", fmt.Sprintf("ONE=%s\nFOUR=%s\nFIVE=%s\n", w.values["value2"], w.values["value2"], w.values["value3"]))
	return w
}

func (w *world) file(name, content string) {
	w.values[name], w.files[name] = content, []byte(content)
}

// command returns what makes a command for a copy of the world.
func (w *world) command(args []string, env ...string) func(dir string) *exec.Cmd {
	return func(dir string) *exec.Cmd {
		cmd := exec.Command(w.exe, args...)
		cmd.Dir = dir
		cmd.Env = slices.Concat([]string{
			"PATH=/usr/bin:/bin", "HOME=" + dir, "AIVAULT_DIR=" + filepath.Join(dir, vaultDir), "AIVAULTD_DISABLE=1", "AIVAULT_OUTPUT=json",
		}, w.env, env)
		return cmd
	}
}

// copy writes the world into a new directory.
func (w *world) copy(t testing.TB) string {
	t.Helper()
	dir := scratch(t)
	w.write(t, dir)
	return dir
}

// write writes the world into a directory, in the place of what is there.
func (w *world) write(t testing.TB, dir string) { writeFiles(t, dir, w.files) }

// writeFiles writes files, and nil for a directory, into a directory, in the
// place of what is there.
func writeFiles(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if content == nil {
			err = errors.Join(err, os.MkdirAll(path, 0o700))
			continue
		}
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readFiles reads a directory as writeFiles writes it.
func readFiles(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			files[name] = nil
			return nil
		}
		files[name], err = os.ReadFile(path)
		if files[name] == nil && err == nil {
			files[name] = []byte{}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// run runs commands, each with its arguments, one after the other, and has the
// world be what they leave. It returns what the last one printed.
func (w *world) run(t testing.TB, commands ...[]string) (out []byte) {
	t.Helper()
	dir := w.copy(t)
	for _, args := range commands {
		cmd := w.command(args)(dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		var err error
		if out, err = cmd.Output(); err != nil {
			t.Fatalf("aivault %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
	}
	w.files = readFiles(t, dir)
	return out
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// secret stores a file as a secret, and notes its id.
func (w *world) secret(t testing.TB, name, file string, flags ...string) {
	t.Helper()
	out := w.run(t, append([]string{"secrets", "create", "--name", name, "--value-file", file}, flags...))
	w.ids[name] = uuids.FindString(string(out))
}

// furnish returns a world whose vault holds something of everything.
func furnish(t testing.TB) *world {
	t.Helper()
	w := emptyWorld(t)
	w.service = brokertest.New(t)
	w.host = []string{"--host", fmt.Sprintf("localhost:%d", w.service.Port()), "--allow-private", "--ca-cert", "ca.pem"}
	w.file("ca.pem", string(w.service.CAPEM()))
	w.file("boxes.json", boxes("boxes", "BOXES_KEY", "/v1"))
	w.file("boxes2.json", boxes("boxes", "BOXES_KEY", "/v2"))
	w.file("crates.json", boxes("crates", "CRATES_KEY", "/v1"))
	w.secret(t, "ONE", "value")
	w.secret(t, "TWO", "value", "--workspace-id", "w")
	w.secret(t, "GITHUB_TOKEN", "value3") // pinned
	w.run(t,
		[]string{"secrets", "attach-group", "--id", w.ids["TWO"], "--workspace-id", "w", "--group-id", "g"},
		w.credential("acme", "ONE"),
		[]string{"capability", "create", "acme/items", "--credential", "acme", "--method", "GET", "--path", "/items"},
		[]string{"capability", "create", "acme/things", "--credential", "acme", "--method", "GET", "--path", "/things"},
		[]string{"capability", "bind", "--capability", "acme/items", "--secret-ref", w.ids["ONE"]},
		[]string{"capability", "policy", "set", "--capability", "acme/things", "--rate-limit-per-minute", "7"},
		[]string{"provider", "add", "boxes.json"},
		[]string{"key", "add", "--provider", "file", "--file-path", vaultDir + "/other.key"},
	)
	out := w.run(t, []string{"key", "list"})
	for _, line := range regexp.MustCompile(`(?s)\{[^{}]*other\.key[^{}]*\}`).FindAllString(string(out), -1) {
		w.ids["other.key"] = uuids.FindString(line)
	}
	if w.ids["other.key"] == "" {
		t.Fatalf("the slots are %s", out)
	}
	return w
}

// boxes is a provider of an operator's own.
func boxes(id, name, path string) string {
	return fmt.Sprintf(`{"id": %q, "name": "Boxes", "hosts": ["api.acme.test"],
		"credentials": [{"id": "", "secrets": [{"placeholder": "secret", "name": %q}],
			"auth": {"kind": "header", "params": [{"name": "X-Boxes", "value": "{{secret}}"}]}}],
		"capabilities": [{"id": "%s/list", "description": "Boxes", "methods": ["GET"], "paths": [%q]}]}`, id, name, id, path)
}

// credential makes a credential of acme for the service.
func (w *world) credential(id, secret string, flags ...string) []string {
	if len(flags) == 0 {
		flags = []string{"--auth", "header"}
	}
	args := []string{"credential", "create", id, "--provider", "acme", "--secret-ref", w.ids[secret], "--value-file", "value"}
	return slices.Concat(args, flags, w.host)
}

// record runs a command that has to succeed, and returns its calls.
func (w *world) record(t testing.TB, dir string, command func(string) *exec.Cmd) (calls []faultrun.Call) {
	t.Helper()
	cmd := command(dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := faultrun.Watch{Dir: dir, Data: true, Decide: func(c faultrun.Call) faultrun.Fate {
		calls = append(calls, c)
		return faultrun.Fate{}
	}}.Run(cmd)
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out.String())
	}
	return calls
}
