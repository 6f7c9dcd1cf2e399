package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"aivault/keys/fault"
)

// maxHost is the length of the longest host name, in bytes (RFC 1035, section
// 2.3.4, without the length of the root label).
const maxHost = 253

// ParseHost returns the canonical form of a credential's host: lower case,
// A-labels, no dot at the end. This one form is compared, resolved, and stands
// in SNI, certificate check and Host header.
//
// Without allowPrivate it is a public DNS name and nothing else. With it, a
// host may also be a single label or a name of a private zone, a literal
// address (IPv6 in brackets), and may have a port, which is dropped if it is
// 443. The metadata services of cloud machines are refused in either case, and
// so is an address that is written in any but the usual way, since readers
// differ on what 0177.1 is. Whatever a name resolves to is for [CheckAddr].
func ParseHost(s string, allowPrivate bool) (string, error) {
	name, port, err := splitPort(s)
	if err != nil {
		return "", err
	}
	if port != "" && !allowPrivate {
		return "", fault.New(fault.PolicyViolation, "the host has a port, and only private hosts may have one").
			WithHint("leave the port out, or give --allow-private")
	}
	if literal, ok := strings.CutPrefix(name, "["); ok {
		name, err = parseIPv6(literal, allowPrivate)
	} else if name, err = asciiName(name); err == nil {
		name, err = checkName(name, allowPrivate)
	}
	if err != nil {
		return "", err
	}
	return name + port, nil
}

// splitPort cuts the port off a host and returns it with its colon, or empty
// if it is 443 or absent. It refuses what is more than a host and a port. The
// text may hold a password, as a URL does, so no error repeats it.
func splitPort(s string) (name, port string, err error) {
	if i := strings.IndexAny(s, "/@?#%\\*, \t\r\n"); i >= 0 {
		if s[i] == '*' {
			return "", "", badHost("the host is a wildcard, and a credential is for one host").
				WithHint("name the host itself, such as shop.example.com")
		}
		return "", "", badHost("the host has the character %q, which is no part of a host name", s[i])
	}
	at := strings.LastIndexByte(s, ':')
	if at < 0 || strings.HasSuffix(s, "]") {
		return s, "", nil
	}
	if strings.HasPrefix(s, "[") && s[at-1] != ']' || !strings.HasPrefix(s, "[") && strings.Count(s, ":") > 1 {
		return "", "", badHost("the host has several colons").WithHint("write an IPv6 address as [::1]")
	}
	n, err := strconv.ParseUint(s[at+1:], 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != s[at+1:] {
		return "", "", badHost("the port is not a number from 1 to 65535")
	}
	if n == 443 {
		return s[:at], "", nil
	}
	return s[:at], s[at:], nil
}

// asciiName maps a host name to lower-case A-labels (UTS 46, as browsers do
// it), without the dot of the root.
func asciiName(s string) (string, error) {
	for _, dot := range [...]string{".", "\u3002", "\uff0e", "\uff61"} { // the dots of UTS 46
		if cut, ok := strings.CutSuffix(s, dot); ok {
			s = cut
			break
		}
	}
	if len(s) > 4*maxHost || !utf8.ValidString(s) { // before the mapping, which repairs
		return "", badHost("the host is longer than %d bytes, or not UTF-8", maxHost)
	}
	profile := idna.New(
		idna.MapForLookup(),
		idna.StrictDomainName(true), // letters, digits and dashes only
		idna.BidiRule(),
		idna.CheckJoiners(true),
		idna.VerifyDNSLength(true), // refuses empty and overlong labels
	)
	name, err := profile.ToASCII(s)
	if err != nil || name == "" || len(name) > maxHost {
		return "", badHost("the host is not a domain name").
			WithHint("labels have letters, digits and dashes, and at most 63 of them; the name has at most %d", maxHost)
	}
	return name, nil
}

// checkName decides on a name that asciiName returned.
func checkName(name string, allowPrivate bool) (string, error) {
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case isMetadataName(name):
		return "", fault.New(fault.PolicyViolation, "the host is a metadata service, which hands out credentials of the machine")
	case isNumeric(last):
		// No top-level domain is a number: this is an IPv4 address, or what
		// inet_aton takes for one.
		addr, err := netip.ParseAddr(name)
		if err != nil {
			return "", badHost("the host is an address in an unusual form").WithHint("write it as 192.0.2.1")
		}
		return checkLiteral(addr, allowPrivate)
	case !allowPrivate && (last == name || isPrivateZone(name, last)):
		return "", privateHost("the host %s is a private one", name)
	}
	return name, nil
}

// parseIPv6 decides on what followed an opening bracket.
func parseIPv6(s string, allowPrivate bool) (string, error) {
	s, ok := strings.CutSuffix(s, "]")
	addr, err := netip.ParseAddr(s)
	if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
		return "", badHost("the host has brackets without an IPv6 address")
	}
	return checkLiteral(addr, allowPrivate)
}

// checkLiteral decides on a host that is an address.
func checkLiteral(addr netip.Addr, allowPrivate bool) (string, error) {
	if err := CheckAddr(addr, allowPrivate); err != nil {
		return "", err
	}
	if !allowPrivate {
		return "", privateHost("the host is an address, not a name")
	}
	if addr.Is6() {
		return "[" + addr.String() + "]", nil
	}
	return addr.String(), nil
}

// isNumeric reports whether the last label of a name makes it an IPv4 address
// by the rules of the WHATWG URL standard: digits, or 0x and hex digits.
func isNumeric(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// isPrivateZone reports whether a name is of a zone that is never delegated in
// the public DNS (RFC 6761, RFC 6762, RFC 8375, and ICANN's .internal).
func isPrivateZone(name, last string) bool {
	switch last {
	case "localhost", "local", "internal", "localdomain", "intranet", "lan", "corp", "home":
		return true
	}
	return name == "home.arpa" || strings.HasSuffix(name, ".home.arpa")
}

// isMetadataName reports whether a name is one by which machines in a cloud
// reach the service that hands out their credentials.
func isMetadataName(name string) bool {
	switch name {
	case "metadata", "metadata.google.internal", "metadata.goog", "metadata.azure.internal",
		"instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com":
		return true
	}
	return false
}

func badHost(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidRequest, format, args...)
}

func privateHost(format string, args ...any) error {
	return fault.New(fault.PolicyViolation, format, args...).
		WithHint("give --allow-private if that is where the secret may go")
}
