package ui_test

// What a service does that verifies a signature. Nothing in this file comes
// from aivault, or from the libraries that it signs with: both are checked by
// what is published about the signatures, and the hash functions of Go.

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A seen is a request as a service sees it.
type seen struct {
	Method, Host, URI string
	Headers           [][2]string
	Body              []byte
	Certificates      [][]byte // those of the client, in DER
}

func (r seen) get(name string) string {
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

func (r seen) target() (path, query string) {
	path, query, _ = strings.Cut(r.URI, "?")
	return path, query
}

// hashHex is a hash in lower-case hexadecimal.
func hashHex(h func() hash.Hash, text []byte) string {
	sum := h()
	sum.Write(text)
	return hex.EncodeToString(sum.Sum(nil))
}

// keyedHash is HMAC as RFC 2104 has it.
func keyedHash(h func() hash.Hash, key, text []byte) []byte {
	inner, outer := h(), h()
	if len(key) > inner.BlockSize() {
		sum := h()
		sum.Write(key)
		key = sum.Sum(nil)
	}
	pad := func(with byte) []byte {
		block := make([]byte, inner.BlockSize())
		copy(block, key)
		for i := range block {
			block[i] ^= with
		}
		return block
	}
	inner.Write(pad(0x36))
	inner.Write(text)
	outer.Write(pad(0x5c))
	outer.Write(inner.Sum(nil))
	return outer.Sum(nil)
}

// fresh refuses what was signed at another time.
func fresh(signed, now time.Time) error {
	if d := now.Sub(signed).Abs(); d > time.Minute {
		return fmt.Errorf("it was signed %v off", d)
	}
	return nil
}

// awsEscape is UriEncode of the IAM User Guide, "Create a signed AWS API
// request": everything is escaped but the unreserved characters and, in paths,
// the slash.
func awsEscape(s string, slash bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 || slash && c == '/' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", errors.New("an escape that is cut off")
		}
		c, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", err
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

// awsPath is the canonical path. S3 escapes the path that was meant once; the
// others escape what was sent.
func awsPath(path, service string) (string, error) {
	if service == "s3" {
		var err error
		if path, err = unescape(path); err != nil {
			return "", err
		}
	}
	return awsEscape(path, true), nil
}

// awsQuery is the canonical query: its pairs, decoded and escaped again, by
// name and then by value.
func awsQuery(query string) (string, error) {
	if query == "" {
		return "", nil
	}
	var pairs [][2]string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, err := unescape(name)
		if err != nil {
			return "", err
		}
		v, err := unescape(value)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, [2]string{awsEscape(n, false), awsEscape(v, false)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var out []string
	for _, p := range pairs {
		out = append(out, p[0]+"="+p[1])
	}
	return strings.Join(out, "&"), nil
}

// awsKeys are what AWS knows of an account.
type awsKeys struct{ id, secret, token string }

// verifyAWS recomputes a Signature Version 4 from the request alone.
func verifyAWS(r seen, k awsKeys, service, region string, now time.Time) error {
	date := r.get("X-Amz-Date")
	signedAt, err := time.Parse("20060102T150405Z", date)
	if err != nil {
		return err
	}
	if err := fresh(signedAt, now); err != nil {
		return err
	}
	scope := date[:8] + "/" + region + "/" + service + "/aws4_request"
	begin := "AWS4-HMAC-SHA256 Credential=" + k.id + "/" + scope + ", SignedHeaders="
	rest, ok := strings.CutPrefix(r.get("Authorization"), begin)
	names, signature, ok2 := strings.Cut(rest, ", Signature=")
	if !ok || !ok2 {
		return errors.New("the authorization is another one")
	}
	signed := strings.Split(names, ";")
	must := []string{"host", "x-amz-date"}
	for _, name := range []string{"content-type", "x-amz-content-sha256", "x-amz-security-token"} {
		if r.get(name) != "" {
			must = append(must, name)
		}
	}
	for _, name := range must {
		if !slices.Contains(signed, name) {
			return fmt.Errorf("%s is not signed", name)
		}
	}
	if !slices.IsSorted(signed) || r.get("X-Amz-Security-Token") != k.token {
		return errors.New("the headers are out of order, or the session is another one")
	}
	bodyHash := hashHex(sha256.New, r.Body)
	if got := r.get("X-Amz-Content-Sha256"); got != bodyHash && (got != "" || service == "s3") {
		return errors.New("the hash of the body is another one")
	}
	path, query := r.target()
	if path, err = awsPath(path, service); err != nil {
		return err
	}
	if query, err = awsQuery(query); err != nil {
		return err
	}
	lines := []string{r.Method, path, query}
	for _, name := range signed {
		value := r.get(name)
		if name == "host" {
			value = r.Host
		}
		lines = append(lines, name+":"+strings.Join(strings.Fields(value), " "))
	}
	lines = append(lines, "", names, bodyHash)
	text := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hashHex(sha256.New, []byte(strings.Join(lines, "\n")))
	key := []byte("AWS4" + k.secret)
	for _, part := range append(strings.Split(scope, "/"), text) {
		key = keyedHash(sha256.New, key, []byte(part))
	}
	if want := hex.EncodeToString(key); signature != want {
		return fmt.Errorf("the signature is %s, not %s", signature, want)
	}
	return nil
}

// verifyHMAC recomputes the signature of an hmac credential, as aivault
// documents it, which is the value of a header after a beginning.
func verifyHMAC(r seen, h func() hash.Hash, key, header, begin string, now time.Time) error {
	seconds, err := strconv.ParseInt(r.get(header+"-Timestamp"), 10, 64)
	if err != nil {
		return err
	}
	if err := fresh(time.Unix(seconds, 0), now); err != nil {
		return err
	}
	path, query := r.target()
	pairs := strings.Split(query, "&")
	slices.Sort(pairs)
	text := fmt.Sprintf("aivault-hmac-v1\n%s\n%s\n%s\n%s\n%d\n%s", r.Method, r.Host, path, strings.Join(pairs, "&"), seconds, hashHex(h, r.Body))
	if want := begin + hex.EncodeToString(keyedHash(h, []byte(key), []byte(text))); r.get(header) != want {
		return fmt.Errorf("the signature is %s, not %s", r.get(header), want)
	}
	return nil
}

// The verifiers themselves: test case 2 of RFC 4231, and get-vanilla of the test
// suite of AWS.
func TestVerifiersOfSignatures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		h    func() hash.Hash
		want string
	}{
		{sha256.New, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{sha512.New, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
	} {
		if got := hex.EncodeToString(keyedHash(test.h, []byte("Jefe"), []byte("what do ya want for nothing?"))); got != test.want {
			t.Errorf("HMAC is %s, want %s", got, test.want)
		}
	}
	r := seen{
		Method: "GET", Host: "example.amazonaws.com", URI: "/",
		Headers: [][2]string{
			{"X-Amz-Date", "20150830T123600Z"},
			{"Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
				"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		},
	}
	k := awsKeys{id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	if err := verifyAWS(r, k, "service", "us-east-1", at); err != nil {
		t.Error(err)
	}
	other := r
	other.URI = "/?a=1"
	if verifyAWS(other, k, "service", "us-east-1", at) == nil || verifyAWS(r, k, "service", "us-east-1", at.Add(time.Hour)) == nil {
		t.Error("another request verifies, or the same one an hour later")
	}
}
