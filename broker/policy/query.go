package policy

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"aivault/keys/fault"
)

// Limits of a query.
const (
	maxQuery = 16 << 10 // bytes
	maxPairs = 256
)

// checkQueryShape refuses a query that is too large or that has a character
// which RFC 3986, section 3.4, does not allow there. Square brackets pass, as
// every API with nested parameters uses them bare. A semicolon does not: some
// servers separate pairs with it and others do not, so that it hides a name.
func checkQueryShape(query string) error {
	if len(query) > maxQuery {
		return fault.New(fault.RequestTooLarge, "the query is longer than %d bytes", maxQuery)
	}
	if strings.Count(query, "&") >= maxPairs {
		return fault.New(fault.RequestTooLarge, "the query has more than %d parameters", maxPairs)
	}
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == '%':
			if _, ok := unescape(query[i:]); !ok {
				return fault.New(fault.InvalidRequest, "the query has a percent sign without two hexadecimal digits")
			}
			i += 2
		case c == ';' || !isPathChar(c) && strings.IndexByte("/?[]", c) < 0:
			char := firstRune(query[i:])
			return fault.New(fault.InvalidRequest, "the query has the character %q, which must be percent-encoded", char).
				WithHint("write it as %s", url.QueryEscape(string(char)))
		}
	}
	return nil
}

// checkQueryNames refuses the parameters that the broker sets itself, those
// that override the method, and names that a server could cut short. The
// query has passed checkQueryShape.
func checkQueryNames(query string, managed []string) error {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		encoded, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(encoded)
		if err != nil {
			return fault.New(fault.InvalidRequest, "the query has a name that cannot be decoded")
		}
		for _, m := range managed {
			if meansParam(name, m) {
				return fault.New(fault.PolicyViolation, "the query parameter %s is set by the broker", m).
					WithHint("leave it out: the credential brings it")
			}
		}
		if overridesMethod(name) {
			return fault.New(fault.PolicyViolation, "the query has a parameter that overrides the method").
				WithHint("give --method instead")
		}
		if !utf8.ValidString(name) || strings.IndexFunc(name, unicode.IsControl) >= 0 {
			return fault.New(fault.InvalidRequest, "the query has a name that is not printable UTF-8")
		}
		if strings.Contains(pair, "%00") {
			return fault.New(fault.InvalidRequest, "the query has a zero byte")
		}
	}
	return nil
}

// overridesMethod reports whether servers take the parameter for the method.
func overridesMethod(name string) bool {
	if len(name) < len("_method") { // the shortest; bodies have many names
		return false
	}
	for _, m := range [...]string{
		"_method", "_http_method", "http_method_override",
		"x_http_method", "x_http_method_override", "x_method_override",
	} {
		if meansParam(name, m) {
			return true
		}
	}
	return false
}

// meansParam reports whether some server could take the decoded name for the
// parameter want. It ignores case, leading blanks and brackets, and control
// characters; it takes dot, blank, dash and bracket for the underscore that
// PHP makes of them; and it lets a name end where a nested one begins, as in
// want[] and want.x. It errs on the side of a match.
func meansParam(name, want string) bool {
	name = strings.TrimLeftFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '[' || r == ']'
	})
	for _, r := range name {
		if want == "" {
			return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune("[].", r)
		}
		if unicode.IsControl(r) {
			continue
		}
		w, size := utf8.DecodeRuneInString(want)
		if foldParam(r) != foldParam(w) {
			return false
		}
		want = want[size:]
	}
	return want == ""
}

// foldParam folds one character of a parameter name. Upper and then lower case
// also brings the Kelvin sign and the long s to their letters.
func foldParam(r rune) rune {
	switch r {
	case '.', ' ', '-', '[':
		return '_'
	}
	return unicode.ToLower(unicode.ToUpper(r))
}
