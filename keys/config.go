package keys

import (
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aivault/keys/fault"
)

// KeyringService is the service under which aivault's entries stand in a
// keyring. The account of an entry is the id of its vault.
const KeyringService = "aivault"

// DefaultVar is the environment variable that holds a key of kind env, where
// Config.Var names no other.
const DefaultVar = "AIVAULT_KEY"

// The longest texts of a Config, in bytes.
const (
	maxEntryName = 256
	maxPath      = 4096
	maxVar       = 128
)

// A Config says where one KEK lives: what a slot of a vault records in clear.
// Only the fields of its kind are set.
type Config struct {
	Kind Kind

	Service string // keyring: 1 to 256 bytes, nothing unprintable
	Account string // keyring: the same

	Path string // file: absolute, or relative to what Config.In is told

	Var string // env: a variable's name; empty stands for DefaultVar

	KDF KDF // passphrase
}

// Validate reports whether c is well formed, and its key derivation within
// what this package will compute. Whoever reads a Config from a file calls it
// before anything else. Errors are fault.InvalidRequest.
func (c Config) Validate() error {
	allowed := Config{Kind: c.Kind}
	var err error
	switch c.Kind {
	case KindKeyring:
		allowed.Service, allowed.Account = c.Service, c.Account
		if err = checkEntryName("service", c.Service); err == nil {
			err = checkEntryName("account", c.Account)
		}
	case KindFile:
		allowed.Path = c.Path
		err = checkPath(c.Path)
	case KindEnv:
		allowed.Var = c.Var
		err = checkVar(c.Var)
	case KindPassphrase:
		allowed.KDF = c.KDF
		err = c.KDF.Validate()
	case KindRecovery:
	default:
		_, err = ParseKind(string(c.Kind))
		return fault.New(fault.InvalidRequest, "%q is no key provider", string(c.Kind)).WithHint("%s", fault.HintOf(err))
	}
	if err == nil && !c.equal(allowed) {
		return fault.New(fault.InvalidRequest, "a key provider of kind %s has fields of another kind", c.Kind)
	}
	return err
}

func (c Config) equal(o Config) bool {
	return c.Kind == o.Kind && c.Service == o.Service && c.Account == o.Account &&
		c.Path == o.Path && c.Var == o.Var && c.KDF.equal(o.KDF)
}

// String says where the key lives, in words that fit into a sentence.
func (c Config) String() string {
	switch c.Kind {
	case KindKeyring:
		return entryName(c.Service, c.Account)
	case KindFile:
		return "key file " + strconv.Quote(c.Path)
	case KindEnv:
		return "environment variable " + c.Variable()
	case KindPassphrase:
		return "passphrase"
	case KindRecovery:
		return "recovery key"
	}
	return "no key provider"
}

// In returns c with the relative path of a key file made absolute: it is relative
// to the directory.
func (c Config) In(dir string) Config {
	if c.Kind == KindFile && isRelative(c.Path) {
		c.Path = filepath.Join(dir, c.Path)
	}
	return c
}

// isRelative reports whether path is a relative one that names a file.
func isRelative(path string) bool {
	name := filepath.Base(path)
	return path != "" && !filepath.IsAbs(path) && name != "." && name != ".."
}

// Variable returns the name of the variable of kind env.
func (c Config) Variable() string {
	if c.Var == "" {
		return DefaultVar
	}
	return c.Var
}

// entryName names an entry of the keyring in a sentence.
func entryName(service, account string) string {
	return "keyring entry of service " + strconv.Quote(service) + ", account " + strconv.Quote(account)
}

// checkEntryName checks a name that goes to the keyring and, from there, onto
// screens that are not ours.
func checkEntryName(what, s string) error {
	switch {
	case s == "" || len(s) > maxEntryName:
		return fault.New(fault.InvalidRequest, "the keyring %s is %d bytes long, allowed are 1 to %d", what, len(s), maxEntryName)
	case !printable(s):
		return fault.New(fault.InvalidRequest, "the keyring %s %q holds characters that do not print", what, s)
	}
	return nil
}

func checkPath(path string) error {
	switch {
	case !filepath.IsAbs(path) && !isRelative(path):
		return fault.New(fault.InvalidRequest, "the path of the key file, %q, names no file", path).
			WithHint("give the whole path, from the root of the file system")
	case len(path) > maxPath:
		return fault.New(fault.InvalidRequest, "the path of the key file is %d bytes long, the limit is %d", len(path), maxPath)
	case !printable(path):
		return fault.New(fault.InvalidRequest, "the path of the key file, %q, holds characters that do not print", path)
	}
	return nil
}

// checkVar accepts the names that POSIX (8.1 Environment Variable Definition)
// calls portable, in lower case too; the empty one stands for DefaultVar.
func checkVar(name string) error {
	bad := strings.TrimLeft(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") != ""
	if bad || len(name) > maxVar || name != "" && name[0] >= '0' && name[0] <= '9' {
		return fault.New(fault.InvalidRequest, "%q cannot be the name of an environment variable", name).
			WithHint("use letters, digits and _, at most %d of them", maxVar)
	}
	return nil
}

// printable reports whether s is UTF-8 without control, format (bidi) or
// other characters that do not show.
func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
