package ops

import (
	"context"

	"aivault/keys"
	"aivault/ui/app"
	"aivault/vault"
)

// Init makes a new vault, whose key lives where cfg says. The command line of
// one with a passphrase asks for it.
func Init(ctx context.Context, be app.Backend, cfg keys.Config) (Done, vault.Status, error) {
	st, err := be.Init(ctx, cfg)
	if err != nil {
		return Done{}, st, err
	}
	l := line("init", "--provider", string(cfg.Kind))
	switch cfg.Kind {
	case keys.KindFile:
		l = l.with("--file-path", cfg.Path)
	case keys.KindEnv:
		l = l.with("--env-var", cfg.Var)
	case keys.KindKeyring:
		l = l.with("--keychain-service", cfg.Service).with("--keychain-account", cfg.Account)
	case keys.KindPassphrase, keys.KindRecovery:
	}
	return Done{Text: "made a vault in " + st.Root, Lines: []Line{l}}, st, nil
}
