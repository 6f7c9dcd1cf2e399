package ui_test

import (
	"context"

	"aivault/keys/opaque"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

func opsCases() map[string]opsCase {
	rename := func(ctx context.Context, w *opsWorld) error {
		for _, id := range []string{"risk", "db"} {
			if _, err := w.be.UpdateSecret(ctx, w.ids[id], vault.SecretChange{Name: new("ELSE_" + id)}, 0); err != nil {
				return err
			}
		}
		return nil
	}
	all := []map[string]opsCase{secretCases(), nameCases(rename), shareCases(rename), brokerCases(), credentialCases(), bindingCases(), policyCases()}
	out := map[string]opsCase{}
	for _, cases := range all {
		for name, c := range cases {
			out[name] = c
		}
	}
	return out
}

func secretCases() map[string]opsCase {
	return map[string]opsCase{
		"create": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.CreateSecret(ctx, w.be, vault.NewSecret{
					Name: " OPENAI_API_KEY ", Scope: payments.Scope(), Aliases: []string{"-x", "a'b"}, Value: opaque.New([]byte(w.word)),
				})
				return d, err
			},
			text:  "stored OPENAI_API_KEY in web-shop/payments, pinned to openai, credential openai:group:web-shop:payments, 22 capabilities",
			lines: `aivault secrets create --name OPENAI_API_KEY --workspace-id web-shop --group-id payments --alias -x --alias 'a'\''b'`,
			value: "db",
		},
		"create for attachment only": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.CreateSecret(ctx, w.be, vault.NewSecret{
					Name: "TRELLO_API_KEY", Scope: vault.GlobalScope(), AttachedOnly: true, Value: opaque.New([]byte(w.word)),
				})
				return d, err
			},
			text:  "stored TRELLO_API_KEY in the global scope, pinned to trello, which waits for TRELLO_TOKEN in the same scope",
			lines: `aivault secrets create --name TRELLO_API_KEY --attached-only`,
			value: "db",
		},
		"rotate": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.RotateSecret(ctx, w.be, w.ids["db"], opaque.New([]byte("short\n")), 0)
				return d, err
			},
			text:  "rotated DB_URL in workspace web-shop to version 2; the value is so short that it can be guessed",
			lines: `aivault secrets rotate --id <db>`,
			value: "db",
		},
		"delete one": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.DeleteSecrets(ctx, w.be, vault.SecretAt{ID: w.ids["risk"]})
				return d, err
			},
			text:  "deleted RISK_TOKEN in workspace infra, with credential acme",
			lines: `aivault secrets delete --id <risk>`,
		},
		"delete many": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				at := []vault.SecretAt{{ID: w.ids["stripe"]}, {ID: w.ids["db"]}, {ID: w.ids["stripe"]}}
				d, _, err := ops.DeleteSecrets(ctx, w.be, at...)
				return d, err
			},
			text:  "deleted 2 secrets, with 1 binding",
			lines: "aivault secrets delete --id <stripe>\naivault secrets delete --id <db>",
		},
	}
}

func nameCases(rename func(context.Context, *opsWorld) error) map[string]opsCase {
	return map[string]opsCase{
		"rename": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.UpdateSecret(ctx, w.be, w.ids["db"], vault.SecretChange{Name: new("DATABASE URL; $x `y`")}, 0)
				return d, err
			},
			text:    "renamed DB_URL to DATABASE URL; $x `y` in workspace web-shop",
			lines:   "aivault secrets update --id <db> --name 'DATABASE URL; $x `y`'",
			foreign: rename,
		},
		"name and aliases": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.UpdateSecret(ctx, w.be, w.ids["db"], vault.SecretChange{Name: new("POSTGRES"), Aliases: new([]string{"pg", "é"})}, 0)
				return d, err
			},
			text:    "renamed DB_URL to POSTGRES, changed the aliases of POSTGRES in workspace web-shop",
			lines:   "aivault secrets update --id <db> --name POSTGRES --alias pg --alias 'é'",
			foreign: rename,
		},
		"no aliases": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.UpdateSecret(ctx, w.be, w.ids["db"], vault.SecretChange{Aliases: new([]string{})}, 0)
				return d, err
			},
			text:    "changed the aliases of DB_URL in workspace web-shop",
			lines:   "aivault secrets update --id <db> --clear-aliases",
			foreign: rename,
		},
		"no change": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.UpdateSecret(ctx, w.be, w.ids["db"], vault.SecretChange{Name: new("DB_URL")}, 0)
				return d, err
			},
			text: "nothing changed: DB_URL has that name and those aliases",
		},
	}
}

func shareCases(rename func(context.Context, *opsWorld) error) map[string]opsCase {
	share := func(changes ...[3]string) func(context.Context, *opsWorld) (ops.Done, error) {
		return func(ctx context.Context, w *opsWorld) (ops.Done, error) {
			var list []vault.Sharing
			for _, c := range changes {
				list = append(list, vault.Sharing{Secret: w.ids[c[1]], Group: vault.GroupRef{Workspace: "web-shop", Group: c[2]}, Detach: c[0] == "detach"})
			}
			d, _, err := ops.Share(ctx, w.be, list...)
			return d, err
		}
	}
	const at = " --workspace-id web-shop --group-id "
	return map[string]opsCase{
		"attach": {
			do:      share([3]string{"attach", "risk", "payments"}),
			text:    "attached RISK_TOKEN to web-shop/payments",
			lines:   "aivault secrets attach-group --id <risk>" + at + "payments",
			foreign: rename,
		},
		"detach": {
			do:      share([3]string{"detach", "risk", "research"}),
			text:    "detached RISK_TOKEN from web-shop/research",
			lines:   "aivault secrets detach-group --id <risk>" + at + "research",
			foreign: rename,
		},
		"attach many, one of them attached": {
			do:      share([3]string{"attach", "risk", "research"}, [3]string{"attach", "db", "research"}, [3]string{"attach", "stripe", "research"}),
			text:    "attached 2 secrets to web-shop/research",
			lines:   "aivault secrets attach-group --id <db>" + at + "research\naivault secrets attach-group --id <stripe>" + at + "research",
			foreign: rename,
		},
		"attach and detach": {
			do:   share([3]string{"detach", "risk", "research"}, [3]string{"attach", "risk", "payments"}, [3]string{"attach", "risk", "ops"}),
			text: "RISK_TOKEN: 2 attached, 1 detached",
			lines: "aivault secrets detach-group --id <risk>" + at + "research\naivault secrets attach-group --id <risk>" + at + "payments\n" +
				"aivault secrets attach-group --id <risk>" + at + "ops",
			foreign: rename,
		},
		"attach to its own group": {
			do:   share([3]string{"attach", "payments", "payments"}),
			text: "nothing changed: web-shop/payments is the scope of STRIPE_API_KEY itself",
		},
		"detach what is not attached": {
			do:   share([3]string{"detach", "db", "payments"}),
			text: "nothing changed: DB_URL was not attached to web-shop/payments",
		},
	}
}
