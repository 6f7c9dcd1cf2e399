package attack_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/policy"
	"aivault/keys/fault"
)

// refuseHosts has no credential and no capability be made for the hosts.
// Whether a host is malformed or not allowed is not for the attacker to say,
// so that both refusals do.
func refuseHosts(t *testing.T, hosts ...string) {
	t.Helper()
	w := newWorld(t)
	for _, h := range hosts {
		code := fault.PolicyViolation
		if _, err := policy.ParseHost(h, false); fault.CodeOf(err) == fault.InvalidRequest {
			code = fault.InvalidRequest
		}
		w.refuse(t, "a credential for "+h, code, func() error {
			_, err := w.tryCredential(broker.NewCredential{ID: "bad", Hosts: []string{h}})
			return err
		})
		w.refuse(t, "a capability for "+h, code, func() error {
			_, err := w.tryCapability(broker.NewCapability{ID: "api/bad", Hosts: []string{h}})
			return err
		})
	}
	w.allow(t, get(prefix))
}

func TestCase041LoopbackHosts(t *testing.T) {
	t.Parallel()
	refuseHosts(
		t, "localhost", "localhost.", "LOCALHOST", "a.localhost", "127.0.0.1", "127.0.0.1.", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "0",
		"[::1]", "[::ffff:127.0.0.1]", "[::]", "::1", "①②⑦.0.0.1", "127。0。0。1", "[::ffff:7f00:1]", "[::1%25lo]", "printer.local", "intranet", "a.internal",
		"10.0.0.1", "8.8.8.8", "[2001:4860:4860::8888]",
	)
	// And what is made to lead there later is refused when it is dialled.
	w := newWorld(t)
	for _, addr := range []string{"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		w.denyAddr(t, addr)
	}
}

// denyAddr has the host resolve to an address that must not be dialled.
func (w *world) denyAddr(t *testing.T, addr string) {
	t.Helper()
	w.net.Addrs = func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(addr)} }
	dials, conns := len(w.net.Dials()), w.up.Connections()
	w.fail(t, get(prefix), fault.PolicyViolation)
	if len(w.net.Dials()) != dials || w.up.Connections() != conns {
		t.Errorf("%s was dialled", addr)
	}
}

func TestCase042MetadataServices(t *testing.T) {
	t.Parallel()
	names := []string{
		"169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "metadata.google.internal", "metadata.google.internal.", "METADATA.google.internal",
		"168.63.129.16", "metadata", "[::ffff:169.254.169.254]", "169.254.169.254:80", "2852039166",
	}
	refuseHosts(t, names...)
	w := newWorld(t)
	for _, h := range names { // with leave for private hosts too
		_, err := w.tryCredential(broker.NewCredential{ID: "bad", Hosts: []string{h}, AllowPrivate: true, Proof: proof(w.secret)})
		if err == nil {
			t.Errorf("%s was allowed as a private host", h)
		}
	}
	for _, addr := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "::ffff:169.254.169.254", "fd20:ce::254", "192.0.0.192"} {
		w.denyAddr(t, addr)
	}
	// A private host may have an address of a private network, and none of these.
	private := bareWorld(t, brokertest.New(t, "box.internal"))
	private.secret = private.put(t, "BOX_TOKEN")
	private.credential(t, broker.NewCredential{Hosts: []string{"box.internal"}, AllowPrivate: true, CACert: private.up.CAPEM(), Proof: proof(private.secret)})
	private.capability(t, broker.NewCapability{Hosts: []string{"box.internal"}})
	for _, addr := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "169.254.0.1", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::"} {
		private.denyAddr(t, addr)
	}
	private.net.Addrs = func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("10.0.0.1")} }
	private.allow(t, get(prefix))
}

// specialAddrs are those that nothing public has, by the registries of IANA:
// each range by its edges.
const specialAddrs = `
	0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0 127.255.255.255
	169.254.0.0 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255
	192.88.99.0 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.7
	224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.255
	:: ::1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
	2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fdff::1 fe80::1 fec0::1 ff02::1`

func TestCase043ResolvedAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for addr := range strings.FieldsSeq(specialAddrs) {
		w.denyAddr(t, addr)
	}
	// On the real network the same answer comes from the check on the socket.
	w.connect(t, func(c *broker.Config) { c.Dial = nil })
	for _, addr := range []string{"127.0.0.1", "10.0.0.1", "100.64.0.1", "::1", "::ffff:127.0.0.1"} {
		w.denyAddr(t, addr)
	}
	w.net.Addrs = func(string) []netip.Addr { return nil }
	w.fail(t, get(prefix), fault.UpstreamUnreachable)
}

func TestCase044Rebinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answers := [][]string{{"1.1.1.1"}, {"127.0.0.1"}, {"127.0.0.1", "10.0.0.1"}, {"::ffff:127.0.0.1", "1.0.0.1"}}
	w.net.Addrs = func(string) (addrs []netip.Addr) {
		for _, a := range answers[0] {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		answers = answers[1:]
		return addrs
	}
	w.allow(t, get(prefix))
	w.broker.Close() // the next call has to look the name up again
	w.fail(t, get(prefix), fault.PolicyViolation)
	w.fail(t, get(prefix), fault.PolicyViolation)
	w.allow(t, get(prefix))
	// What was checked was dialled, and each name looked up once for that.
	if got, want := w.net.Dials(), []string{"1.1.1.1:443", "1.0.0.1:443"}; !slices.Equal(got, want) {
		t.Errorf("dialled %q, want %q", got, want)
	}
	if got := w.net.Lookups(); !slices.Equal(got, slices.Repeat([]string{host}, 4)) {
		t.Errorf("looked up %q", got)
	}
}

func TestCase046MalformedHosts(t *testing.T) {
	t.Parallel()
	refuseHosts(
		t, "user@api.test", "user:pass@api.test", "api.test:80", "api.test:8443", "api.test:0", "api.test:65536", "api.test:", "api.test:443:443",
		"api.test/path", "api.test/", "https://api.test", "api%2etest", "api test", " api.test", "api.test\n", "api_x.test", "api..test", ".api.test", "api.test..",
		"-api.test", "api-.test", "", ".", "api.test?x", "api.test#x", `api.test\x`, "api.test,evil.test", "api\x00.test", "[api.test]", "api.test]",
		strings.Repeat("a", 64)+".test", strings.Repeat("abcdefg.", 32)+"test", strings.Repeat("a", 100_000),
	)
	// 443 is the port that there is, and so none.
	w := bareWorld(t, brokertest.New(t, host))
	w.secret = w.put(t, "API_TOKEN")
	w.credential(t, broker.NewCredential{Hosts: []string{"api.test:443"}})
	w.capability(t, broker.NewCapability{})
	if got, _ := w.allow(t, get(prefix)); got.Host != host {
		t.Errorf("Host: %s", got.Host)
	}
}

func TestCase047OneFormOfAName(t *testing.T) {
	t.Parallel()
	const unicodeName, ascii = "bücher.test", "xn--bcher-kva.test"
	for i, pair := range [][2]string{
		{"API.test", "api.test"},
		{"api.test.", "API.TEST"},
		{"api。test", "api．test"},
		{"ａｐｉ.test", "Api.Test."},
		{unicodeName, ascii},
		{"XN--BCHER-KVA.test", "BÜCHER.test."},
		{"bu\u0308cher.test", unicodeName},
	} {
		w := bareWorld(t, brokertest.New(t, host, ascii))
		w.secret = w.put(t, "API_TOKEN")
		w.credential(t, broker.NewCredential{Hosts: []string{pair[0]}})
		w.capability(t, broker.NewCapability{Hosts: []string{pair[1]}})
		want := host
		if i > 3 {
			want = ascii
		}
		got, answer := w.allow(t, get(prefix))
		seen := []string{got.Host, got.SNI, w.net.Lookups()[0], strings.TrimSuffix(strings.TrimPrefix(answer.URL, "https://"), prefix)}
		if !slices.Equal(seen, slices.Repeat([]string{want}, 4)) {
			t.Errorf("%q: Host, SNI, the name looked up and the URL are %q, want %s", pair, seen, want)
		}
	}
	// A name that only looks the same is another one.
	w := newWorld(t)
	for i, h := range []string{"аpi.test", "api.tеst", "api-test.test", "api.test.evil.test"} {
		id := fmt.Sprintf("api/other%d", i)
		w.capability(t, broker.NewCapability{ID: id, Hosts: []string{h}})
		w.deny(t, broker.Call{Capability: id, Method: "GET", Path: prefix}, fault.CredentialNotFound)
	}
}

func TestCase048Wildcards(t *testing.T) {
	t.Parallel()
	refuseHosts(t, "*.test", "*", "*.co.uk", "*.github.io", "*.myshopify.com", "api.*.test", "a*.test", "*api.test", "?.test", "%2a.test")
	w := newWorld(t)
	for i, h := range []string{"a.api.test", "a.b.api.test", "evilapi.test", "test.api", "xapi.test"} {
		id := fmt.Sprintf("api/other%d", i)
		w.capability(t, broker.NewCapability{ID: id, Hosts: []string{h}})
		w.deny(t, broker.Call{Capability: id, Method: "GET", Path: prefix}, fault.CredentialNotFound)
	}
	// Not even the operator widens a credential that is there.
	w.refuse(t, "a second host without the value", fault.OperatorAuthRequired, func() error {
		_, err := w.tryCredential(broker.NewCredential{ID: "wider", Hosts: []string{"a.api.test"}})
		return err
	})
}
