package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"aivault/keys"
	"aivault/keys/fault"
)

func TestEnv(t *testing.T) {
	vars := map[string]string{
		"AIVAULT_KEY": base64.StdEncoding.EncodeToString(canary()),
		"MY_KEY":      hex.EncodeToString(canary()) + "\n",
		"BAD":         "CANARY" + hex.EncodeToString(canary()),
	}
	source := keys.Source{Getenv: func(name string) string { return vars[name] }}
	for _, name := range []string{"", "AIVAULT_KEY", "MY_KEY"} {
		p := provider(t, source, keys.Config{Kind: keys.KindEnv, Var: name})
		for _, get := range []func(context.Context) (keys.Key, error){p.Load, p.Create} {
			key, err := get(t.Context())
			if err != nil || !bytes.Equal(key.Reveal(), canary()) {
				t.Errorf("variable %q does not give the key: %v", name, err)
			}
		}
	}
	for _, c := range []struct{ name, want string }{{"UNSET", "is not set"}, {"BAD", "does not hold a key"}} {
		_, err := provider(t, source, keys.Config{Kind: keys.KindEnv, Var: c.name}).Load(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		if msg := err.Error(); !strings.Contains(msg, c.name) || !strings.Contains(msg, c.want) {
			t.Errorf("%q: want the variable and %q", msg, c.want)
		}
	}
	_, err := provider(t, keys.Source{}, keys.Config{Kind: keys.KindEnv}).Create(t.Context())
	wantCode(t, err, fault.KeyUnavailable)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = provider(t, source, keys.Config{Kind: keys.KindEnv}).Load(ctx)
	wantCode(t, err, fault.Canceled)
}
