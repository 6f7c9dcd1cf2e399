package keys_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
)

func provider(t *testing.T, s keys.Source, c keys.Config) keys.Provider {
	t.Helper()
	p, err := s.Provider(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The vectors are those of the reference implementation's test suite
// (phc-winner-argon2, version 0x13, Argon2id).
func TestArgon2KnownAnswers(t *testing.T) {
	for _, c := range []struct {
		time, memory uint32
		size         uint32
		want         string
	}{
		{2, 65536, 32, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"},
		{1, 64, 24, "655ad15eac652dc59f7170a7332bf49b8469be1fdb9c28bb"},
	} {
		got := hex.EncodeToString(argon2.IDKey([]byte("password"), []byte("somesalt"), c.time, c.memory, 1, c.size))
		if got != c.want {
			t.Errorf("t=%d m=%d: got %s, want %s", c.time, c.memory, got, c.want)
		}
	}
}

// The answers were computed with the argon2 command of the reference
// implementation: printf ... | argon2 somesalt-16bytes -id -t T -k K -p P -l 32 -r
func TestPassphraseKnownAnswers(t *testing.T) {
	salt := []byte("somesalt-16bytes")
	for _, c := range []struct {
		name, typed string
		kdf         keys.KDF
		want        string
	}{
		{
			"ASCII", "correct horse",
			keys.KDF{Time: 2, MemoryKiB: 19456, Threads: 1, Salt: salt},
			"1ef783cbbe89fcc272001719bd334738bfb2db088a5fa72906b63ffff31947b1",
		},
		{
			"composed, with a space at the end", "caf\u00e9 ",
			keys.KDF{Time: 1, MemoryKiB: 20480, Threads: 4, Salt: salt},
			"5bdb75379e630250b0ab55c9c4f848e37b3eab56bd71e1f3251ee9b85bf21bf4",
		},
		{
			"decomposed", "cafe\u0301 ",
			keys.KDF{Time: 1, MemoryKiB: 20480, Threads: 4, Salt: salt},
			"5bdb75379e630250b0ab55c9c4f848e37b3eab56bd71e1f3251ee9b85bf21bf4",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := provider(t, keys.Source{Ask: keystest.Answer(c.typed)}, keys.Config{Kind: keys.KindPassphrase, KDF: c.kdf})
			for name, get := range map[string]func(context.Context) (keys.Key, error){"Load": p.Load, "Create": p.Create} {
				key, err := get(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(key.Reveal()); got != c.want {
					t.Errorf("%s: got %s, want %s", name, got, c.want)
				}
			}
		})
	}
}

func TestPassphraseMatters(t *testing.T) {
	seen := make(map[string]string)
	for _, typed := range []string{"a", "a ", " a", "A", "a\n", "\x00", strings.Repeat("x", 1024), strings.Repeat("e\u0301", 512)} {
		p := provider(t, keys.Source{Ask: keystest.Answer(typed)}, keystest.PassphraseConfig())
		key, err := p.Load(t.Context())
		if err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
		if other, ok := seen[string(key.Reveal())]; ok {
			t.Errorf("%q and %q give one key", typed, other)
		}
		seen[string(key.Reveal())] = typed
	}
}

func TestPassphraseErrors(t *testing.T) {
	for name, typed := range map[string]string{
		"empty":                                 "",
		"too long":                              "CANARY" + strings.Repeat("x", 1019),
		"far too long and short in normal form": strings.Repeat("\u1112\u1161\u11ab", 500),
	} {
		t.Run(name, func(t *testing.T) {
			p := provider(t, keys.Source{Ask: keystest.Answer(typed)}, keystest.PassphraseConfig())
			_, err := p.Load(t.Context())
			wantCode(t, err, fault.InvalidRequest)
		})
	}
	t.Run("nobody to ask", func(t *testing.T) {
		p := provider(t, keys.Source{}, keystest.PassphraseConfig())
		_, err := p.Load(t.Context())
		wantCode(t, err, fault.VaultLocked)
		if !strings.Contains(fault.HintOf(err), "--passphrase-file") {
			t.Errorf("hint %q names no command", fault.HintOf(err))
		}
	})
	t.Run("the asking fails", func(t *testing.T) {
		failed := errors.New("the terminal went away")
		p := provider(t, keys.Source{Ask: func(context.Context, keys.Question) (opaque.Bytes, error) { return nil, failed }}, keystest.PassphraseConfig())
		if _, err := p.Load(t.Context()); !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := provider(t, keys.Source{Ask: keystest.Answer("a")}, keystest.PassphraseConfig())
		_, err := p.Load(ctx)
		wantCode(t, err, fault.Canceled)
	})
}

func TestPassphraseIsClearedAndConfirmed(t *testing.T) {
	typed := canary()
	var confirmed []bool
	p := provider(t, keys.Source{Ask: func(_ context.Context, q keys.Question) (opaque.Bytes, error) {
		confirmed = append(confirmed, q.New)
		return opaque.New(typed), nil
	}}, keystest.PassphraseConfig())
	if _, err := p.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(typed, make([]byte, len(typed))) {
		t.Error("the passphrase was not cleared")
	}
	if _, err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(confirmed) != 2 || !confirmed[0] || confirmed[1] {
		t.Errorf("Create, then Load asked with confirm %v, want true, then false", confirmed)
	}
}

// Parameters out of bounds must be refused before memory is asked for (2 GiB
// and more), which shows in what this process has allocated.
// Case 111.
func TestKDFBoundsBeforeAllocating(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, kdf := range []keys.KDF{
		{Time: 1, MemoryKiB: 64 << 20, Threads: 1, Salt: make([]byte, 16)},
		{Time: 1<<32 - 1, MemoryKiB: 1 << 20, Threads: 1, Salt: make([]byte, 16)},
		{Time: 1, MemoryKiB: 1 << 20, Threads: 0, Salt: make([]byte, 16)},
		{Time: 1, MemoryKiB: 1 << 20, Threads: 1},
	} {
		_, err := keys.Source{Ask: keystest.Answer("a")}.Provider(keys.Config{Kind: keys.KindPassphrase, KDF: kdf})
		wantCode(t, err, fault.InvalidRequest)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

func TestDefaultKDF(t *testing.T) {
	a, err := keys.DefaultKDF()
	if err != nil {
		t.Fatal(err)
	}
	b, err := keys.DefaultKDF()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Validate(); err != nil {
		t.Error(err)
	}
	if a.Time != 3 || a.Threads != 4 || a.MemoryKiB != 256<<10 && a.MemoryKiB != 64<<10 || len(a.Salt) != 16 {
		t.Errorf("got t=%d p=%d m=%d KiB and %d bytes of salt", a.Time, a.Threads, a.MemoryKiB, len(a.Salt))
	}
	if bytes.Equal(a.Salt, b.Salt) {
		t.Error("two salts are the same")
	}
}

func BenchmarkDefaultKDF(b *testing.B) {
	for _, memory := range []uint32{64 << 10, 256 << 10} {
		b.Run(map[uint32]string{64 << 10: "64MiB", 256 << 10: "256MiB"}[memory], func(b *testing.B) {
			kdf, err := keys.DefaultKDF()
			if err != nil {
				b.Fatal(err)
			}
			kdf.MemoryKiB = memory
			p, err := keys.Source{Ask: keystest.Answer("a")}.Provider(keys.Config{Kind: keys.KindPassphrase, KDF: kdf})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := p.Load(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
