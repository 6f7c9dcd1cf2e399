//go:build unix

package flat_test

import (
	"maps"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

func nothing(*world) {}

func conversations() map[string]conversation {
	out := map[string]conversation{}
	for _, some := range []map[string]conversation{vaultTalks(), secretTalks(), sharingTalks(), brokerTalks(), callTalks(), auditTalks()} {
		maps.Copy(out, some)
	}
	return out
}

func vaultTalks() map[string]conversation {
	return map[string]conversation{
		"new_vault": {
			before: nothing, hidden: typed("VALUE", "VALUE"),
			lines: []string{
				"",  // the key goes where it goes by itself
				"1", // secrets
				"n", // a new one
				"",  // of the scope that is looked from
				"OPENAI_API_KEY", "", "",
				"", // the value is typed
				"", // store it
				"1", "q",
			},
		},
		"passphrase": {
			before: nothing, hidden: typed("open sesame", "open sesame", "open barley", "open sesame"),
			lines: []string{
				"b", "3", // made of a passphrase
				"6", "", // lock, open it again
				"", // type it: a wrong one
				"", // and again
				"1", "q",
			},
		},
		"no_keyring": {
			before: nothing,
			lines:  []string{"1", "4", "b", "b"},
		},
		"ways_to_answer": {
			lines: []string{
				"?", "b", "7", "x", "1,2", "2", "8", "no/such/group", "shop/payments", "1", "", "1", "b", "b",
				"2", "elsewhere", "1", "n", "", `\b`, "b", "b", "q",
			},
		},
		"names_like_answers": {
			before: func(w *world) {
				w.secret("1", "7", "")
				w.secret("b", "b", "")
			},
			lines: []string{
				"2", "7", `\7`, "2", "", "1", "1", "9", "1", "b", // return is the workspace, not a number
				"2", "b", "2", `\b`, "1", "1", "9", "b", "9", `\b`, "q",
			},
		},
		"end_of_input": {lines: []string{"1", "n", "", "NAME"}},
		"long_list": {
			before: func(w *world) {
				for i := range 45 {
					w.secret("KEY_"+string(rune('A'+i/26))+string(rune('A'+i%26)), "", "")
				}
			},
			lines: []string{"1", "", "/key_b", "/", "m", "m", "/nothing", "45", "b", "b", "q"},
		},
	}
}

func secretTalks() map[string]conversation {
	return map[string]conversation{
		"effective": {lines: []string{"2", "shop/payments", "1", "3", "b", "o", "b", "b", "2", "2", "1", "q"}},
		"create_from_file": {
			lines: []string{
				"2", "shop/payments", "1", "n", "shop/payments",
				"bad\u202ename", "STRIPE_API_KEY", "TRELLO_API_KEY", "trello, the board",
				"this is typed by mistake", "", "f /no/such/file", "f -", "f HOME/value",
				"no", // not now
				"n", "global", "DB_URL", "", "yes", "f HOME/value", "", "q",
			},
		},
		"rotate": {
			hidden: typed("VALUE", "another", "short", "short", "a new key", "a new key"),
			lines: []string{
				"2", "shop", "1", "1", "1",
				"", // two entries that differ
				"", // and the same
				"", "b",
				"2", "1", "", "", "yes", "1", "", "", "GET", "", "", "b", // and one that is tried
				"q",
			},
		},
		"rename_and_undo": {
			lines: []string{
				"2", "shop", "1", "1", "2", "DATABASE", "db, main",
				"2", "", "-", // no aliases any more
				"z",         // take that back
				"z",         // and that
				"2", "", "", // nothing changes
				"2", "GITHUB_TOKEN", "", "q",
			},
		},
		"delete": {
			lines: []string{"2", "infra", "1", "1", "9", "RISK", "9", "RISK_TOKEN", "q"},
		},
		"changed_meanwhile": {
			before: func(w *world) {
				w.furnish()
				w.between[7] = func() { // before the name is typed
					db, err := w.be.Secrets(w.t.Context(), &vault.Scope{Level: vault.Workspace, Workspace: "shop"})
					w.check(err)
					_, err = w.be.UpdateSecret(w.t.Context(), db[0].ID, vault.SecretChange{Aliases: &[]string{"foreign"}}, 0)
					w.check(err)
				}
				w.between[13] = func() {
					db, err := w.be.Secrets(w.t.Context(), &vault.Scope{Level: vault.Workspace, Workspace: "shop"})
					w.check(err)
					_, err = w.be.DeleteSecret(w.t.Context(), db[0].ID, 0)
					w.check(err)
				}
			},
			lines: []string{"2", "shop", "1", "1", "2", "DATABASE", "", "2", "DATABASE", "", "2", "DB", "", "q"},
		},
	}
}

func sharingTalks() map[string]conversation {
	return map[string]conversation{
		"attach_and_detach": {
			lines: []string{
				"2", "shop/payments", "1", "2", // the group's own key
				"3", "1", "", // to research
				"z",                               // taken back
				"3", "new", "3", "new/group", "b", // not a group; a new one, and not now
				"4", // it is attached to none
				"b", "b",
				"2", "infra", "1", "1", "4", "1", "", // the other way round
				"q",
			},
		},
		"attach_many": {
			lines: []string{"2", "shop/research", "1", "a", "1, 2,3", "yes", "a", "z", "q"},
		},
		"why": {
			lines: []string{"2", "shop/payments", "1", "2", "5", "4", "1", "global", "bot", "1", "infra", "-", "b", "b", "q"},
		},
	}
}

func brokerTalks() map[string]conversation {
	return map[string]conversation{
		"capabilities": {lines: []string{"3", "1", "1", "b", "b", "2", "4", "b", "b", "/openai", "3", "1", "q"}},
		"bind_and_unbind": {
			lines: []string{
				"3", "2", "4", "3", "shop/payments", "bot", "3", "", // the global key for a consumer
				"4", "1", "",
				"z", "z",
				"q",
			},
		},
		"bind_needs_the_value": {
			before: func(w *world) {
				w.furnish()
				w.secret("OTHER", "infra", "")
				list, err := w.be.Secrets(w.t.Context(), &vault.Scope{Level: vault.Workspace, Workspace: "infra"})
				w.check(err)
				_, err = w.be.CreateCredential(w.t.Context(), broker.NewCredential{
					ID: "other", Provider: "other", Secret: list[0].ID, Scope: list[0].Scope, Hosts: []string{"other.example"},
					Auth: &vault.Auth{Kind: "query", Params: []vault.Param{{Name: "key", Value: "{{secret}}"}}},
				})
				w.check(err)
			},
			hidden: typed("wrong", "VALUE"),
			lines:  []string{"3", "1", "1", "3", "infra", "", "1", "", "", "", "q"},
		},
		"limits": {
			lines: []string{
				"3", "1", "1", "5", "30", "-", "many", "1000", "email, phone",
				"5", "", "", "", "-", "z", "5", "-", "-", "-", "-", "z", "q",
			},
		},
		"credential_and_capability": {
			hidden: typed("VALUE"),
			lines: []string{
				"4", "n", "2", "localtest", "", // of RISK_TOKEN
				"1", "X-Token", "{{secret}}", "localhost:PORT", "yes", "/no/such", "HOME/ca.pem", "infra", "", "", // the value as proof
				"b",
				"3", "n", "1", "localtest/things", "GET PUT", "/things", "X-One", "",
				"1", "1", "7", "wrong", "7", "localtest/things", "b", "b",
				"4", "1", "1", "", "1", "localtest", "q",
			},
		},
		"credential_of_a_provider": {
			lines: []string{
				"4", "2", "1", "stripe", // the registry's is deleted
				"n", "r", "stripe", "", // and comes back
				"n", "1", "stripe-work", "k", "", "no", "global", "no",
				"n", "3", "account", "", "7", "not an address", "", "", "", "b", "b", "q",
			},
		},
	}
}

// hostileAnswer is what a service may answer: the key in it, and characters
// that drive a terminal.
func hostileAnswer(w *world) {
	w.furnish()
	w.service.Reply(418, map[string][]string{"Content-Type": {"text/plain"}}, []byte("you sent "+w.word+"\n\x1b[2Jclear\x07 \u202egnp.exe\n"))
}

func callTalks() map[string]conversation {
	return map[string]conversation{
		"test_call": {
			before: func(w *world) {
				w.furnish()
				w.service.Reply(200, map[string][]string{"Content-Type": {"application/json"}}, []byte(`{"score":7,"list":["a","b"],"long":"a word after the other that has to be broken as it does not fit into a line of eighty"}`))
				w.file("body.json", `{"a": 1}`)
			},
			lines: []string{
				"3", "1", "1", "1", "infra", "bot", "post", "/scores?of=me", "no header", "X-Trace: 1", "", "f /no", "f HOME/body.json",
				"1",                                                     // dry run
				"2",                                                     // send
				"3", "", "-", "GET", "/scores", "no", "", "1", "b", "q", // as a GET
			},
		},
		"hostile_answer": {
			before: hostileAnswer,
			lines:  []string{"2", "infra", "1", "1", "6", "", "", "GET", "/scores", "", "2", "q"},
		},
		"refused_call": {
			lines: []string{"3", "1", "1", "1", "global", "", "GET", "/other", "Authorization: mine", "", "2", "1", "3", "infra", "", "", "/other", "", "2", "3", "", "", "", "/scores/../x", "no", "", "2", "q"},
		},
		"long_answer": {
			before: func(w *world) {
				w.furnish()
				body := make([]byte, 0, 1000)
				for range 250 {
					body = append(body, "line\n"...)
				}
				w.service.Reply(200, map[string][]string{"Content-Type": {"text/plain"}}, body)
			},
			lines: []string{"2", "infra", "1", "1", "6", "", "", "GET", "/scores", "", "2", "", "no", "q"},
		},
	}
}

func auditTalks() map[string]conversation {
	return map[string]conversation{
		"audit": {
			before: func(w *world) {
				w.furnish()
				w.service.Reply(200, nil, nil)
				_, err := w.be.Invoke(w.t.Context(), broker.Call{Capability: "risk/scores", Context: vault.Context{Workspace: "infra", Consumer: "bot"}, Method: "GET"})
				w.check(err)
				_, err = w.be.Invoke(w.t.Context(), broker.Call{Capability: "risk/scores", Method: "GET"})
				if fault.CodeOf(err) != fault.CredentialNotFound {
					w.t.Errorf("a call from elsewhere: %v", err)
				}
			},
			lines: []string{
				"5", "1", "2", "v", "l", "f", "secret", "", "shop", "", "payments", "fine", "ok", "", "2h", "1",
				"f", "-", "-", "-", "-", "credential_not_found", "", "soon", "", "1",
				"f", "", "", "", "", "-", "feed", "-", "2026-01-01",
				"f", "invoke.intent", "", "", "", "", "", "", "f", "", "", "", "", "", "", "1d", "1", "b", "q",
			},
		},
		"audit_pages": {
			before: func(w *world) {
				for i := range 25 {
					w.secret("KEY_"+string(rune('A'+i)), "", "")
				}
			},
			lines: []string{"5", "o", "n", "b", "q"},
		},
		"broken_audit": {
			before: func(w *world) {
				w.furnish()
				w.between[2] = func() { w.damage(3, 5) }
			},
			lines: []string{"5", "v", "5", "q"},
		},
	}
}
