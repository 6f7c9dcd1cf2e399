package ui_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// A realVault is one that the real program keeps, for an upstream of this
// machine. Whatever the program prints is kept, to look for secrets in it.
type realVault struct {
	t       *testing.T
	exe     string
	dir     string // of the vault, in a directory for the test's files
	env     []string
	host    []string // flags of a credential for the upstream
	service *upstream.Server
	secret  string
	hidden  []string     // what must not show anywhere
	printed bytes.Buffer // all that the program printed
}

// newEmptyVault returns one that is still to be made. What is in it at the end
// of the test, and what was printed, is scanned for what is hidden.
func newEmptyVault(t *testing.T, service *upstream.Server) *realVault {
	t.Helper()
	home := t.TempDir()
	v := &realVault{t: t, exe: binary(t), dir: filepath.Join(home, "vault"), service: service}
	v.env = append(os.Environ(), "AIVAULT_DIR="+v.dir, "HOME="+home, "AIVAULTD_DISABLE=1")
	v.host = []string{"--host", fmt.Sprintf("localhost:%d", service.Port()), "--allow-private", "--ca-cert", v.file("ca.pem", string(service.CAPEM()))}
	t.Cleanup(func() {
		brokertest.ScanDir(t, v.dir, v.hidden...)
		brokertest.Scan(t, "what aivault printed", v.printed.Bytes(), v.hidden...)
	})
	return v
}

// newRealVault returns one with a credential and a capability.
func newRealVault(t *testing.T, service *upstream.Server) *realVault {
	t.Helper()
	v := newEmptyVault(t, service)
	v.secret = brokertest.Word(t)
	v.hidden = append(v.hidden, v.secret)
	key := v.file("key", v.secret)
	v.credential("acme", v.create("KEY", key), key, "--auth", "header")
	v.run(nil, "capability", "create", "acme/items", "--credential", "acme", "--method", "GET", "--path", "/items")
	return v
}

// withDaemon has calls go through a daemon, which the first of them starts.
func (v *realVault) withDaemon() {
	v.env = append(v.env, "AIVAULTD_DISABLE=")
	v.t.Cleanup(func() { endDaemons(v.t, v.dir) })
}

// logged fails the test unless the audit log comes to end with what has all parts.
// A daemon records what came of a call a moment after it.
func (v *realVault) logged(parts ...string) {
	v.t.Helper()
	var out string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		out, _ = v.run(nil, "audit", "--limit", "1")
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(out, part) }) {
			return
		}
	}
	v.t.Errorf("the audit log has\n%s", out)
}

// file writes a file beside the vault.
func (v *realVault) file(name, content string) string {
	v.t.Helper()
	path := filepath.Join(filepath.Dir(v.dir), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		v.t.Fatal(err)
	}
	return path
}

// create stores what is in a file as a secret, and returns its id.
func (v *realVault) create(name, file string) string {
	v.t.Helper()
	out, _ := v.run(nil, "secrets", "create", "--name", name, "--value-file", file, "--json")
	return uuids.FindString(out)
}

// credential makes a credential of acme for the upstream.
func (v *realVault) credential(id, secret, file string, auth ...string) {
	v.t.Helper()
	v.run(nil, v.credentialArgs(id, secret, file, auth)...)
}

func (v *realVault) credentialArgs(id, secret, file string, auth []string) []string {
	args := []string{"credential", "create", id, "--provider", "acme", "--secret-ref", secret, "--value-file", file}
	return slices.Concat(args, auth, v.host)
}

// run runs a command that has to succeed, with additions to its environment.
func (v *realVault) run(env []string, args ...string) (stdout, stderr string) {
	v.t.Helper()
	out, errs, status := v.try(env, args...)
	if status != 0 {
		v.t.Fatalf("aivault %s: status %d\n%s", strings.Join(args, " "), status, errs)
	}
	return out, errs
}

// try runs a command and returns its exit status too.
func (v *realVault) try(env []string, args ...string) (stdout, stderr string, status int) {
	v.t.Helper()
	var out, errs bytes.Buffer
	cmd := v.command(args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			v.t.Fatal(err)
		}
	}
	v.printed.Write(out.Bytes())
	v.printed.Write(errs.Bytes())
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func (v *realVault) command(args ...string) *exec.Cmd {
	cmd := exec.Command(v.exe, args...)
	cmd.Env, cmd.Dir = slices.Clone(v.env), filepath.Dir(v.dir)
	return cmd
}

// refused runs a command that has to end with a status, and to say something.
func (v *realVault) refused(status int, says string, args ...string) {
	v.t.Helper()
	_, errs, got := v.try(nil, args...)
	if got != status || !strings.Contains(errs, says) {
		v.t.Errorf("aivault %s: status %d, want %d and %q\n%s", strings.Join(args, " "), got, status, says, errs)
	}
}

// An auditRow is what the tests read of an event in the audit log.
type auditRow struct {
	Kind, Outcome, Capability, Credential, SecretID, Method, Path, Note string
	SecretVersion, Status, Redactions                                   int
	Seq, IntentSeq                                                      uint64
}

// audit returns the events of a family of kinds, oldest first.
func (v *realVault) audit(kind string) []auditRow {
	v.t.Helper()
	out, _ := v.run(nil, "audit", "--json", "--kind", kind)
	var rows []auditRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		v.t.Fatal(err)
	}
	slices.Reverse(rows)
	return rows
}

// last is the request that the upstream got last, as a service sees it.
func (v *realVault) last() seen {
	v.t.Helper()
	all := v.service.Requests()
	if len(all) == 0 {
		v.t.Fatal("the upstream got nothing")
	}
	return asSeen(all[len(all)-1])
}

func asSeen(r upstream.Request) seen {
	s := seen{Method: r.Method, Host: r.Host, URI: r.URI, Body: r.Body}
	for _, h := range r.Headers {
		s.Headers = append(s.Headers, [2]string{h.Name, h.Value})
	}
	for _, c := range r.PeerCertificates {
		s.Certificates = append(s.Certificates, c.Raw)
	}
	return s
}
