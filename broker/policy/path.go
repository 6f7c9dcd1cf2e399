package policy

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"aivault/keys/fault"
)

// maxPath is the length of the longest path, in bytes.
const maxPath = 8 << 10

// ParseTarget splits a request target in origin form (RFC 9112, section 3.2.1)
// into its path, in canonical form, and its query, which is checked for shape
// and kept as it was written. A lone question mark at the end is dropped.
//
// In the canonical path each byte stands for itself or is percent-encoded with
// upper-case digits. An escape of a letter, a digit, "-", "_" or "~" is
// decoded; every other escape stays, as it may mean something else than the
// bare character. Refused are the escapes that a server could decode at the
// wrong moment: of a dot, slash, backslash, percent or hash sign, of a control
// character, and of what is not UTF-8. That of a slash may be allowed by a rule,
// see [Rule.ParseTarget].
func ParseTarget(target string) (path, rawQuery string, err error) {
	return Rule{}.ParseTarget(target)
}

// ParseTarget is the function of that name, but for the escape of a slash if
// the rule allows it.
func (r Rule) ParseTarget(target string) (path, rawQuery string, err error) {
	if len(target) > maxPath+len("?")+maxQuery {
		return "", "", fault.New(fault.RequestTooLarge, "the path with its query is longer than %d bytes", maxPath+maxQuery)
	}
	path, rawQuery, _ = strings.Cut(target, "?")
	if path, err = cleanPath(path, r.EncodedSlash); err != nil {
		return "", "", err
	}
	if err = checkQueryShape(rawQuery); err != nil {
		return "", "", err
	}
	return path, rawQuery, nil
}

// ParsePrefix returns the canonical form of a path prefix, as a capability
// lists it: a path without a query. "/" stands for every path.
func ParsePrefix(s string) (string, error) { return cleanPath(s, false) }

// allowsPath reports whether a canonical path is under a prefix of the rule, and
// not under one that it excepts.
func (r Rule) allowsPath(path string) bool {
	for _, prefix := range r.Except {
		if mayBeUnder(path, prefix) || r.EncodedSlash && mayBeUnder(strings.ReplaceAll(path, "%2F", "/"), prefix) {
			return false
		}
	}
	for _, prefix := range r.Paths {
		if underPrefix(path, prefix) {
			return true
		}
	}
	for _, prefix := range r.RawPaths {
		if prefix != "" && strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// underPrefix reports whether path is prefix or continues it at a slash, so
// that /v1/files does not admit /v1/filesystem.
func underPrefix(path, prefix string) bool {
	if prefix == "" || !strings.HasPrefix(path, prefix) {
		return false
	}
	return len(path) == len(prefix) || prefix[len(prefix)-1] == '/' || path[len(prefix)] == '/'
}

// mayBeUnder reports whether some server could take path for what is under
// prefix: it may ignore case, and cut a segment at what is no part of a name.
func mayBeUnder(path, prefix string) bool {
	if len(path) < len(prefix) || !strings.EqualFold(path[:len(prefix)], prefix) {
		return false
	}
	rest := path[len(prefix):]
	return rest == "" || !isAlnum(rest[0]) && strings.IndexByte("-._~", rest[0]) < 0
}

// scope says for an error text what the rule allows.
func (r Rule) scope() string {
	text := strings.Join(r.prefixes(), ", ")
	if len(r.Except) > 0 {
		text += ", but for " + strings.Join(r.Except, ", ")
	}
	return text
}

// prefixes lists all prefixes for an error text, raw ones with an ellipsis.
func (r Rule) prefixes() []string {
	list := append([]string(nil), r.Paths...)
	for _, prefix := range r.RawPaths {
		list = append(list, prefix+"...")
	}
	return list
}

// cleanPath returns the canonical form of an encoded path, in one pass. It
// allocates only where that form differs from path. An encoded slash, if it is
// allowed, ends a segment as a bare one does: to a server it may be one.
func cleanPath(path string, slash bool) (string, error) {
	if len(path) > maxPath {
		return "", fault.New(fault.RequestTooLarge, "the path is longer than %d bytes", maxPath)
	}
	if path == "" || path[0] != '/' {
		return "", badPath("the path does not begin with a slash").
			WithHint("give the path alone, such as /v1/models; the host is the credential's")
	}
	var (
		out      []byte // nil as long as the canonical form is path itself
		seg      segment
		param    bool // a bare ";" was seen
		nonASCII bool
	)
	for i := 1; i < len(path); {
		char, width, err := pathChar(path[i:], slash)
		if err != nil {
			return "", err
		}
		text := path[i : i+width]
		i += width
		if char == '/' {
			if err := seg.end(); err != nil {
				return "", err
			}
			seg = segment{}
		} else if err := seg.add(char); err != nil {
			return "", err
		}
		param = param || text == ";"
		nonASCII = nonASCII || char >= utf8.RuneSelf
		out = appendCanonical(out, path, i-width, width, char)
	}
	if seg.length > 0 || !strings.HasSuffix(path, "/") { // a path may end in a slash
		if err := seg.end(); err != nil {
			return "", err
		}
	}
	if out != nil {
		path = string(out)
	}
	if nonASCII && !printableUTF8(path) {
		return "", badPath("the path has an escape that is not printable UTF-8")
	}
	if param {
		return "", fault.New(fault.PolicyViolation, "the capability does not allow a ; in the path").
			WithHint("write it as %%3B if it is part of a name")
	}
	return path, nil
}

// appendCanonical appends to out the canonical form of the character that path
// has at start, and which decodes to char. It returns nil as long as nothing
// differs, and begins with all of the path that came earlier when it does.
func appendCanonical(out []byte, path string, start, width int, char byte) []byte {
	text := path[start : start+width]
	canonical := text
	if width == 3 {
		if isAlnum(char) || char == '-' || char == '_' || char == '~' {
			canonical = string(rune(char))
		} else {
			canonical = strings.ToUpper(text)
		}
	}
	if out == nil {
		if canonical == text {
			return nil
		}
		out = append(make([]byte, 0, len(path)), path[:start]...) // it never grows
	}
	return append(out, canonical...)
}

// A segment is what is known of the path segment that is being read.
type segment struct {
	length int
	named  bool // has something other than dots and spaces
}

// add takes the next decoded byte of the segment. Servers that know matrix
// parameters cut a segment at the semicolon before they resolve dots, so
// that "..;" is "..", and ";" an empty segment.
func (s *segment) add(char byte) error {
	if char == ';' && !s.named {
		return badPath("the path has a segment with nothing but dots before a semicolon")
	}
	s.length++
	s.named = s.named || char != '.' && char != ' '
	return nil
}

// end refuses an empty segment, a dot segment, and those that become one
// where trailing spaces and dots are stripped, as on Windows.
func (s *segment) end() error {
	switch {
	case s.length == 0:
		return badPath("the path has an empty segment")
	case !s.named:
		return badPath("the path has a segment of nothing but dots and spaces")
	}
	return nil
}

// pathChar decodes the first character of an encoded path, and returns how
// many bytes it takes there. It refuses escapes that servers read in different
// ways; that of a slash may be allowed.
func pathChar(s string, slash bool) (char byte, width int, err error) {
	char = s[0]
	if char != '%' {
		if char != '/' && !isPathChar(char) {
			return 0, 0, badPath("the path has the character %q, which must be percent-encoded or left out", firstRune(s))
		}
		return char, 1, nil
	}
	char, ok := unescape(s)
	if !ok {
		return 0, 0, badPath("the path has a percent sign without two hexadecimal digits")
	}
	if char < ' ' || char == 0x7f || strings.IndexByte(`./\%#`, char) >= 0 && (char != '/' || !slash) {
		return 0, 0, badPath("the path has the escape %s, which servers read in different ways", strings.ToUpper(s[:3]))
	}
	return char, 3, nil
}

// firstRune returns the first character of s, for an error text.
func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// isPathChar reports whether c may stand for itself in a segment: pchar of
// RFC 3986, section 3.3, without the percent sign.
func isPathChar(c byte) bool {
	return isAlnum(c) || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0
}

// unescape decodes the %XX that s begins with.
func unescape(s string) (char byte, ok bool) {
	if len(s) < 3 {
		return 0, false
	}
	high, ok1 := hexDigit(s[1])
	low, ok2 := hexDigit(s[2])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// printableUTF8 reports whether an encoded path decodes to UTF-8 without
// control characters. Overlong forms, such as %C0%AF for a slash, are none.
func printableUTF8(path string) bool {
	decoded, err := url.PathUnescape(path)
	if err != nil || !utf8.ValidString(decoded) {
		return false
	}
	return strings.IndexFunc(decoded, unicode.IsControl) < 0
}

// badPath says what is wrong with a path, without the path.
func badPath(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...)
}
