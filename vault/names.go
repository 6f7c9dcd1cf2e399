package vault

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aivault/keys/fault"
)

// maxName is the length of the longest secret name or alias, in bytes.
const maxName = 256

// maxAliases is how many aliases a secret may have.
const maxAliases = 64

// ParseName returns the one form of a secret's name, in which it is stored. Its
// error is fault.InvalidRequest.
func ParseName(name string) (string, error) { return cleanName("name", name) }

// cleanName returns a secret's name in its one form: trimmed, and in Unicode
// normal form C, so that names which look alike for an encoding's sake are one.
func cleanName(what, name string) (string, error) {
	invalid := func(reason string) (string, error) {
		return "", fault.New(fault.InvalidRequest, "the %s %s", what, reason).
			WithHint("a name is 1 to %d bytes of printable text, such as OPENAI_API_KEY", maxName)
	}
	if !utf8.ValidString(name) {
		return invalid("is not valid UTF-8")
	}
	name = norm.NFC.String(strings.TrimSpace(name))
	switch {
	case name == "":
		return invalid("is empty")
	case len(name) > maxName:
		return invalid("is too long")
	case strings.ContainsFunc(name, unprintable):
		return invalid("holds a control or invisible character")
	}
	return name, nil
}

// unprintable reports characters that do not show, or change how others show:
// controls, line separators, bidirectional and other format characters.
func unprintable(r rune) bool {
	return unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// cleanAliases returns the aliases trimmed, sorted and without repetition.
func cleanAliases(aliases []string, name string) ([]string, error) {
	var clean []string
	for _, alias := range aliases {
		if strings.TrimSpace(alias) == "" {
			continue
		}
		alias, err := cleanName("alias", alias)
		if err != nil {
			return nil, err
		}
		if alias != name {
			clean = append(clean, alias)
		}
	}
	slices.Sort(clean)
	clean = slices.Compact(clean)
	if len(clean) > maxAliases {
		return nil, fault.New(fault.InvalidRequest, "%d aliases are too many, the limit is %d", len(clean), maxAliases)
	}
	return clean, nil
}

// cleanValue returns the value as it is stored: the final newline of a
// one-line value, which editors and echo add, is not part of it. It aliases v.
func cleanValue(v Value) ([]byte, error) {
	b := v.Reveal()
	if line, ok := bytes.CutSuffix(b, []byte("\n")); ok && !bytes.ContainsRune(line, '\n') {
		b = bytes.TrimSuffix(line, []byte("\r"))
	}
	switch {
	case len(b) == 0:
		return nil, fault.New(fault.InvalidRequest, "the value is empty").WithHint("give the value on standard input, from a file, or at the prompt")
	case len(b) > MaxValue:
		return nil, fault.New(fault.InvalidRequest, "the value is longer than %d KiB", MaxValue>>10)
	}
	return b, nil
}

// checkText checks a text that others chose, such as the id of a credential:
// printable, and 1 to 256 bytes. Its grammar is for whoever understands it.
func checkText(what, s string) error {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return fault.New(fault.InvalidRequest, "the %s %q is not 1 to %d bytes of printable text", what, s, maxName)
	}
	return nil
}

// checkUTF8 refuses texts that a record cannot hold: it would not decode.
func checkUTF8(what string, texts []string) error {
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return fault.New(fault.InvalidRequest, "%s has a setting that is not valid UTF-8", what)
		}
	}
	return nil
}
