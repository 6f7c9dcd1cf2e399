package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

func TestParseHost(t *testing.T) {
	const (
		bad    = fault.InvalidRequest
		beyond = fault.PolicyViolation
	)
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".")
	for _, tc := range []struct {
		name    string
		in      string
		public  string     // canonical form; empty: refused
		code    fault.Code // of the refusal
		private string     // with allowPrivate; empty: refused; "=": as public
		pcode   fault.Code
	}{
		{name: "plain", in: "api.test", public: "api.test", private: "="},
		{name: "3.4/47 upper case", in: "API.test", public: "api.test", private: "="},
		{name: "3.4/47 dot at the end", in: "api.test.", public: "api.test", private: "="},
		{name: "3.4/47 U-label", in: "Bücher.test", public: "xn--bcher-kva.test", private: "="},
		{name: "3.4/47 A-label", in: "XN--bcher-KVA.test", public: "xn--bcher-kva.test", private: "="},
		{name: "3.4/47 ideographic full stop", in: "api。test", public: "api.test", private: "="},
		{name: "3.4/47 ideographic full stop at the end", in: "api.test。", public: "api.test", private: "="},
		{name: "3.4/47 full width", in: "ａｐｉ．ｔｅｓｔ", public: "api.test", private: "="},
		{name: "3.4/47 mixed script", in: "аpi.test", public: "xn--pi-6kc.test", private: "="},
		{name: "3.4/47 A-label of nothing", in: "xn--a.test", code: bad, pcode: bad},
		{name: "longest", in: long, public: long, private: "="},

		{name: "3.4/41 localhost", in: "localhost", code: beyond, private: "localhost"},
		{name: "3.4/41 localhost with a dot", in: "localhost.", code: beyond, private: "localhost"},
		{name: "3.4/41 below localhost", in: "a.localhost", code: beyond, private: "a.localhost"},
		{name: "3.4/41 loopback", in: "127.0.0.1", code: beyond, private: "127.0.0.1"},
		{name: "3.4/41 two parts", in: "127.1", code: bad, pcode: bad},
		{name: "3.4/41 decimal", in: "2130706433", code: bad, pcode: bad},
		{name: "3.4/41 hex", in: "0x7f.1", code: bad, pcode: bad},
		{name: "3.4/41 hex last", in: "127.0.0.0x1", code: bad, pcode: bad},
		{name: "3.4/41 octal", in: "0177.0.0.1", code: bad, pcode: bad},
		{name: "3.4/41 zero", in: "0", code: bad, pcode: bad},
		{name: "3.4/41 dotted, with a dot", in: "127.0.0.1.", code: beyond, private: "127.0.0.1"},
		{name: "3.4/41 IPv6 loopback", in: "[::1]", code: beyond, private: "[::1]"},
		{name: "3.4/41 IPv6 loopback, long", in: "[0:0:0:0:0:0:0:1]", code: beyond, private: "[::1]"},
		{name: "3.4/41 IPv4-mapped", in: "[::ffff:127.0.0.1]", code: beyond, pcode: beyond},
		{name: "3.4/41 unspecified", in: "[::]", code: beyond, pcode: beyond},
		{name: "3.4/41 circled digits", in: "①②⑦.0.0.1", code: beyond, private: "127.0.0.1"},
		{name: "3.4/41 full-width digits", in: "１２７.0.0.1", code: beyond, private: "127.0.0.1"},
		{name: "3.4/41 private address", in: "10.1.2.3", code: beyond, private: "10.1.2.3"},
		{name: "3.4/41 public address", in: "8.8.8.8", code: beyond, private: "8.8.8.8"},
		{name: "3.4/41 single label", in: "intranet", code: beyond, private: "intranet"},
		{name: "3.4/41 mDNS", in: "printer.local", code: beyond, private: "printer.local"},
		{name: "3.4/41 home network", in: "nas.home.arpa", code: beyond, private: "nas.home.arpa"},

		{name: "3.4/42 metadata", in: "169.254.169.254", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata, IPv6", in: "[fd00:ec2::254]", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata, Alibaba", in: "100.100.100.200", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata, Azure", in: "168.63.129.16", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata by name", in: "metadata.google.internal", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata by name, with a dot", in: "Metadata.Google.Internal.", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata, mapped", in: "[::ffff:169.254.169.254]", code: beyond, pcode: beyond},
		{name: "3.4/42 metadata, hex", in: "0xa9fea9fe", code: bad, pcode: bad},

		{name: "3.4/46 userinfo", in: "user:canary@api.test", code: bad, pcode: bad},
		{name: "3.4/46 at sign", in: "@api.test", code: bad, pcode: bad},
		{name: "3.4/46 port", in: "api.test:8443", code: beyond, private: "api.test:8443"},
		{name: "3.4/46 the usual port", in: "api.test:443", public: "api.test", private: "="},
		{name: "3.4/46 port of an address", in: "127.0.0.1:8443", code: beyond, private: "127.0.0.1:8443"},
		{name: "3.4/46 port of an IPv6 address", in: "[::1]:8443", code: beyond, private: "[::1]:8443"},
		{name: "3.4/46 port zero", in: "api.test:0", code: bad, pcode: bad},
		{name: "3.4/46 port too high", in: "api.test:65536", code: bad, pcode: bad},
		{name: "3.4/46 port with a zero", in: "api.test:08443", code: bad, pcode: bad},
		{name: "3.4/46 port with a sign", in: "api.test:+443", code: bad, pcode: bad},
		{name: "3.4/46 port missing", in: "api.test:", code: bad, pcode: bad},
		{name: "3.4/46 path", in: "api.test/x", code: bad, pcode: bad},
		{name: "3.4/46 URL", in: "https://api.test", code: bad, pcode: bad},
		{name: "3.4/46 query", in: "api.test?x", code: bad, pcode: bad},
		{name: "3.4/46 percent", in: "api%2etest", code: bad, pcode: bad},
		{name: "3.4/46 zone", in: "[fe80::1%25eth0]", code: bad, pcode: bad},
		{name: "3.4/46 space", in: "api .test", code: bad, pcode: bad},
		{name: "3.4/46 NUL", in: "api\x00.test", code: bad, pcode: bad},
		{name: "3.4/46 underscore", in: "my_api.test", code: bad, pcode: bad},
		{name: "3.4/46 dash first", in: "-api.test", code: bad, pcode: bad},
		{name: "3.4/46 empty label", in: "api..test", code: bad, pcode: bad},
		{name: "3.4/46 dot first", in: ".api.test", code: bad, pcode: bad},
		{name: "3.4/46 two dots at the end", in: "api.test..", code: bad, pcode: bad},
		{name: "3.4/46 over 253 bytes", in: long + "a", code: bad, pcode: bad},
		{name: "3.4/46 label over 63 bytes", in: "a" + label + ".test", code: bad, pcode: bad},
		{name: "3.4/46 empty", in: "", code: bad, pcode: bad},
		{name: "3.4/46 dot", in: ".", code: bad, pcode: bad},
		{name: "3.4/46 not UTF-8", in: "api\xff.test", code: bad, pcode: bad},
		{name: "3.4/46 IPv6 without brackets", in: "::1", code: bad, pcode: bad},
		{name: "3.4/46 bracket alone", in: "[::1", code: bad, pcode: bad},
		{name: "3.4/46 brackets around a name", in: "[api.test]", code: bad, pcode: bad},
		{name: "3.4/48 wildcard", in: "*.example.test", code: bad, pcode: bad},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			private := tc.private
			if private == "=" {
				private = tc.public
			}
			for _, c := range []struct {
				allowPrivate bool
				want         string
				code         fault.Code
			}{{false, tc.public, tc.code}, {true, private, tc.pcode}} {
				got, err := policy.ParseHost(tc.in, c.allowPrivate)
				if got != c.want || fault.CodeOf(err) != c.code {
					t.Errorf("allowPrivate %t: got %q, %v; want %q, code %q", c.allowPrivate, got, err, c.want, c.code)
				}
				if err != nil && strings.Contains(err.Error()+fault.HintOf(err), "canary") {
					t.Errorf("the error repeats the host: %v", err)
				}
			}
		})
	}
}

func FuzzHost(f *testing.F) {
	for _, seed := range []string{
		"api.test", "API.Test.", "Bücher.test", "xn--bcher-kva.test", "api。test", "127.1", "0x7f.1", "[::1]:8443",
		"①②⑦.0.0.1", "a:443", "localhost", "1.2.3.4:443", "[fd00:ec2::254]", "a.0x", "xn--0-.test", "faß.test",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, allowPrivate := range []bool{false, true} {
			host, err := policy.ParseHost(s, allowPrivate)
			if err != nil {
				continue
			}
			if again, err := policy.ParseHost(host, allowPrivate); again != host || err != nil {
				t.Fatalf("the canonical form of %q is %q (%v)", host, again, err)
			}
			addr, isAddr := address(host)
			if isAddr && !allowPrivate {
				t.Fatalf("%q became the address %q", s, host)
			}
			if isAddr && policy.CheckAddr(addr, true) != nil {
				t.Fatalf("%q became the address %q, which is never allowed", s, host)
			}
			if strings.ContainsAny(host, "/@?#%\\ *_") || host != strings.ToLower(host) {
				t.Fatalf("%q became %q", s, host)
			}
		}
	})
}

// address reads a canonical host as an address, with or without a port.
func address(host string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return ap.Addr(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return addr, err == nil
}
