package seal_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWycheproof runs the vectors of Project Wycheproof; see testdata/README.md.
func TestWycheproof(t *testing.T) {
	data, err := os.ReadFile("testdata/xchacha20_poly1305_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			IVSize int
			Tests  []struct {
				TCID                               int
				Key, IV, AAD, Msg, CT, Tag, Result string
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range file.TestGroups {
		for _, v := range g.Tests {
			n++
			key, nonce, aad, msg := unhex(t, v.Key), unhex(t, v.IV), unhex(t, v.AAD), unhex(t, v.Msg)
			sealed := append(unhex(t, v.CT), unhex(t, v.Tag)...)
			if len(nonce) != chacha20poly1305.NonceSizeX {
				if v.Result != "invalid" {
					t.Errorf("case %d: a nonce of %d bytes is called %s", v.TCID, len(nonce), v.Result)
				}
				continue // the size of ours is fixed
			}
			aead, err := chacha20poly1305.NewX(key)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := aead.Open(nil, nonce, sealed, aad)
			if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(opened, msg) {
				t.Errorf("case %d is %s, Open says %v", v.TCID, v.Result, err)
			}
			if v.Result == "valid" && !bytes.Equal(aead.Seal(nil, nonce, msg, aad), sealed) {
				t.Errorf("case %d is sealed to other bytes", v.TCID)
			}
		}
	}
	if n != file.NumberOfTests || n != 315 {
		t.Errorf("%d vectors, not 315", n)
	}
}

// TestXChaChaDraft is draft-irtf-cfrg-xchacha-03, A.3.1.
func TestXChaChaDraft(t *testing.T) {
	key := unhex(t, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
	nonce := unhex(t, "404142434445464748494a4b4c4d4e4f5051525354555657")
	aad := unhex(t, "50515253c0c1c2c3c4c5c6c7")
	text := "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
	want := unhex(t, "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"+
		"ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"+
		"21f9664c97637da9768812f615c68b13b52e"+"c0875924c1c7987947deafd8780acf49")
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		t.Fatal(err)
	}
	if got := aead.Seal(nil, nonce, []byte(text), aad); !bytes.Equal(got, want) {
		t.Errorf("sealed to\n%x, want\n%x", got, want)
	}
}

// TestHKDF is RFC 5869, A.1.
func TestHKDF(t *testing.T) {
	ikm := bytes.Repeat([]byte{0x0b}, 22)
	want := unhex(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
	got, err := hkdf.Key(sha256.New, ikm, unhex(t, "000102030405060708090a0b0c"), string(unhex(t, "f0f1f2f3f4f5f6f7f8f9")), len(want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}
