package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"testing"
)

// RFC 4231, section 4: test cases 1, 2, 3 and 6.
func TestMAC(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, data, sha256, sha512 string }{
		{
			string(bytes.Repeat([]byte{0x0b}, 20)), "Hi There",
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
			"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
		},
		{
			"Jefe", "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
		},
		{
			string(bytes.Repeat([]byte{0xaa}, 20)), string(bytes.Repeat([]byte{0xdd}, 50)),
			"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
			"fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
		},
		{
			string(bytes.Repeat([]byte{0xaa}, 131)), "Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
			"80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
		},
	} {
		if got := mac(sha256.New, []byte(test.key), []byte(test.data)); string(got) != test.sha256 {
			t.Errorf("%q: SHA-256 %s, want %s", test.data, got, test.sha256)
		}
		if got := mac(sha512.New, []byte(test.key), []byte(test.data)); string(got) != test.sha512 {
			t.Errorf("%q: SHA-512 %s, want %s", test.data, got, test.sha512)
		}
	}
}
