package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

func TestCheckAddr(t *testing.T) {
	const (
		never   = "never"
		private = "private" // with allowPrivate only
		public  = "public"
	)
	for _, tc := range []struct {
		name, want, addrs string // the edges of the range, as a rule
	}{
		{"this network", never, "0.0.0.0 0.0.0.1 0.255.255.255"},
		{"after this network", public, "1.0.0.0"},
		{"before 10/8", public, "9.255.255.255"},
		{"10/8", private, "10.0.0.0 10.255.255.255"},
		{"after 10/8", public, "11.0.0.0"},
		{"before 100.64/10", public, "100.63.255.255"},
		{"100.64/10", private, "100.64.0.0 100.127.255.255"},
		{"after 100.64/10", public, "100.128.0.0"},
		{"before 127/8", public, "126.255.255.255"},
		{"127/8", private, "127.0.0.0 127.0.0.1 127.255.255.255"},
		{"after 127/8", public, "128.0.0.0"},
		{"before 169.254/16", public, "169.253.255.255"},
		{"169.254/16", never, "169.254.0.0 169.254.255.255"},
		{"after 169.254/16", public, "169.255.0.0"},
		{"before 172.16/12", public, "172.15.255.255"},
		{"172.16/12", private, "172.16.0.0 172.31.255.255"},
		{"after 172.16/12", public, "172.32.0.0"},
		{"before 192.0.0/24", public, "191.255.255.255"},
		{"192.0.0/24", never, "192.0.0.0 192.0.0.170 192.0.0.255"},
		{"after 192.0.0/24", public, "192.0.1.0 192.0.1.255"},
		{"192.0.2/24", never, "192.0.2.0 192.0.2.255"},
		{"after 192.0.2/24", public, "192.0.3.0"},
		{"before 192.88.99/24", public, "192.88.98.255"},
		{"192.88.99/24", never, "192.88.99.0 192.88.99.255"},
		{"after 192.88.99/24", public, "192.88.100.0"},
		{"before 192.168/16", public, "192.167.255.255"},
		{"192.168/16", private, "192.168.0.0 192.168.255.255"},
		{"after 192.168/16", public, "192.169.0.0"},
		{"before 198.18/15", public, "198.17.255.255"},
		{"198.18/15", never, "198.18.0.0 198.19.255.255"},
		{"after 198.18/15", public, "198.20.0.0"},
		{"before 198.51.100/24", public, "198.51.99.255"},
		{"198.51.100/24", never, "198.51.100.0 198.51.100.255"},
		{"after 198.51.100/24", public, "198.51.101.0"},
		{"before 203.0.113/24", public, "203.0.112.255"},
		{"203.0.113/24", never, "203.0.113.0 203.0.113.255"},
		{"after 203.0.113/24", public, "203.0.114.0"},
		{"before multicast", public, "223.255.255.255"},
		{"multicast", never, "224.0.0.0 239.255.255.255"},
		{"reserved", never, "240.0.0.0 255.255.255.254"},
		{"broadcast", never, "255.255.255.255"},
		{"3.4/42 metadata", never, "169.254.169.254 100.100.100.200 168.63.129.16 fd00:ec2::254 fd20:ce::254 169.254.170.2"},
		{"beside metadata", public, "168.63.129.15 168.63.129.17"},
		{"beside metadata, private", private, "100.100.100.199 fd00:ec2::253"},

		{"IPv6 unspecified", never, "::"},
		{"IPv6 loopback", private, "::1"},
		{"after IPv6 loopback", never, "::2"},
		{"IPv4-compatible", never, "::127.0.0.1 ::8.8.8.8"},
		{"IPv4-mapped", never, "::ffff:0.0.0.0 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254"},
		{"IPv4-translated", never, "::ffff:0:8.8.8.8"},
		{"NAT64", never, "64:ff9b:: 64:ff9b::8.8.8.8 64:ff9b::ffff:ffff 64:ff9b:1:: 64:ff9b:1:ffff:ffff:ffff:ffff:ffff"},
		{"discard", never, "100:: 100::ffff:ffff:ffff:ffff 100:0:0:1::"},
		{"before global unicast", never, "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"global unicast", public, "2000:: 2606:4700::1111"},
		{"Teredo", never, "2001:: 2001:0:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"protocol assignments", never, "2001:1::1 2001:2:: 2001:10:: 2001:20:: 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"after protocol assignments", public, "2001:200:: 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"IPv6 documentation", never, "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"after IPv6 documentation", public, "2001:db9::"},
		{"6to4", never, "2002:: 2002:7f00:1:: 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"after 6to4", public, "2003::"},
		{"before new documentation", public, "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"new documentation", never, "3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"after new documentation", public, "3fff:1000::"},
		{"after global unicast", never, "4000:: 5f00::1 fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"unique local", private, "fc00:: fd12:3456::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"between", never, "fe00:: fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"IPv6 link local", never, "fe80:: fe80::1 febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80::1%eth0"},
		{"site local", never, "fec0::1"},
		{"IPv6 multicast", never, "ff00:: ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"with a zone", never, "2606:4700::1111%eth0 ::1%lo"},
	} {
		for s := range strings.FieldsSeq(tc.addrs) {
			t.Run("3.4/43 "+tc.name+" "+s, func(t *testing.T) {
				t.Parallel()
				addr := netip.MustParseAddr(s)
				for _, allowPrivate := range []bool{false, true} {
					err := policy.CheckAddr(addr, allowPrivate)
					allowed := tc.want == public || tc.want == private && allowPrivate
					if (err == nil) != allowed {
						t.Errorf("allowPrivate %t: got %v, want it %s", allowPrivate, err, tc.want)
					}
					if err != nil && fault.CodeOf(err) != fault.PolicyViolation {
						t.Errorf("allowPrivate %t: code %q", allowPrivate, fault.CodeOf(err))
					}
				}
			})
		}
	}
	t.Run("no address", func(t *testing.T) {
		if policy.CheckAddr(netip.Addr{}, true) == nil {
			t.Error("the zero address is allowed")
		}
	})
}
