package vault_test

import (
	"testing"

	"aivault/keys"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func TestRotateSmoke(t *testing.T) {
	h := settled(t, keys.KindKeyring, keys.KindPassphrase)
	s := vaulttest.Create(t, h.now, vault.GlobalScope(), "ONE", "made-up-value")
	_, err := h.now.CreateCredential(t.Context(), credential("acme-2", s.ID, "api.acme.test"), nil)
	must(t, err)
	r, err := h.now.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	t.Logf("%+v", r)
	vaulttest.Healthy(t, h.now)
	l := h.open()
	vaulttest.Healthy(t, l)
	v, err := reveal(t.Context(), l, s.ID, "api.acme.test")
	must(t, err)
	t.Log(v, h.ring.Accounts(keys.KeyringService))
}
