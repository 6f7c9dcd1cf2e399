package keys_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
)

// recoveryForm is what is printed: no I, L, O or U.
var recoveryForm = regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{5}-){7}[0-9A-HJKMNP-TV-Z]{5}$`)

// newRecovery returns a new recovery key, as text and as the KEK that it gives.
func newRecovery(t testing.TB) (string, keys.Key) {
	t.Helper()
	text, kek, err := keys.NewRecovery()
	if err != nil {
		t.Fatal(err)
	}
	return string(text.Reveal()), kek
}

func TestRecoveryIsTypedBack(t *testing.T) {
	t.Parallel()
	printed, kek := newRecovery(t)
	if !recoveryForm.MatchString(printed) || kek.Len() != keys.KeySize {
		t.Fatal("a recovery key does not have its form")
	}
	fold := strings.NewReplacer("0", "o", "1", "l")
	for name, typed := range map[string]string{
		"as printed":       printed,
		"small letters":    strings.ToLower(printed),
		"no separators":    strings.ReplaceAll(printed, "-", ""),
		"spaces":           "  " + strings.ReplaceAll(printed, "-", " ") + "\r\n",
		"dashes of a word": strings.ReplaceAll(printed, "-", "\u2013"),
		"two lines":        printed[:24] + "\n" + printed[24:],
		"groups of four":   regexp.MustCompile(".{4}").ReplaceAllString(strings.ReplaceAll(printed, "-", ""), "${0}_"),
		"o and l":          fold.Replace(printed),
		"O and I":          strings.NewReplacer("0", "O", "1", "I").Replace(printed),
	} {
		got, err := keys.ParseRecovery([]byte(typed))
		if err != nil || !got.Equal(kek) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if other, otherKEK := newRecovery(t); other == printed || otherKEK.Equal(kek) {
		t.Error("two recovery keys are the same")
	}
}

// Of a made-up recovery key, and its KEK: the check characters are those of the
// reference code of BIP 350, in Python, and HKDF is two calls of its hmac.
const (
	recoveryVector    = "3AHRZ-6DMV2-9GQY5-CKT18-FPX4B-JS07E-NW3AC-ERDQF"
	recoveryVectorKEK = "19102727e5d320e66c104e69a769a02fedc500b1e27600a2ef262d7a86617e83"
)

// The paper of today opens the vaults of tomorrow.
func TestRecoveryKnownAnswer(t *testing.T) {
	t.Parallel()
	kek, err := keys.ParseRecovery([]byte(recoveryVector))
	if err != nil || hex.EncodeToString(kek.Reveal()) != recoveryVectorKEK {
		t.Errorf("it gives another key than it did, or %v", err)
	}
}

func TestRecoveryRefuses(t *testing.T) {
	t.Parallel()
	printed, _ := newRecovery(t)
	// Some character that is another one than that at i.
	at := func(i int) byte {
		if printed[i] == '2' {
			return '3'
		}
		return '2'
	}
	swap := func(i, j int) string {
		b := []byte(printed)
		b[i], b[j] = b[j], b[i]
		return string(b)
	}
	tests := map[string]string{
		"nothing":       "",
		"too short":     printed[:len(printed)-1],
		"too long":      printed + "0",
		"a group more":  printed + "-00000",
		"U":             "U" + printed[1:],
		"one wrong":     string(at(0)) + printed[1:],
		"another one":   printed[:40] + string(at(40)) + printed[41:],
		"not UTF-8":     "\xff" + printed[1:],
		"not ASCII":     "\u00e9" + printed[1:],
		"long s":        "\u017f" + printed[1:],
		"zeros":         strings.Repeat("0", 40),
		"a passphrase":  "CANARY correct horse battery staple",
		"very long":     strings.Repeat(printed, 1000),
		"only dashes":   strings.Repeat("-", 40),
		"full-width 0s": strings.Repeat("\uff10", 40),
	}
	for i := range 4 {
		if printed[i] != printed[i+1] {
			tests["two exchanged"] = swap(i, i+1)
		}
	}
	for name, typed := range tests {
		_, err := keys.ParseRecovery([]byte(typed))
		if fault.CodeOf(err) != fault.InvalidRequest || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		for word := range strings.FieldsSeq(strings.ReplaceAll(typed, "-", " ")) {
			if len(word) > 4 && strings.Contains(err.Error()+fault.HintOf(err), word) {
				t.Errorf("%s: the error shows what was typed", name)
			}
		}
	}
}

func TestRecoveryProvider(t *testing.T) {
	t.Parallel()
	cfg := keys.Config{Kind: keys.KindRecovery}
	var kept opaque.Bytes
	p := provider(t, keys.Source{Keep: func(text opaque.Bytes) error { kept = text; return nil }}, cfg)
	kek, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	typed := bytes.ToLower(kept.Reveal())
	p = provider(t, keys.Source{Ask: func(_ context.Context, q keys.Question) (opaque.Bytes, error) {
		if !q.Recovery || q.Passphrase || q.New {
			t.Errorf("asked for %v", q)
		}
		return opaque.New(typed), nil
	}}, cfg)
	got, err := p.Load(t.Context())
	if err != nil || !got.Equal(kek) {
		t.Errorf("typed back: %v", err)
	}
	if !bytes.Equal(typed, make([]byte, len(typed))) {
		t.Error("what was typed was not cleared")
	}

	_, err = provider(t, keys.Source{Ask: keystest.Answer("CANARY-CANARY")}, cfg).Load(t.Context())
	wantCode(t, err, fault.WrongKey)
	_, err = provider(t, keys.Source{}, cfg).Load(t.Context())
	wantCode(t, err, fault.VaultLocked)
	if !strings.Contains(fault.HintOf(err), "--passphrase-file") || !strings.Contains(err.Error(), "recovery key") {
		t.Errorf("%v; hint %q", err, fault.HintOf(err))
	}
	_, err = provider(t, keys.Source{}, cfg).Create(t.Context())
	wantCode(t, err, fault.Usage)
	failed := errors.New("a pipe")
	_, err = provider(t, keys.Source{Keep: func(opaque.Bytes) error { return failed }}, cfg).Create(t.Context())
	if !errors.Is(err, failed) {
		t.Errorf("nobody was shown it: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = provider(t, keys.Source{Keep: func(opaque.Bytes) error { return nil }}, cfg).Create(ctx)
	wantCode(t, err, fault.Canceled)
}

// TestOnce: one answer serves all who ask, each with a copy of its own.
func TestOnce(t *testing.T) {
	t.Parallel()
	asked := 0
	answer := opaque.New(canary())
	why := errors.New("the keyring is gone")
	q := keys.Question{Typed: keys.Typed{Passphrase: true, Recovery: true}, Why: why}
	once, done := keys.Source{Ask: func(_ context.Context, got keys.Question) (opaque.Bytes, error) {
		asked++
		if got != q {
			t.Errorf("asked %v", got)
		}
		return answer, nil
	}}.Once(q)
	for range 2 {
		got, err := once.Ask(t.Context(), keys.Question{})
		if err != nil || !got.Equal(answer) {
			t.Errorf("%v", err)
		}
		got.Clear()
	}
	done()
	if asked != 1 || !bytes.Equal(answer.Reveal(), make([]byte, answer.Len())) {
		t.Errorf("asked %d times", asked)
	}
	once, done = keys.Source{Ask: func(context.Context, keys.Question) (opaque.Bytes, error) { asked++; return nil, why }}.Once(q)
	defer done()
	for range 2 {
		if _, err := once.Ask(t.Context(), q); !errors.Is(err, why) {
			t.Errorf("%v", err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func FuzzParseRecovery(f *testing.F) {
	printed, _ := newRecovery(f)
	for _, s := range []string{printed, strings.ToLower(printed), recoveryVector, "", "-", "U", "\xff", strings.Repeat("0", 40), strings.Repeat("\u2013", 9)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, err := keys.ParseRecovery([]byte(s))
		if err != nil {
			if fault.CodeOf(err) != fault.InvalidRequest || key != nil {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		// Whatever reads as a recovery key does so in its plain form, too.
		plain := strings.Map(func(r rune) rune {
			if strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTVWXYZabcdefghijklmnopqrstvwxyz", r) {
				return r
			}
			return -1
		}, s)
		again, err := keys.ParseRecovery([]byte(plain))
		if len(plain) != 40 || err != nil || !again.Equal(key) {
			t.Errorf("%q and %q differ: %v", s, plain, err)
		}
	})
}
