package policy

import (
	"encoding/binary"
	"net/netip"

	"aivault/keys/fault"
)

// CheckAddr decides on an address that a connection is about to be made to. It
// is for the dialer, so that the address which was checked is the one which is
// dialled, whatever a name resolved to a moment ago.
//
// Refused is every address that the special-purpose registries of IANA
// (RFC 6890) do not call globally reachable, and each that carries another
// address inside: those of 6to4, Teredo, NAT64, and IPv4-mapped ones, so a
// caller unmaps what its resolver returned. With allowPrivate, loopback
// addresses and those of private networks pass: 10/8, 172.16/12, 192.168/16,
// 100.64/10 and fc00::/7. The metadata services of cloud machines never do,
// nor do link-local addresses, where most of them live.
func CheckAddr(addr netip.Addr, allowPrivate bool) error {
	if isMetadataAddr(addr) {
		return fault.New(fault.PolicyViolation, "%s is a metadata service, which hands out credentials of the machine", addr)
	}
	kind := kindOf(addr)
	switch {
	case kind.name == "":
		return nil
	case !kind.private:
		return fault.New(fault.PolicyViolation, "the host has an address that is not globally reachable: %s (%s)", addr, kind.name)
	case allowPrivate:
		return nil
	}
	return privateHost("the host has an address that is not globally reachable: %s (%s)", addr, kind.name)
}

// isMetadataAddr reports whether addr is one at which machines in a cloud find
// their credentials: AWS, Azure, Google and most others at 169.254.169.254,
// and those that chose one of their own.
func isMetadataAddr(addr netip.Addr) bool {
	switch addr.Unmap().WithZone("").String() {
	case "169.254.169.254", "fd00:ec2::254", "fe80::a9fe:a9fe",
		"169.254.170.2", "169.254.170.23", "fd00:ec2::23", // containers at AWS
		"168.63.129.16",   // Azure, a public address
		"100.100.100.200", // Alibaba
		"192.0.0.192",     // Oracle
		"fd20:ce::254":    // Google, IPv6 only
		return true
	}
	return false
}

// A kind is why an address is not globally reachable. The zero kind says that
// it is.
type kind struct {
	name    string
	private bool // of this machine, or of a network that its owner runs
}

func kindOf(addr netip.Addr) kind {
	switch {
	case !addr.IsValid():
		return kind{name: "no address"}
	case addr.Is4():
		return kindOf4(addr.As4())
	}
	return kindOf6(addr)
}

// kindOf4 follows the IANA IPv4 Special-Purpose Address Registry.
func kindOf4(a [4]byte) kind {
	n := binary.BigEndian.Uint32(a[:])
	within := func(prefix uint32, bits int) bool { return n>>(32-bits) == prefix>>(32-bits) }
	switch {
	case within(0x7f000000, 8): // 127.0.0.0/8
		return kind{name: "loopback", private: true}
	case within(0x0a000000, 8), within(0xac100000, 12), within(0xc0a80000, 16): // 10/8, 172.16/12, 192.168/16
		return kind{name: "private use", private: true}
	case within(0x64400000, 10): // 100.64.0.0/10
		return kind{name: "shared address space of carriers", private: true}
	case within(0, 8): // 0.0.0.0/8
		return kind{name: "this network"}
	case within(0xa9fe0000, 16): // 169.254.0.0/16
		return kind{name: "link local"}
	case within(0xc0000000, 24): // 192.0.0.0/24
		return kind{name: "IETF protocol assignments"}
	case within(0xc0000200, 24), within(0xc6336400, 24), within(0xcb007100, 24): // 192.0.2/24, 198.51.100/24, 203.0.113/24
		return kind{name: "documentation"}
	case within(0xc0586300, 24): // 192.88.99.0/24
		return kind{name: "6to4 relay anycast"}
	case within(0xc6120000, 15): // 198.18.0.0/15
		return kind{name: "benchmarking"}
	case within(0xe0000000, 4): // 224.0.0.0/4
		return kind{name: "multicast"}
	case within(0xf0000000, 4): // 240.0.0.0/4, with the broadcast address
		return kind{name: "reserved"}
	}
	return kind{}
}

// kindOf6 follows the IANA IPv6 Special-Purpose Address Registry. Global
// unicast addresses are assigned from 2000::/3 alone, so that all else needs
// no rule of its own to be refused.
func kindOf6(addr netip.Addr) kind {
	a := addr.As16()
	n := binary.BigEndian.Uint64(a[:8])
	within := func(prefix uint64, bits int) bool { return n>>(64-bits) == prefix>>(64-bits) }
	switch {
	case addr.Zone() != "":
		return kind{name: "with a zone"}
	case addr.Is4In6():
		return kind{name: "IPv4-mapped"}
	case addr.IsLoopback():
		return kind{name: "loopback", private: true}
	case addr.IsUnspecified():
		return kind{name: "unspecified"}
	case within(0xfc00_0000_0000_0000, 7): // fc00::/7
		return kind{name: "unique local", private: true}
	case within(0xfe80_0000_0000_0000, 10): // fe80::/10
		return kind{name: "link local"}
	case within(0xff00_0000_0000_0000, 8): // ff00::/8
		return kind{name: "multicast"}
	case within(0x0064_ff9b_0000_0000, 32): // 64:ff9b::/96 and 64:ff9b:1::/48
		return kind{name: "NAT64"}
	case !within(0x2000_0000_0000_0000, 3):
		return kind{name: "not assigned for global use"}
	case within(0x2001_0000_0000_0000, 32): // 2001::/32
		return kind{name: "Teredo"}
	case within(0x2001_0000_0000_0000, 23): // 2001::/23, with benchmarking and ORCHID
		return kind{name: "IETF protocol assignments"}
	case within(0x2001_0db8_0000_0000, 32), within(0x3fff_0000_0000_0000, 20): // 2001:db8::/32, 3fff::/20
		return kind{name: "documentation"}
	case within(0x2002_0000_0000_0000, 16): // 2002::/16
		return kind{name: "6to4"}
	}
	return kind{}
}
