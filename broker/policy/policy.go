// Package policy decides whether a request is within what a capability allows.
//
// It only decides: it opens nothing, resolves nothing and holds no state, and
// it sees no secret. What makes a decision worth having is that the request
// which was judged is the request which is sent. So every part of a request
// has one canonical form here; [Decide] returns it, and the caller sends those
// bytes and no others. What has no canonical form is refused, never repaired:
// a path that two servers could read in two ways (dot segments, encoded
// slashes, double encoding, matrix parameters) is not ours to interpret. Of a
// body no more is judged than whether it overrides the method, by [CheckBody]
// and [CheckField]: what else is in it is between the caller and the upstream.
//
// A refusal is a *fault.Error of one of three codes: invalid_request for what
// no capability could ever allow, policy_violation for what this one does not,
// request_too_large for what exceeds a limit. It names methods, prefixes,
// header names and hosts, never the value of a header or a query.
package policy

import (
	"slices"
	"strings"

	"aivault/keys/fault"
)

// A Rule is what a capability allows, together with the names that belong to
// the authentication of its credential. The zero Rule allows nothing.
type Rule struct {
	Methods  []string // upper case, see [ParseMethod]
	Paths    []string // prefixes that match whole segments, see [ParsePrefix]
	RawPaths []string // prefixes that may end within a segment, such as /api/chat.
	Except   []string // prefixes within those which are not allowed, see [ParsePrefix]
	Headers  []string // the only request headers that may pass; none: all that no class refuses

	// EncodedSlash lets a segment hold a slash as %2F, which is sent so. No dot
	// segment and no empty one can be made of it.
	EncodedSlash bool

	ManagedHeaders []string // headers that the broker sets itself
	ManagedQuery   []string // query parameters that the broker sets itself
	ManagedPath    string   // beginning of what the broker puts before the path; empty: nothing
}

// A Request is what a caller asked for, method and target included. See
// [Choose] for a caller that left them out.
type Request struct {
	Method  string
	Target  string // origin form: /path?query
	Headers []Header
}

// A Header is one header field of a request.
type Header struct {
	Name, Value string
}

// A Canonical is the one form in which an allowed request may be sent.
type Canonical struct {
	Method   string   // upper case
	Path     string   // percent-encoded, begins with a slash
	RawQuery string   // as the caller wrote it, without the question mark
	Headers  []Header // in MIME canonical form, values trimmed; nil if there are none
}

// Target returns path and query as they stand on the request line.
func (c Canonical) Target() string {
	if c.RawQuery == "" {
		return c.Path
	}
	return c.Path + "?" + c.RawQuery
}

// Decide returns the canonical form of req if rule allows it. The shape of the
// whole request is judged before its content, so that a malformed request
// reads as malformed whatever the rule says.
func Decide(rule Rule, req Request) (Canonical, error) {
	method, err := ParseMethod(req.Method)
	if err != nil {
		return Canonical{}, err
	}
	path, query, err := rule.ParseTarget(req.Target)
	if err != nil {
		return Canonical{}, err
	}
	if err := checkHeaderShapes(req.Headers); err != nil {
		return Canonical{}, err
	}
	if rule.ManagedPath != "" && strings.HasPrefix(path, rule.ManagedPath) {
		return Canonical{}, fault.New(fault.InvalidRequest, "the path begins with %s, which the broker puts before it", rule.ManagedPath).
			WithHint("give the path that comes after it")
	}
	if !slices.Contains(rule.Methods, method) {
		return Canonical{}, fault.New(fault.PolicyViolation, "the capability does not allow the method %s", method).
			WithHint("it allows %s", strings.Join(rule.Methods, ", "))
	}
	if !rule.allowsPath(path) {
		return Canonical{}, fault.New(fault.PolicyViolation, "the capability does not allow the path").
			WithHint("it allows what is under %s", rule.scope())
	}
	if err := checkQueryNames(query, rule.ManagedQuery); err != nil {
		return Canonical{}, err
	}
	headers, err := rule.filterHeaders(req.Headers)
	if err != nil {
		return Canonical{}, err
	}
	return Canonical{Method: method, Path: path, RawQuery: query, Headers: headers}, nil
}

// Choose fills in the method and the path of a call that leaves them out: the
// only method there is, else POST for a call with a body and GET for one
// without, where allowed; and the only prefix. Where that leaves a choice, the
// error lists it. What was given is returned as it is.
func Choose(rule Rule, method, path string, hasBody bool) (string, string, error) {
	if method == "" {
		usual := "GET"
		if hasBody {
			usual = "POST"
		}
		switch {
		case len(rule.Methods) == 1:
			method = rule.Methods[0]
		case slices.Contains(rule.Methods, usual):
			method = usual
		default:
			return "", "", fault.New(fault.InvalidRequest, "the call has no method, and the capability leaves a choice").
				WithHint("give --method with one of %s", strings.Join(rule.Methods, ", "))
		}
	}
	if path == "" {
		// A raw prefix is the beginning of a path, never one itself.
		if len(rule.Paths) != 1 || len(rule.RawPaths) != 0 {
			return "", "", fault.New(fault.InvalidRequest, "the call has no path, and the capability leaves a choice").
				WithHint("give --path with one under %s", strings.Join(rule.prefixes(), ", "))
		}
		path = rule.Paths[0]
	}
	return method, path, nil
}

// maxMethod is the length of the longest method, in bytes. The longest one
// that IANA has registered is UPDATEREDIRECTREF.
const maxMethod = 32

// ParseMethod returns the canonical, upper-case form of an HTTP method: letters
// and dashes, as all that are registered. An asterisk would read as all of them.
// CONNECT, TRACE and TRACK are refused always: the first turns a request into
// a tunnel, the others send the injected authentication back.
func ParseMethod(s string) (string, error) {
	if len(s) > maxMethod || strings.Trim(s, "-") == "" || strings.ContainsFunc(s, isNoMethod) {
		return "", fault.New(fault.InvalidRequest, "the method is not a word that HTTP has for one").
			WithHint("methods are words such as GET, POST or DELETE")
	}
	switch method := strings.ToUpper(s); method {
	case "CONNECT", "TRACE", "TRACK":
		return "", fault.New(fault.PolicyViolation, "the method %s is never allowed", method)
	default:
		return method, nil
	}
}

func isNoMethod(r rune) bool { return r != '-' && (r|0x20 < 'a' || r|0x20 > 'z') }

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
