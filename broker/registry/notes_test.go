package registry_test

import (
	"slices"
	"strings"
	"testing"

	"aivault/broker/policy"
	"aivault/broker/registry"
)

// notes are the points in which what is documented of the providers is wrong,
// stale, weak or a risk, and what became of each. A check is one of
//
//   - CAPABILITY METHOD PATH   it is allowed
//   - CAPABILITY METHOD PATH   it is not
//   - CAPABILITY               there is none
//     host HOST                  it is one of the provider's
//     nohost HOST                it is none
//     auth NAME KIND [NAME=TEMPLATE] the provider claims the name, and sends it so
//     carries NAME CAPABILITY    the credential of the name is good for it
//     lacks NAME CAPABILITY      it is not
//     login NAME                 where the owner consents is known
//     adds HEADER                it goes with each request
//     passes HEADER              a caller may send it
//     opaque CAPABILITY          it is marked as telling itself what is done
//     says TEXT                  the file's notes do
var notes = []struct {
	provider, about string
	checks          string
}{
	{"shopify", "the apex is nobody's shop", "host acme.myshopify.com; nohost myshopify.com; nohost a.acme.myshopify.com; + shopify/graphql POST /admin/api/2026-07/graphql.json; opaque shopify/graphql"},
	{"linear", "a personal key has no scheme word", "auth LINEAR_API_KEY header Authorization={{secret}}; auth LINEAR_ACCESS_TOKEN header Authorization=Bearer_{{secret}}"},
	{"openrouter", "keys are at /api/v1/keys", "+ openrouter/api-keys GET /api/v1/keys; + openrouter/api-keys GET /api/v1/key; - openrouter/api-keys GET /api/v1/api_keys; carries OPENROUTER_PROVISIONING_KEY openrouter/api-keys; lacks OPENROUTER_API_KEY openrouter/api-keys"},
	{"todoist", "one generation of paths", "+ todoist/tasks POST /api/v1/tasks; + todoist/projects GET /api/v1/projects; + todoist/sections GET /api/v1/sections; + todoist/labels GET /api/v1/labels; + todoist/comments GET /api/v1/comments; + todoist/sync POST /api/v1/sync; - todoist/tasks GET /rest/v2/tasks; - todoist/sync POST /sync/v9/sync"},
	{"deepl", "paid plans have a host of their own", "host api-free.deepl.com; host api.deepl.com; + deepl/glossaries GET /v3/glossaries; + deepl/documents POST /v2/document"},
	{"mailgun", "EU, and sending that is only that", "host api.eu.mailgun.net; + mailgun/sending POST /v3/example.com/messages; + mailgun/sending POST /v3/lists.example.com/messages; - mailgun/sending GET /v3/domains; - mailgun/sending POST /v3/routes; - mailgun/sending GET /v3/lists/pages; - mailgun/sending POST /v3/LISTS"},
	{"plaid", "a sandbox, and items that are only that", "host sandbox.plaid.com; + plaid/items POST /item/get; - plaid/items POST /item/remove; - plaid/items POST /item/public_token/exchange; - plaid/items POST /item/access_token/invalidate"},
	{"plaid", "no lasting token in an answer", "- plaid/item-public-token-exchange; says left out"},
	{"google-calendar", "Google renews", "auth GOOGLE_CALENDAR_OAUTH oauth2 token_endpoint=https://oauth2.googleapis.com/token; nohost auth.moldable.sh; login GOOGLE_CALENDAR_OAUTH"},
	{"google-gmail", "Google renews", "auth GOOGLE_GMAIL_OAUTH oauth2 token_endpoint=https://oauth2.googleapis.com/token; nohost auth.moldable.sh; login GOOGLE_GMAIL_OAUTH"},
	{"google-gmail", "changing is not sending", "+ google-gmail/messages-modify POST /gmail/v1/users/me/messages/ID/modify; - google-gmail/messages-modify POST /gmail/v1/users/me/messages/send; - google-gmail/messages-modify POST /gmail/v1/users/me/messages/SEND; + google-gmail/send POST /gmail/v1/users/me/messages/send"},
	{"spotify", "tokens are renewed", "auth SPOTIFY_OAUTH oauth2 token_endpoint=https://accounts.spotify.com/api/token; auth SPOTIFY_TOKEN header; login SPOTIFY_OAUTH"},
	{"quickbooks", "tokens are renewed, and a sandbox", "auth QUICKBOOKS_OAUTH oauth2 token_endpoint=https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer; host sandbox-quickbooks.api.intuit.com; login QUICKBOOKS_OAUTH"},
	{"xero", "tokens are renewed, and a caller names the tenant", "auth XERO_OAUTH oauth2 token_endpoint=https://identity.xero.com/connect/token; login XERO_OAUTH; passes xero-tenant-id; says xero-tenant-id"},
	{"reddit", "tokens are renewed", "auth REDDIT_OAUTH oauth2 token_endpoint=https://www.reddit.com/api/v1/access_token; login REDDIT_OAUTH"},
	{"stripe", "writing, apart from reading", "+ stripe/customers-write POST /v1/customers; + stripe/payments-write POST /v1/payment_intents; + stripe/refunds-write POST /v1/refunds; + stripe/checkout POST /v1/checkout/sessions; + stripe/catalog-write POST /v1/products; + stripe/charges GET /v1/charges; - stripe/customers POST /v1/customers; auth STRIPE_SECRET_KEY header"},
	{"anthropic", "the version is added, batches and files", "adds anthropic-version; passes anthropic-version; + anthropic/messages DELETE /v1/messages/batches/ID; + anthropic/files POST /v1/files"},
	{"notion", "the version is added, newer objects", "adds Notion-Version; + notion/databases PATCH /v1/databases/ID; + notion/data-sources POST /v1/data_sources/ID/query; + notion/file-uploads POST /v1/file_uploads; auth NOTION_API_KEY header"},
	{"openai", "coverage", "+ openai/conversations POST /v1/conversations; + openai/containers GET /v1/containers; + openai/evals GET /v1/evals"},
	{"openai", "a back end that is not published", "auth CODEX_OAUTH_JSON multi-header Authorization=Bearer_{{access_token}}; lacks OPENAI_API_KEY openai/codex-responses; lacks CODEX_OAUTH_JSON openai/responses; says not published"},
	{"gemini", "the key is no part of the address", "auth GEMINI_API_KEY header x-goog-api-key={{secret}}; auth GOOGLE_API_KEY header x-goog-api-key={{secret}}"},
	{"fal", "more than one family", "host fal.run; host queue.fal.run; + fal/storage POST /storage/upload/initiate; + fal/run POST /fal-ai/flux/schnell; + fal/queue GET /fal-ai/flux/requests/ID/status"},
	{"github", "coverage, and names", "+ github/user PATCH /user; + github/release-uploads POST /repos/o/r/releases/1/assets; + github/teams GET /teams/1; + github/enterprises GET /enterprises/e; - github/user GET /users/o; auth GH_TOKEN header; host uploads.github.com"},
	{"airtable", "names, and records that are only that", "auth AIRTABLE_PAT header; auth AIRTABLE_TOKEN header; + airtable/records GET /v0/appX/Table; - airtable/records GET /v0/meta/bases; - airtable/records DELETE /v0/bases/appX/webhooks/ID; - airtable/records GET /v0/Meta/bases"},
	{"calendly", "a name, and cancelling", "auth CALENDLY_TOKEN header; + calendly/scheduled_events POST /scheduled_events/ID/cancellation"},
	{"x", "an app alone only reads", "auth X_OAUTH oauth2 token_endpoint=https://api.x.com/2/oauth2/token; carries X_OAUTH x/dm; lacks X_BEARER_TOKEN x/dm; auth TWITTER_BEARER_TOKEN header; login X_OAUTH"},
	{"youtube", "a key alone only reads", "auth YOUTUBE_OAUTH oauth2 token_endpoint=https://oauth2.googleapis.com/token; carries YOUTUBE_OAUTH youtube/captions; lacks YOUTUBE_API_KEY youtube/captions; lacks YOUTUBE_API_KEY youtube/subscriptions; login YOUTUBE_OAUTH"},
	{"slack", "search by a user, and more families", "lacks SLACK_BOT_TOKEN slack/search; carries SLACK_USER_TOKEN slack/search; host files.slack.com; + slack/canvases POST /api/canvases.create; + slack/lists GET /api/slackLists.items.list; + slack/bots GET /api/bots.info; + slack/dnd GET /api/dnd.info; + slack/assistant POST /api/assistant.threads.setStatus"},
	{"discord", "interactions and stickers", "+ discord/interactions POST /api/v10/interactions/1/t/callback; + discord/stickers GET /api/v10/stickers/1"},
	{"twilio", "split by host", "host verify.twilio.com; host messaging.twilio.com; host lookups.twilio.com; host conversations.twilio.com; + twilio/verify POST /v2/Services/S/Verifications; - twilio/lookups POST /v2/PhoneNumbers/1"},
	{"trello", "a batch reaches every route", "opaque trello/batch; - trello/boards GET /1/batch; says batch"},
	{"postmark", "the account's token", "auth POSTMARK_ACCOUNT_TOKEN header X-Postmark-Account-Token={{secret}}; carries POSTMARK_ACCOUNT_TOKEN postmark/domains; carries POSTMARK_ACCOUNT_TOKEN postmark/servers; carries POSTMARK_SERVER_TOKEN postmark/webhooks; lacks POSTMARK_SERVER_TOKEN postmark/domains"},
	{"vercel", "listing, domains, variables, deletion", "+ vercel/deployments GET /v6/deployments; + vercel/deployments GET /v13/deployments/ID; + vercel/domains GET /v5/domains; + vercel/projects POST /v10/projects/ID/env; + vercel/projects-delete DELETE /v9/projects/ID; - vercel/projects DELETE /v9/projects/ID"},
	{"netlify", "a name, and methods", "auth NETLIFY_AUTH_TOKEN header; + netlify/sites PATCH /api/v1/sites/ID; + netlify/sites PUT /api/v1/sites/ID; + netlify/deploys PUT /api/v1/deploys/ID/files/index.html"},
	{"replicate", "coverage, and Bearer", "+ replicate/account GET /v1/account; + replicate/hardware GET /v1/hardware; auth REPLICATE_API_TOKEN header Authorization=Bearer_{{secret}}"},
	{"resend", "coverage", "+ resend/audiences GET /audiences; + resend/api-keys GET /api-keys; + resend/webhooks GET /webhooks"},
	{"sendgrid", "EU", "host api.eu.sendgrid.com"},
	{"intercom", "EU and Australia, and listing companies", "host api.eu.intercom.io; host api.au.intercom.io; + intercom/contacts GET /companies; + intercom/contacts GET /companies/ID"},
	{"hubspot", "coverage, and a name", "+ hubspot/lists GET /crm/v3/lists/1; + hubspot/owners GET /crm/v3/owners; + hubspot/crm-schemas GET /crm/v3/schemas; auth HUBSPOT_ACCESS_TOKEN header"},
	{"square", "coverage, and a sandbox", "+ square/refunds POST /v2/refunds; + square/bookings GET /v2/bookings; + square/terminals POST /v2/terminals/checkouts; host connect.squareupsandbox.com"},
	{"elevenlabs", "studio, music, user", "+ elevenlabs/studio GET /v1/studio/projects; + elevenlabs/music POST /v1/music; + elevenlabs/user GET /v1/user/subscription"},
	{"deepgram", "methods, and short tokens", "+ deepgram/projects PATCH /v1/projects/ID; + deepgram/projects PUT /v1/projects/ID/members/M/scopes; + deepgram/projects DELETE /v1/projects/ID; + deepgram/grant POST /v1/auth/grant"},
	{"firecrawl", "extraction, and version 1", "+ firecrawl/extract POST /v2/extract; + firecrawl/scrape POST /v1/scrape; + firecrawl/crawl GET /v1/crawl/ID"},
	{"google-places", "fields, and a name", "auth GOOGLE_MAPS_API_KEY header X-Goog-Api-Key={{secret}}; passes X-Goog-FieldMask; says X-Goog-FieldMask"},
	{"remove-bg", "coverage", "+ remove-bg/account GET /v1.0/account"},
	{"openai", "prefixes end at segments", "+ openai/models GET /v1/models/x; - openai/models GET /v1/models-x; + slack/chat POST /api/chat.postMessage; - slack/chat POST /api/chats.post"},
	{"stripe", "a catalogue of what is there", "+ stripe/charges GET /v1/charges; + discord/interactions POST /api/v10/interactions/1/t/callback; + resend/audiences GET /audiences"},
}

// TestNotes holds the files to what is known to be wrong with the documented
// ones.
func TestNotes(t *testing.T) {
	t.Parallel()
	for _, note := range notes {
		p, ok := registry.Builtin().Provider(note.provider)
		if !ok {
			t.Fatalf("there is no %s", note.provider)
		}
		for check := range strings.SplitSeq(note.checks, "; ") {
			if word := strings.Fields(check); !holds(t, p, word) {
				t.Errorf("%s (%s): %s does not hold", note.provider, note.about, check)
			}
		}
	}
}

// holds tells whether a check of the table does.
func holds(t *testing.T, p *registry.Provider, word []string) bool {
	t.Helper()
	verb, args := word[0], word[1:]
	switch verb {
	case "+", "-":
		c, _, ok := registry.Builtin().Capability(args[0])
		if len(args) == 1 {
			return !ok
		}
		if !ok {
			return false
		}
		_, err := policy.Decide(rule(c), policy.Request{Method: args[1], Target: args[2]})
		return (err == nil) == (verb == "+")
	case "host", "nohost":
		return p.Has(args[0]) == (verb == "host")
	case "adds":
		return slices.ContainsFunc(p.Headers, func(h registry.Header) bool { return h.Name == args[0] })
	case "passes":
		_, err := policy.ParseHeaderName(args[0])
		return err == nil
	case "opaque":
		c, _, ok := registry.Builtin().Capability(args[0])
		return ok && c.OpaqueBody
	case "says":
		return strings.Contains(p.Notes, strings.Join(args, " "))
	}
	return holdsFor(t, p, claimant(p, args[0]), verb, args[1:])
}

// holdsFor is holds of a check about a credential.
func holdsFor(t *testing.T, p *registry.Provider, c *registry.Credential, verb string, args []string) bool {
	t.Helper()
	switch {
	case c == nil:
		return false
	case verb == "login":
		return c.Login != nil
	case verb == "carries", verb == "lacks":
		what, _, ok := registry.Builtin().Capability(args[0])
		return ok && c.Serves(what) == (verb == "carries")
	case verb != "auth":
		t.Fatalf("%s is no check", verb)
	}
	if len(args) == 1 {
		return c.Auth.Kind == args[0]
	}
	name, value, _ := strings.Cut(args[1], "=")
	return c.Auth.Kind == args[0] && slices.Contains(c.Auth.Params, registry.Param{Name: name, Value: strings.ReplaceAll(value, "Bearer_", "Bearer ")})
}

// claimant returns the credential that claims a name, or nil.
func claimant(p *registry.Provider, name string) *registry.Credential {
	for i := range p.Credentials {
		if slices.ContainsFunc(p.Credentials[i].Secrets, func(s registry.SecretSlot) bool { return s.Name == name }) {
			return &p.Credentials[i]
		}
	}
	return nil
}

// TestFormat: what the documented format cannot say is said somewhere: hosts of
// tenants, headers that are added, other names, other hosts.
func TestFormat(t *testing.T) {
	t.Parallel()
	missing := map[string]bool{"tenants": true, "headers": true, "other credentials": true, "other hosts": true}
	for _, p := range decodeFiles(t) {
		for what, there := range map[string]bool{
			"tenants": slices.ContainsFunc(p.Hosts, registry.IsPattern), "headers": len(p.Headers) > 0,
			"other credentials": len(p.Credentials) > 1, "other hosts": len(p.OtherHosts) > 0,
		} {
			if there {
				delete(missing, what)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("no provider has %v", missing)
	}
}
