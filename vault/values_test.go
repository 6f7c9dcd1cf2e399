package vault_test

import (
	"fmt"
	"strings"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func TestValues(t *testing.T) {
	l := vaulttest.New(t, nil)
	long := strings.Repeat("v", vault.MaxValue)
	tests := []struct {
		what, value, stored string // stored as; empty: refused
	}{
		{"plain", "made-up", "made-up"},
		{"one byte", "x", "x"},
		{"any bytes", "a\x00\xff\x1b", "a\x00\xff\x1b"},
		{"a final newline goes", "made-up\n", "made-up"},
		{"and one of Windows", "made-up\r\n", "made-up"},
		{"but one only", "made-up\n\n", "made-up\n\n"},
		{"and of one line only", "a\nb\n", "a\nb\n"},
		{"a newline before", "\nmade-up", "\nmade-up"},
		{"space stays", " made-up ", " made-up "},
		{"a carriage return stays", "made-up\r", "made-up\r"},
		{"64 KiB", long, long},
		{"64 KiB and a newline", long + "\n", long},
		{"empty", "", ""},
		{"a newline alone", "\n", ""},
		{"a newline of Windows alone", "\r\n", ""},
		{"64 KiB and a byte", long + "v", ""},
	}
	for i, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			given := val(test.value)
			s, err := l.CreateSecret(t.Context(), vault.NewSecret{Name: fmt.Sprint("n", i), Scope: vault.GlobalScope(), Value: given})
			if string(given.Reveal()) != test.value {
				t.Error("the vault changed the value that it was given")
			}
			if test.stored == "" {
				wantCode(t, err, fault.InvalidRequest)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.CreateCredential(t.Context(), credential(fmt.Sprint("c", i), s.ID, "api.test"), nil); err != nil {
				t.Fatal(err)
			}
			if got, err := reveal(t.Context(), l, s.ID, "api.test"); err != nil || got != test.stored {
				t.Errorf("%d bytes came back, %v, not the %d that were stored", len(got), err, len(test.stored))
			}
			_, err = l.RotateSecret(t.Context(), s.ID, val(test.value+"?"), 0)
			if len(test.stored) == vault.MaxValue {
				wantCode(t, err, fault.InvalidRequest)
			}
		})
	}
}
