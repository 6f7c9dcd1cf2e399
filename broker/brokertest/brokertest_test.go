package brokertest_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aivault/broker/brokertest"
)

// A recorder stands in for the test that a scanner fails.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestScanFindsEveryForm(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{brokertest.Canary(t), brokertest.Word(t)} {
		b64, b64url := base64.StdEncoding, base64.URLEncoding
		inJSON, err := json.Marshal("x" + secret)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"raw":              secret,
			"query":            url.QueryEscape(secret),
			"path":             url.PathEscape(secret),
			"base64":           b64.EncodeToString([]byte(secret)),
			"base64 after 1":   b64.EncodeToString([]byte("u" + secret + "x")),
			"base64 after 2":   b64.EncodeToString([]byte("u:" + secret)),
			"base64 after 3":   b64.EncodeToString([]byte("us:" + secret + "xy")),
			"base64url":        b64url.EncodeToString([]byte("user:" + secret)),
			"base64 no pad":    base64.RawStdEncoding.EncodeToString([]byte("user:" + secret)),
			"base64url no pad": base64.RawURLEncoding.EncodeToString([]byte(secret)),
			"hex":              hex.EncodeToString([]byte("x" + secret)),
			"upper hex":        strings.ToUpper(hex.EncodeToString([]byte(secret))),
			"JSON":             string(inJSON),
			"HTML":             html.EscapeString(secret),
		} {
			r := &recorder{TB: t}
			brokertest.Scan(r, "text", []byte("before "+text+" after"), "another-secret", secret)
			if len(r.errors) != 1 || !strings.Contains(r.errors[0], "text: secret 2 shows") {
				t.Errorf("%s: errors %d", name, len(r.errors))
			}
			for _, e := range r.errors {
				brokertest.Scan(t, "the scanner's own error", []byte(e), secret)
			}
		}
	}
}

func TestScanPassesWhatIsClean(t *testing.T) {
	t.Parallel()
	one, other := brokertest.Canary(t), brokertest.Canary(t)
	brokertest.Scan(t, "another secret", []byte(one), other)
	brokertest.Scan(t, "part of a secret", []byte(one[:len(one)-1]), one)
	brokertest.Scan(t, "no secret", []byte("text"), "")
}

func TestScanDir(t *testing.T) {
	t.Parallel()
	secret := brokertest.Word(t)
	dir := t.TempDir()
	below := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(below, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("clean", "nothing")
	brokertest.ScanDir(t, dir, secret)

	write("dirty", "x"+secret)
	write(secret, "")
	r := &recorder{TB: t}
	brokertest.ScanDir(r, dir, secret)
	if len(r.errors) != 2 {
		t.Errorf("%d errors for a file and a file name with the secret, want 2", len(r.errors))
	}
	for _, e := range r.errors {
		brokertest.Scan(t, "the scanner's own error", []byte(e), secret)
	}
}
