//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A picture is what a vault holds, but for ids, times and values.
type picture struct {
	Things []string
	Events []string // oldest first
}

// anOlderCopy is all that a vault shows that is known to be one.
const anOlderCopy = "an older copy"

// fresh is the name of a key file that a rotation made.
var fresh = regexp.MustCompile(`^kek-[0-9a-f]{8}\.key$`)

// open returns the vault of a copy of the world, used from this process.
func (w *world) open(dir string) *vault.Local {
	root := filepath.Join(dir, vaultDir)
	opts := vaulttest.Options(root)
	opts.Claims = registry.Builtin()
	opts.Keys.Getenv = func(name string) string {
		for _, v := range w.env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	opts.Keys.Ask = keystest.Answer(w.values["pass"])
	return vault.New(opts)
}

// take makes a picture. An absent vault is one that holds nothing.
func take(ctx context.Context, l *vault.Local) (p picture, err error) {
	err = l.Unlock(ctx)
	if fault.CodeOf(err) == fault.VaultRollback {
		return picture{Things: []string{anOlderCopy}}, nil
	}
	if err != nil {
		return p, err
	}
	st, err := l.Status(ctx)
	if err != nil || !st.Initialized {
		return p, err
	}
	for _, s := range st.Slots {
		p.Things = append(p.Things, "slot "+string(s.Key.Kind)+" "+fresh.ReplaceAllString(filepath.Base(s.Key.Path), "kek-NEW.key")+map[bool]string{true: ", to go"}[s.Retiring])
	}
	grants, err := l.Grants(ctx)
	if err != nil {
		return p, err
	}
	for _, g := range grants {
		p.Things = append(p.Things, fmt.Sprintf("grant to %d in %s", g.UID, g.Context.Scope()))
	}
	secrets, err := l.Secrets(ctx, nil)
	if err != nil {
		return p, err
	}
	names := map[vault.ID]string{}
	for _, s := range secrets {
		names[s.ID] = s.Name
		p.Things = append(p.Things, fmt.Sprintf("secret %s of %s, version %d, revision %d, pinned to %q, also %q, with %q, to %d hosts",
			s.Name, s.Scope, s.Version, s.Revision, s.PinnedProvider, s.Aliases, s.Attached, len(s.Hosts)))
	}
	err = l.View(ctx, func(r vault.Reader) error {
		credentials, err1 := r.Credentials()
		for _, c := range credentials {
			p.Things = append(p.Things, fmt.Sprintf("credential %s of %s in %s with %s", c.ID, c.Provider, c.Scope, names[c.Secret]))
		}
		capabilities, err2 := r.Capabilities()
		for _, c := range capabilities {
			p.Things = append(p.Things, fmt.Sprintf("capability %s: %v", c.ID, c.Allow.Paths))
		}
		bindings, err3 := r.Bindings("")
		for _, b := range bindings {
			p.Things = append(p.Things, fmt.Sprintf("binding of %s in %s to %s for %q", b.Capability, b.Scope, names[b.Secret], b.Consumer))
		}
		policies, err4 := r.Policies()
		for _, c := range policies {
			p.Things = append(p.Things, fmt.Sprintf("policy of %s: %v", c.Capability, c.Rate != nil && *c.Rate == 7))
		}
		disabled, err5 := r.Disabled()
		p.Things = append(p.Things, disabled...)
		records, err6 := r.ProviderRecords()
		for _, rec := range records {
			provider, err := r.Provider(rec)
			if err != nil {
				return err
			}
			p.Things = append(p.Things, fmt.Sprintf("provider %s of %q: %s", provider.ID, provider.Claims, provider.Definition))
		}
		return errors.Join(err1, err2, err3, err4, err5, err6)
	})
	if err != nil {
		return p, err
	}
	slices.Sort(p.Things)
	events, err := l.Audit(ctx, vault.AuditQuery{Limit: 1 << 20})
	for _, e := range slices.Backward(events) {
		p.Events = append(p.Events, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Outcome, e.Code)))
	}
	return p, err
}

// after returns the events that one picture has more than another; false if
// they are not those of the other and more.
func (p picture) after(old picture) (events []string, ok bool) {
	n := len(old.Events)
	if len(p.Events) < n || !slices.Equal(p.Events[:n], old.Events) {
		return nil, false
	}
	return p.Events[n:], true
}

func (p picture) same(o picture) bool { return slices.Equal(p.Things, o.Things) }

func (p picture) diff(o picture) string { return cmp.Diff(p, o) }

// healthy returns what is wrong with a vault: nothing, if everything in it, and
// its audit log, verifies.
func healthy(ctx context.Context, l *vault.Local) error {
	report, err := l.Doctor(ctx)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	if st, err := l.Status(ctx); err != nil || !st.Initialized {
		return err
	}
	_, err = l.VerifyAudit(ctx)
	return err
}

// must fails the test at an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newValue is the value that holds s.
func newValue(s string) vault.Value { return opaque.New([]byte(s)) }
