package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWhatACopyShows looks through the file for everything that was put into
// the vault, in the encodings that are usual.
// Case 119.
func TestWhatACopyShows(t *testing.T) {
	l, dir, secrets := furnished(t)
	for range 3 { // some history
		if _, err := l.RotateSecret(t.Context(), secrets[2].ID, val("made-up-value-2"), 0); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{"consumer-x", "w-furnished", "g-furnished", "host-furnished.test", "field-furnished", "acme", "Authorization", "operator", "secret.create", "x-note", "made-up-value"}
	for i, s := range secrets {
		words = append(words, s.Name, "alias-"+s.Name, "cred-"+s.Name, "acme/cap-"+s.Name, "disabled-"+s.Name, fmt.Sprint("made-up-value-", i))
	}
	scanned := 0
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "kek.key" {
			return err
		}
		data := []byte(read(t, path))
		scanned += len(data)
		lower := bytes.ToLower(data)
		for _, word := range words {
			for how, form := range encodings(word) {
				if len(form) >= 4 && bytes.Contains(lower, bytes.ToLower([]byte(form))) { // shorter ones are there by chance
					t.Errorf("%s shows %q as %s", e.Name(), word, how)
				}
			}
		}
		return nil
	}))
	if scanned < 10_000 {
		t.Errorf("only %d bytes were looked through", scanned)
	}
	if !strings.Contains(read(t, vaultFile(dir)), "kek.key") {
		t.Error("the scan does not even find the slot's path, which is in clear")
	}
}

// encodings are the forms in which a text may stand in a file.
func encodings(s string) map[string]string {
	b := []byte(s)
	utf16 := make([]byte, 0, 2*len(b))
	for _, c := range b {
		utf16 = append(utf16, c, 0)
	}
	reversed := bytes.Clone(b)
	slices.Reverse(reversed)
	forms := map[string]string{
		"itself": s, "hex": hex.EncodeToString(b), "UTF-16": string(utf16), "reversed": string(reversed), "URL": url.QueryEscape(s),
	}
	for shift := range 3 { // base64, wherever the text begins in it
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), b...))
		if inner := text[2*shift : len(text)-2]; len(inner) > 6 {
			forms[fmt.Sprint("base64 at ", shift)] = inner
		}
	}
	return forms
}
