package brokertest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Canary returns a random made-up secret. It has all the characters that some
// encoding has to escape and that can still travel in a header.
func Canary(t testing.TB) string {
	t.Helper()
	return "cnry-" + rand.Text()[:13] + `/+"\&<%= ~` + rand.Text()[:13]
}

// Word returns a random made-up secret of letters, digits and dashes, as most
// real ones are.
func Word(t testing.TB) string {
	t.Helper()
	return "cnry-" + rand.Text()
}

// Forms returns the secret in every encoding in which an answer, a log or a
// file could show it. Text that contains the secret in base64 at any alignment
// contains one of the forms. A secret under 8 bytes has no forms in base64 and
// hex, as other text has the same characters by chance; the empty one has none.
func Forms(secret string) [][]byte {
	forms := []string{
		secret,
		url.QueryEscape(secret), url.PathEscape(secret), strings.ToUpper(percentAll(secret)),
		strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		lowerEscapes(url.QueryEscape(secret)), lowerEscapes(url.PathEscape(secret)), percentAll(secret),
		jsonEscape(secret, true), jsonEscape(secret, false),
		strings.ReplaceAll(jsonEscape(secret, false), "/", `\/`),
		html.EscapeString(secret), mustache(secret), referAll(secret),
	}
	if len(secret) >= 8 {
		forms = append(forms, longForms(secret)...)
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	out := make([][]byte, 0, len(forms))
	for _, form := range forms {
		if form != "" {
			out = append(out, []byte(form))
		}
	}
	return out
}

// longForms returns the encodings that hide the characters of the secret.
func longForms(secret string) []string {
	inHex := hex.EncodeToString([]byte(secret))
	forms := []string{inHex, strings.ToUpper(inHex)}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		forms = append(forms, enc.EncodeToString([]byte(secret)), enc.WithPadding(base64.NoPadding).EncodeToString([]byte(secret)))
		for before := range 3 {
			forms = append(forms, base64Core(enc, secret, before))
		}
	}
	return forms
}

// base64Core returns those characters of the encoding that the secret alone
// decides on, if it begins before bytes after a multiple of three.
func base64Core(enc *base64.Encoding, secret string, before int) string {
	text := enc.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), secret...))
	return text[(before*8+5)/6 : (before+len(secret))*8/6]
}

// jsonEscape returns the secret as it stands in a JSON string.
func jsonEscape(secret string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(secret); err != nil {
		return ""
	}
	text := strings.TrimSpace(b.String())
	return text[1 : len(text)-1]
}

// percentAll escapes each byte, with lower-case digits.
func percentAll(secret string) string {
	var b strings.Builder
	for i := range len(secret) {
		b.WriteString("%" + hex.EncodeToString([]byte{secret[i]}))
	}
	return b.String()
}

// mustache escapes as Mustache and its kin do in HTML.
func mustache(secret string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "/", "&#x2F;", "`", "&#x60;", "=", "&#x3D;").Replace(secret)
}

// referAll writes each character of ASCII as a reference of HTML and XML.
func referAll(secret string) string {
	var b strings.Builder
	for i := range len(secret) {
		if secret[i] < utf8.RuneSelf {
			fmt.Fprintf(&b, "&#%d;", secret[i])
		} else {
			b.WriteByte(secret[i])
		}
	}
	return b.String()
}

// lowerEscapes writes the digits of percent escapes in lower case.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// Scan fails the test if data has one of the secrets in it, in any form. The
// name says where data is from. Neither secret nor data is printed.
func Scan(t testing.TB, name string, data []byte, secrets ...string) {
	t.Helper()
	if n, at := find(data, secrets); n > 0 {
		t.Errorf("%s: secret %d shows at byte %d of %d", name, n, at, len(data))
	}
}

// find returns the number of a secret that is in data, from 1, and where; or 0.
func find(data []byte, secrets []string) (number, at int) {
	for i, secret := range secrets {
		for _, form := range Forms(secret) {
			if at := bytes.Index(data, form); at >= 0 {
				return i + 1, at
			}
		}
	}
	return 0, 0
}

// ScanDir scans the names and contents of all files below dir.
func ScanDir(t testing.TB, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if n, _ := find([]byte(entry.Name()), secrets); n > 0 {
			t.Errorf("a file name has secret %d in it", n)
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil // sockets, and links to what is scanned or not below dir
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		Scan(t, path, data, secrets...)
		return nil
	})
	if err != nil {
		t.Errorf("scanning: %v", err)
	}
}
