package vault_test

import (
	"context"
	"fmt"
	"testing"

	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// sizes are how many secrets the vaults of benchmarks hold: what a single
// operation costs must not grow with them.
var sizes = []int{10, 1_000, 100_000}

// target is the scope of ten secrets in every vault of a benchmark; the others
// are in scopes of 2,000.
var target = vault.Scope{Level: vault.Workspace, Workspace: "target"}

// filled returns a vault with n secrets, and the id of one in target, whose
// host is api.acme.test.
func filled(b *testing.B, n int) (*vault.Local, vault.ID) {
	b.Helper()
	ctx := context.Background()
	opts := vaulttest.Options(vaulttest.Dir(b))
	l := vault.New(opts)
	b.Cleanup(l.Close)
	for start := 0; start < n; {
		scope, size := target, 10
		if start > 0 {
			scope, size = vault.Scope{Level: vault.Workspace, Workspace: fmt.Sprint("w", start)}, 2_000
		}
		entries := make([]vault.ImportEntry, min(size, n-start))
		for i := range entries {
			entries[i] = vault.ImportEntry{Name: fmt.Sprint("KEY_", i), Value: opaque.New(fmt.Appendf(nil, "made-up-value-%d", start+i))}
		}
		if _, err := l.ImportSecrets(ctx, scope, entries, false); err != nil {
			b.Fatal(err)
		}
		start += len(entries)
	}
	secrets, err := l.Secrets(ctx, &target)
	if err != nil || len(secrets) != 10 {
		b.Fatal(len(secrets), err)
	}
	c := vault.Credential{
		ID: "acme-account", Provider: "acme", Scope: target, Secret: secrets[0].ID,
		Hosts: []string{"api.acme.test"}, Auth: vault.Auth{Kind: "header"},
	}
	if _, err := l.CreateCredential(ctx, c, nil); err != nil {
		b.Fatal(err)
	}
	return l, secrets[0].ID
}

// bySize runs a benchmark in vaults of several sizes.
func bySize(b *testing.B, f func(b *testing.B, l *vault.Local, id vault.ID)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 1000 && testing.Short() {
				b.Skip("filling a large vault takes a while")
			}
			l, id := filled(b, n)
			b.ReportAllocs()
			f(b, l, id)
		})
	}
}

// BenchmarkOpenRead is what a command pays that looks at one secret: opening
// the vault with its key, and one lookup.
func BenchmarkOpenRead(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, id vault.ID) {
		for b.Loop() {
			l.Close()
			if _, err := l.FindSecret(b.Context(), id.String()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRead is a lookup with the key at hand.
func BenchmarkRead(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, id vault.ID) {
		for b.Loop() {
			if _, err := l.FindSecret(b.Context(), id.String()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCreate(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		i := 0
		for b.Loop() {
			i++
			if _, err := l.CreateSecret(b.Context(), newSecret(vault.GlobalScope(), fmt.Sprint("NEW_", i), "made-up-value")); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkListScope(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if secrets, err := l.Secrets(b.Context(), &target); err != nil || len(secrets) != 10 {
				b.Fatal(len(secrets), err)
			}
		}
	})
}

// BenchmarkListAll lists every secret of the vault.
func BenchmarkListAll(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if secrets, err := l.Secrets(b.Context(), nil); err != nil || len(secrets) < 10 {
				b.Fatal(len(secrets), err)
			}
		}
	})
}

// BenchmarkEffective lists what a group sees of up to 100,000 secrets: 990 that
// are global, and 10 of its workspace.
func BenchmarkEffective(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		entries := make([]vault.ImportEntry, 990)
		for i := range entries {
			entries[i] = vault.ImportEntry{Name: fmt.Sprint("GLOBAL_", i), Value: opaque.New([]byte("made-up-value"))}
		}
		if _, err := l.ImportSecrets(b.Context(), vault.GlobalScope(), entries, false); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			c := vault.Context{Workspace: target.Workspace, Group: "g"}
			if list, err := l.Effective(b.Context(), c); err != nil || len(list) != 1000 {
				b.Fatal(len(list), err)
			}
		}
	})
}

func BenchmarkAuthorize(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, id vault.ID) {
		decide := func(r vault.Reader) (vault.Decision, error) {
			return vault.Decision{Uses: []vault.Use{{Secret: id, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}}}, nil
		}
		for b.Loop() {
			grant, err := l.Authorize(b.Context(), decide)
			if err != nil {
				b.Fatal(err)
			}
			for _, v := range grant.Values {
				v.Clear()
			}
		}
	})
}

// BenchmarkAudit is a look at the newest 200 events, which must not cost more
// where there are more.
func BenchmarkAudit(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if events, err := l.Audit(b.Context(), vault.AuditQuery{}); err != nil || len(events) < 10 {
				b.Fatal(len(events), err)
			}
		}
	})
}

// BenchmarkAuditPage is a look at 200 of 1,000,000 events: the newest, and those
// in the middle.
func BenchmarkAuditPage(b *testing.B) {
	if testing.Short() {
		b.Skip("filling a long log takes a while")
	}
	const n = 1_000_000
	l, _ := filled(b, 10)
	e := vault.Event{Kind: vault.KindSecretUpdate, Outcome: vault.OutcomeOK, Actor: "operator", Scope: "workspace:shop"}
	if err := vault.Record(b.Context(), l, e, n); err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]vault.AuditQuery{
		"newest": {}, "middle": {UpTo: n / 2}, "oldest": {UpTo: 200},
		"middle/ok": {UpTo: n / 2, Outcome: vault.OutcomeOK},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if events, err := l.Audit(b.Context(), q); err != nil || len(events) != 200 {
					b.Fatal(len(events), err)
				}
			}
		})
	}
}

// BenchmarkVerifyAudit verifies the whole log.
func BenchmarkVerifyAudit(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if _, err := l.VerifyAudit(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkExclusive is a lock that nobody else wants.
func BenchmarkExclusive(b *testing.B) {
	l, _ := filled(b, 10)
	b.ReportAllocs()
	for b.Loop() {
		release, err := l.Exclusive(b.Context(), "name")
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}
