package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
)

// canary returns 32 bytes that no test prints.
func canary() []byte { return []byte("CANARY-0123456789-0123456789-KEY") }

// noCanary fails if any form of the canary is in the texts.
func noCanary(t *testing.T, texts ...string) {
	t.Helper()
	forms := []string{
		"CANARY", base64.StdEncoding.EncodeToString(canary())[:20], hex.EncodeToString(canary())[:20],
		strings.Trim(fmt.Sprint(canary()[:6]), "[]"),
	}
	for _, text := range texts {
		for _, form := range forms {
			if strings.Contains(text, form) {
				t.Errorf("a form of the canary is in a text of %d bytes", len(text))
			}
		}
	}
}

// wantCode fails unless err has the code, a hint, and no canary.
func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if !errors.Is(err, code) || fault.CodeOf(err) != code {
		t.Fatalf("error %q has code %q, want %q", err, fault.CodeOf(err), code)
	}
	noCanary(t, err.Error(), fault.HintOf(err), fmt.Sprintf("%+v %#v", err, err))
}

func TestParseKind(t *testing.T) {
	for _, c := range []struct {
		in   string
		want keys.Kind
	}{
		{"keyring", keys.KindKeyring},
		{"macos-keychain", keys.KindKeyring},
		{"file", keys.KindFile},
		{"env", keys.KindEnv},
		{"passphrase", keys.KindPassphrase},
	} {
		if got, err := keys.ParseKind(c.in); got != c.want || err != nil {
			t.Errorf("ParseKind(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "Keyring", " file", "kms"} {
		_, err := keys.ParseKind(in)
		wantCode(t, err, fault.Usage)
		if hint := fault.HintOf(err); !strings.Contains(hint, "keyring, file, env or passphrase") {
			t.Errorf("ParseKind(%q): hint %q does not list the choices", in, hint)
		}
	}
}

func TestNewKey(t *testing.T) {
	a, err := keys.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := keys.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if a.Len() != keys.KeySize || b.Len() != keys.KeySize || a.Equal(b) {
		t.Error("two new keys are not 32 bytes each, and different")
	}
}

func TestParseKey(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString(canary())
	digits := hex.EncodeToString(canary())
	for _, in := range []string{b64, digits, strings.ToUpper(digits), b64 + "\n", " \t" + digits + "\r\n"} {
		key, err := keys.ParseKey([]byte(in))
		if err != nil || !bytes.Equal(key.Reveal(), canary()) {
			t.Errorf("a text of %d bytes is not read as the key: %v", len(in), err)
		}
	}
	bad := map[string]string{
		"empty":              "",
		"blank":              " \n",
		"raw":                string(canary()),
		"short":              base64.StdEncoding.EncodeToString(canary()[:31]),
		"long":               base64.StdEncoding.EncodeToString(append(canary(), 0)),
		"unpadded":           strings.TrimRight(b64, "="),
		"URL alphabet":       strings.Repeat("_", 43) + "=",
		"newline within":     b64[:20] + "\n" + b64[20:],
		"newline instead":    b64[:20] + "\n" + b64[21:],
		"bits beyond":        strings.Repeat("A", 42) + "B=", // decodes to 32 bytes and 2 bits that are not 0
		"half hex":           digits[:32],
		"odd hex":            digits[:63],
		"not hex":            digits[:63] + "g",
		"hex with space":     digits[:31] + " " + digits[32:],
		"two keys":           digits + digits,
		"base64 of hex":      base64.StdEncoding.EncodeToString([]byte(digits)),
		"quoted":             `"` + b64 + `"`,
		"with a NUL":         b64 + "\x00",
		"with a byte order":  "\ufeff" + b64,
		"canary of 44 bytes": string(canary()) + "CANARY-CANAR",
	}
	for name, in := range bad {
		t.Run(name, func(t *testing.T) {
			key, err := keys.ParseKey([]byte(in))
			if key != nil {
				t.Error("a key was returned")
			}
			wantCode(t, err, fault.InvalidRequest)
		})
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte(base64.StdEncoding.EncodeToString(canary())))
	f.Add([]byte(" " + hex.EncodeToString(canary()) + "\n"))
	f.Add([]byte(strings.Repeat("=", 44)))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := keys.ParseKey(text)
		if err != nil {
			if key != nil || fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("key %v with error %v", key, err)
			}
			return
		}
		if key.Len() != keys.KeySize {
			t.Fatalf("a key of %d bytes", key.Len())
		}
		// There is one text of each form that gives this key.
		trimmed := string(bytes.TrimSpace(text))
		if trimmed != base64.StdEncoding.EncodeToString(key.Reveal()) && !strings.EqualFold(trimmed, hex.EncodeToString(key.Reveal())) {
			t.Errorf("%q is no canonical form of a key", text)
		}
	})
}

func TestConfigValidate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek.key")
	salt := func(n int) []byte { return make([]byte, n) }
	kdf := func(time, memory uint32, threads uint8, salt []byte) keys.Config {
		return keys.Config{Kind: keys.KindPassphrase, KDF: keys.KDF{Time: time, MemoryKiB: memory, Threads: threads, Salt: salt}}
	}
	entry := func(service, account string) keys.Config {
		return keys.Config{Kind: keys.KindKeyring, Service: service, Account: account}
	}
	good := []keys.Config{
		entry("aivault", "0b6f"), entry(strings.Repeat("s", 256), "käy ring"),
		{Kind: keys.KindFile, Path: path},
		{Kind: keys.KindEnv},
		{Kind: keys.KindEnv, Var: "_MY_key2"},
		kdf(1, 19<<10, 1, salt(16)), kdf(16, 2<<20, 16, salt(64)), keystest.PassphraseConfig(),
		{Kind: keys.KindRecovery},
	}
	for _, c := range good {
		if err := c.Validate(); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	bad := map[string]keys.Config{
		"no kind":             {},
		"alias as kind":       {Kind: "macos-keychain"},
		"no service":          entry("", "a"),
		"no account":          entry("s", ""),
		"long account":        entry("s", strings.Repeat("a", 257)),
		"control":             entry("s", "a\x1b[2J"),
		"bidi":                entry("s\u202e", "a"),
		"not UTF-8":           entry("s", "\xff"),
		"keyring with a path": {Kind: keys.KindKeyring, Service: "s", Account: "a", Path: path},
		"no path":             {Kind: keys.KindFile},
		"no name":             {Kind: keys.KindFile, Path: filepath.Join("..", "..")},
		"path with a newline": {Kind: keys.KindFile, Path: path + "\n"},
		"long path":           {Kind: keys.KindFile, Path: path + strings.Repeat("a", 4096)},
		"file with a salt":    {Kind: keys.KindFile, Path: path, KDF: keys.KDF{Salt: salt(16)}},
		"variable with =":     {Kind: keys.KindEnv, Var: "A=B"},
		"variable with digit": {Kind: keys.KindEnv, Var: "1A"},
		"long variable":       {Kind: keys.KindEnv, Var: strings.Repeat("A", 129)},
		"no KDF":              {Kind: keys.KindPassphrase},
		"recovery with a var": {Kind: keys.KindRecovery, Var: "A"},
		"64 GiB":              kdf(3, 64<<20, 4, salt(16)),
		"4 TiB":               kdf(3, 1<<32-1, 4, salt(16)),
		"8 KiB":               kdf(3, 8, 4, salt(16)),
		"below 19 MiB":        kdf(3, 19<<10-1, 4, salt(16)),
		"no passes":           kdf(0, 64<<10, 4, salt(16)),
		"17 passes":           kdf(17, 64<<10, 4, salt(16)),
		"2^32-1 passes":       kdf(1<<32-1, 64<<10, 4, salt(16)),
		"no lanes":            kdf(3, 64<<10, 0, salt(16)),
		"17 lanes":            kdf(3, 64<<10, 17, salt(16)),
		"no salt":             kdf(3, 64<<10, 4, nil),
		"short salt":          kdf(3, 64<<10, 4, salt(15)),
		"long salt":           kdf(3, 64<<10, 4, salt(65)),
	}
	for name, c := range bad {
		t.Run(name, func(t *testing.T) {
			wantCode(t, c.Validate(), fault.InvalidRequest)
			p, err := keys.Source{}.Provider(c)
			if p != nil {
				t.Error("there is a provider")
			}
			wantCode(t, err, fault.InvalidRequest)
		})
	}
}

func TestConfigString(t *testing.T) {
	got := []string{}
	for _, c := range []keys.Config{
		{Kind: keys.KindKeyring, Service: "aivault", Account: `v"1`},
		{Kind: keys.KindFile, Path: "/a b/kek.key"},
		{Kind: keys.KindEnv},
		{Kind: keys.KindEnv, Var: "MY"},
		keystest.PassphraseConfig(),
		{Kind: keys.KindRecovery},
		{},
	} {
		got = append(got, c.String())
	}
	want := []string{
		`keyring entry of service "aivault", account "v\"1"`,
		`key file "/a b/kek.key"`,
		"environment variable AIVAULT_KEY", "environment variable MY",
		"passphrase", "recovery key", "no key provider",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNothingPrints shows every exported type that comes near a key to every
// verb.
func TestNothingPrints(t *testing.T) {
	key, err := keys.ParseKey([]byte(hex.EncodeToString(canary())))
	if err != nil {
		t.Fatal(err)
	}
	ring := new(keystest.Keyring)
	source := keys.Source{
		Getenv:  func(string) string { return hex.EncodeToString(canary()) },
		Keyring: ring,
		Ask:     keystest.Answer(string(canary())),
	}
	values := []any{
		key, &key,
		[]keys.Key{key},
		map[string]keys.Key{"k": key},
		struct{ k, K opaque.Bytes }{key, key},
		source, &source, keys.NewHelperKeyring(source.Getenv, 0).Command,
	}
	for _, c := range []keys.Config{
		{Kind: keys.KindEnv},
		keystest.PassphraseConfig(),
		{Kind: keys.KindRecovery},
		{Kind: keys.KindKeyring, Service: "aivault", Account: "a"},
	} {
		p, err := source.Provider(c)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, c, p, &p)
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			noCanary(t, fmt.Sprintf(verb, v))
		}
	}
}

// A relative path stands for a file that moves with the vault. It is no key file
// until the vault says where that is.
func TestConfigIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{"kek.key", filepath.Join("..", "..", "keys", "kek.key")} {
		relative := keys.Config{Kind: keys.KindFile, Path: path}
		if err := relative.Validate(); err != nil {
			t.Error(err)
		}
		if _, err := (keys.Source{}).Provider(relative); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("a provider for a file that is nowhere: %v", err)
		}
		if got := relative.In(dir).Path; got != filepath.Join(dir, path) {
			t.Errorf("In = %q", got)
		}
	}
	elsewhere := keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "kek.key")}
	if got := elsewhere.In(t.TempDir()).Path; got != elsewhere.Path {
		t.Errorf("an absolute path became %q", got)
	}
}
