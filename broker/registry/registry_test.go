package registry_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
	"aivault/keys/fault"
)

func TestBuiltin(t *testing.T) {
	reg := registry.Builtin()
	want := []string{
		"airtable", "anthropic", "calendly", "deepgram", "deepl", "discord", "elevenlabs", "fal", "firecrawl",
		"gemini", "github", "google-calendar", "google-gmail", "google-places", "hubspot", "intercom", "linear",
		"mailgun", "netlify", "notion", "openai", "openrouter", "plaid", "postmark", "quickbooks", "reddit",
		"remove-bg", "replicate", "resend", "sendgrid", "shopify", "slack", "spotify", "square", "stripe",
		"telegram", "todoist", "trello", "tripo", "twilio", "vercel", "x", "xero", "youtube",
	}
	if ids := reg.Providers(); !slices.IsSorted(ids) {
		t.Errorf("the providers are not sorted: %q", ids)
	}
	for _, id := range want {
		if !slices.Contains(reg.Providers(), id) {
			t.Errorf("%s is not listed", id)
		}
		p, ok := reg.Provider(id)
		if !ok || p.ID != id {
			t.Fatalf("Provider(%q) = %v, %t", id, p, ok)
		}
		if again, _ := reg.Provider(id); again != p {
			t.Errorf("%s is decoded again", id)
		}
	}
	for _, p := range decodeFiles(t) {
		got, _ := reg.Provider(p.ID)
		if diff := cmp.Diff(got, p); diff != "" {
			t.Errorf("%s differs from its file (-got +want)\n%s", p.ID, diff)
		}
	}
	for _, id := range []string{"", "acme", "OpenAI", "openai ", "../registry", "openai.json", "providers/openai"} {
		if _, ok := reg.Provider(id); ok {
			t.Errorf("there is a provider %q", id)
		}
	}
}

func TestClaim(t *testing.T) {
	reg := registry.Builtin()
	for name, want := range map[string]string{
		"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic", "GITHUB_TOKEN": "github", "GH_TOKEN": "github",
		"STRIPE_API_KEY": "stripe", "STRIPE_SECRET_KEY": "stripe", "SLACK_BOT_TOKEN": "slack", "SLACK_USER_TOKEN": "slack",
		"GEMINI_API_KEY": "gemini", "GOOGLE_API_KEY": "gemini", "NOTION_TOKEN": "notion", "NOTION_API_KEY": "notion",
		"LINEAR_API_KEY": "linear", "LINEAR_ACCESS_TOKEN": "linear", "RESEND_API_KEY": "resend",
		"TWILIO_ACCOUNT_SID": "twilio", "TWILIO_AUTH_TOKEN": "twilio", "SENDGRID_API_KEY": "sendgrid",
		"TRELLO_API_KEY": "trello", "TRELLO_TOKEN": "trello",
		"OPENROUTER_API_KEY": "openrouter", "OPENROUTER_PROVISIONING_KEY": "openrouter",
		"MAILGUN_API_KEY": "mailgun", "SHOPIFY_ACCESS_TOKEN": "shopify", "SPOTIFY_OAUTH": "spotify", "SPOTIFY_TOKEN": "spotify", "TWITTER_BEARER_TOKEN": "x", "AIRTABLE_PAT": "airtable", "PLAID_CLIENT_ID": "plaid", "PLAID_SECRET": "plaid", "GOOGLE_MAPS_API_KEY": "google-places", "CODEX_OAUTH_JSON": "openai", "TELEGRAM_BOT_TOKEN": "telegram",
		"openai_api_key": "", " OPENAI_API_KEY": "", "OPENAI_API_KEY2": "", "": "",
	} {
		if got, ok := reg.Claim(name); got != want || ok != (want != "") {
			t.Errorf("Claim(%q) = %q, %t; want %q", name, got, ok, want)
		}
	}
}

func TestCapability(t *testing.T) {
	reg := registry.Builtin()
	c, p, ok := reg.Capability("openai/chat-completions")
	if !ok || c.ID != "openai/chat-completions" || p.ID != "openai" {
		t.Fatalf("got %v, %v, %t", c, p, ok)
	}
	if diff := cmp.Diff(c.Hosts, []string{"api.openai.com"}); diff != "" {
		t.Errorf("hosts (-got +want)\n%s", diff)
	}
	for _, id := range []string{"", "openai", "openai/", "openai/none", "acme/items", "/chat-completions", "openai/chat-completions/x"} {
		if _, _, ok := reg.Capability(id); ok {
			t.Errorf("there is a capability %q", id)
		}
	}
}

// TestAuth states how each claimed name authenticates, as getting one wrong
// shows only at the service.
func TestAuth(t *testing.T) {
	bearer := "header Authorization=Bearer {{secret}}"
	want := map[string]string{
		"airtable AIRTABLE_API_KEY":                               bearer,
		"airtable:pat AIRTABLE_PAT":                               bearer,
		"airtable:token AIRTABLE_TOKEN":                           bearer,
		"anthropic ANTHROPIC_API_KEY":                             "header x-api-key={{secret}}",
		"calendly CALENDLY_API_KEY":                               bearer,
		"calendly:token CALENDLY_TOKEN":                           bearer,
		"deepgram DEEPGRAM_API_KEY":                               "header Authorization=Token {{secret}}",
		"deepl DEEPL_API_KEY":                                     "header Authorization=DeepL-Auth-Key {{secret}}",
		"deepl:auth-key DEEPL_AUTH_KEY":                           "header Authorization=DeepL-Auth-Key {{secret}}",
		"discord DISCORD_BOT_TOKEN":                               "header Authorization=Bot {{secret}}",
		"discord:token DISCORD_TOKEN":                             "header Authorization=Bot {{secret}}",
		"elevenlabs ELEVENLABS_API_KEY":                           "header xi-api-key={{secret}}",
		"elevenlabs:xi-api-key XI_API_KEY":                        "header xi-api-key={{secret}}",
		"fal FAL_KEY":                                             "header Authorization=Key {{secret}}",
		"fal:fal-api-key FAL_API_KEY":                             "header Authorization=Key {{secret}}",
		"firecrawl FIRECRAWL_API_KEY":                             bearer,
		"gemini GEMINI_API_KEY":                                   "header x-goog-api-key={{secret}}",
		"gemini:google-api-key GOOGLE_API_KEY":                    "header x-goog-api-key={{secret}}",
		"github GITHUB_TOKEN":                                     bearer,
		"github:gh-token GH_TOKEN":                                bearer,
		"google-calendar GOOGLE_CALENDAR_OAUTH":                   "oauth2 grant_type=refresh_token token_endpoint=https://oauth2.googleapis.com/token client_auth=body",
		"google-gmail GOOGLE_GMAIL_OAUTH":                         "oauth2 grant_type=refresh_token token_endpoint=https://oauth2.googleapis.com/token client_auth=body",
		"google-places GOOGLE_PLACES_API_KEY":                     "header X-Goog-Api-Key={{secret}}",
		"google-places:maps GOOGLE_MAPS_API_KEY":                  "header X-Goog-Api-Key={{secret}}",
		"hubspot HUBSPOT_TOKEN":                                   bearer,
		"hubspot:access-token HUBSPOT_ACCESS_TOKEN":               bearer,
		"intercom INTERCOM_TOKEN":                                 bearer,
		"intercom:access-token INTERCOM_ACCESS_TOKEN":             bearer,
		"linear LINEAR_API_KEY":                                   "header Authorization={{secret}}",
		"linear:access-token LINEAR_ACCESS_TOKEN":                 bearer,
		"mailgun MAILGUN_API_KEY":                                 "basic username=api password={{password}}",
		"netlify NETLIFY_TOKEN":                                   bearer,
		"netlify:auth-token NETLIFY_AUTH_TOKEN":                   bearer,
		"notion NOTION_TOKEN":                                     bearer,
		"notion:api-key NOTION_API_KEY":                           bearer,
		"openai OPENAI_API_KEY":                                   bearer,
		"openai:codex-oauth CODEX_OAUTH_JSON":                     "multi-header Authorization=Bearer {{access_token}} ChatGPT-Account-Id={{account_id}}",
		"openrouter OPENROUTER_API_KEY":                           bearer,
		"openrouter:provisioning-key OPENROUTER_PROVISIONING_KEY": bearer,
		"plaid PLAID_CLIENT_ID PLAID_SECRET":                      "multi-header PLAID-CLIENT-ID={{client_id}} PLAID-SECRET={{secret}}",
		"postmark POSTMARK_SERVER_TOKEN":                          "header X-Postmark-Server-Token={{secret}}",
		"postmark:account POSTMARK_ACCOUNT_TOKEN":                 "header X-Postmark-Account-Token={{secret}}",
		"quickbooks QUICKBOOKS_OAUTH":                             "oauth2 grant_type=refresh_token token_endpoint=https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
		"quickbooks:token QUICKBOOKS_TOKEN":                       bearer,
		"reddit REDDIT_OAUTH":                                     "oauth2 grant_type=refresh_token token_endpoint=https://www.reddit.com/api/v1/access_token",
		"reddit:token REDDIT_TOKEN":                               bearer,
		"remove-bg REMOVE_BG_API_KEY":                             "header X-Api-Key={{secret}}",
		"replicate REPLICATE_API_TOKEN":                           bearer,
		"resend RESEND_API_KEY":                                   bearer,
		"sendgrid SENDGRID_API_KEY":                               bearer,
		"shopify SHOPIFY_ACCESS_TOKEN":                            "header X-Shopify-Access-Token={{secret}}",
		"shopify:admin-api SHOPIFY_ADMIN_ACCESS_TOKEN":            "header X-Shopify-Access-Token={{secret}}",
		"slack SLACK_BOT_TOKEN":                                   bearer,
		"slack:user-token SLACK_USER_TOKEN":                       bearer,
		"spotify SPOTIFY_OAUTH":                                   "oauth2 grant_type=refresh_token token_endpoint=https://accounts.spotify.com/api/token",
		"spotify:token SPOTIFY_TOKEN":                             bearer,
		"square SQUARE_ACCESS_TOKEN":                              bearer,
		"stripe STRIPE_API_KEY":                                   bearer,
		"stripe:secret-key STRIPE_SECRET_KEY":                     bearer,
		"telegram TELEGRAM_BOT_TOKEN":                             "path prefix=/bot{{secret}}",
		"todoist TODOIST_TOKEN":                                   bearer,
		"todoist:api-token TODOIST_API_TOKEN":                     bearer,
		"trello TRELLO_API_KEY TRELLO_TOKEN":                      "multi-query key={{key}} token={{token}}",
		"tripo TRIPO_API_KEY":                                     bearer,
		"twilio TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN":             "basic username={{username}} password={{password}}",
		"vercel VERCEL_TOKEN":                                     bearer,
		"x X_OAUTH":                                               "oauth2 grant_type=refresh_token token_endpoint=https://api.x.com/2/oauth2/token",
		"x:bearer-token X_BEARER_TOKEN":                           bearer,
		"x:twitter-bearer-token TWITTER_BEARER_TOKEN":             bearer,
		"xero XERO_OAUTH":                                         "oauth2 grant_type=refresh_token token_endpoint=https://identity.xero.com/connect/token",
		"xero:token XERO_TOKEN":                                   bearer,
		"youtube YOUTUBE_OAUTH":                                   "oauth2 grant_type=refresh_token token_endpoint=https://oauth2.googleapis.com/token client_auth=body",
		"youtube:api-key YOUTUBE_API_KEY":                         "query key={{secret}}",
	}
	checkAuth(t, want)
}

// checkAuth compares how the credentials of the named providers authenticate,
// all of each, with what is stated.
func checkAuth(t *testing.T, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	reg := registry.Builtin()
	for key := range want {
		id := key[:strings.IndexAny(key, ": ")]
		p, ok := reg.Provider(id)
		if !ok {
			t.Fatalf("there is no %s", id)
		}
		for _, c := range p.Credentials {
			key := id
			if c.ID != "" {
				key += ":" + c.ID
			}
			for _, slot := range c.Secrets {
				key += " " + slot.Name
			}
			got[key] = c.Auth.Kind
			for _, param := range c.Auth.Params {
				got[key] += " " + param.Name + "=" + param.Value
			}
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

// TestPreference: a secret that cannot do something does not stand in the way
// of one that can.
func TestPreference(t *testing.T) {
	reg := registry.Builtin()
	for id, want := range map[string][]string{
		"slack/search":                {"user-token"},
		"slack/chat":                  {"", "user-token"},
		"openrouter/api-keys":         {"provisioning-key"},
		"openrouter/chat-completions": {""},
		"github/repos":                {"", "gh-token"},
		"x/dm":                        {""},
		"x/tweets":                    {"", "bearer-token", "twitter-bearer-token"},
		"youtube/captions":            {""},
		"youtube/search":              {"", "api-key"},
		"postmark/domains":            {"account"},
		"openai/codex-usage":          {"codex-oauth"},
		"coingecko/coins":             {"", "key"},
		"coingecko/demo":              {"demo"},
		"railway/graphql":             {""},
		"railway/project":             {"project", "project-token"},
	} {
		what, p, ok := reg.Capability(id)
		if !ok {
			t.Fatalf("there is no %s", id)
		}
		var got []string
		for _, c := range p.Credentials {
			if c.Serves(what) {
				got = append(got, c.ID)
			}
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want)\n%s", id, diff)
		}
	}
}

func TestConcurrent(t *testing.T) {
	reg := registry.Builtin()
	got := make([]*registry.Provider, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = reg.Provider("github") })
	}
	wg.Wait()
	for _, p := range got {
		if p == nil || p != got[0] {
			t.Fatal("concurrent callers got different values")
		}
	}
}

func TestNew(t *testing.T) {
	provider := func(id, secret, capability string) *registry.Provider {
		return &registry.Provider{
			ID: id, Hosts: []string{"127.0.0.1:8443"},
			Credentials:  []registry.Credential{{Secrets: []registry.SecretSlot{{Placeholder: "secret", Name: secret}}}},
			Capabilities: []registry.Capability{{ID: capability}},
		}
	}
	reg, err := registry.New(provider("b", "B_KEY", "b/items"), provider("a", "A_KEY", "a/items"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reg.Providers(), []string{"a", "b"}); diff != "" {
		t.Errorf("providers (-got +want)\n%s", diff)
	}
	if id, ok := reg.Claim("A_KEY"); id != "a" || !ok {
		t.Errorf("Claim = %q, %t", id, ok)
	}
	if _, p, ok := reg.Capability("b/items"); !ok || p.ID != "b" {
		t.Errorf("Capability = %v, %t", p, ok)
	}
	if _, ok := reg.Provider("openai"); ok {
		t.Error("it has a built-in provider too")
	}
	if _, ok := reg.Claim("OPENAI_API_KEY"); ok {
		t.Error("it claims a built-in name too")
	}
	for name, list := range map[string][]*registry.Provider{
		"same id":            {provider("a", "A_KEY", "a/x"), provider("a", "B_KEY", "a/x")},
		"same claim":         {provider("a", "KEY", "a/x"), provider("b", "KEY", "b/x")},
		"foreign capability": {provider("a", "KEY", "b/x")},
	} {
		if _, err := registry.New(list...); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if empty, err := registry.New(); err != nil || len(empty.Providers()) != 0 {
		t.Errorf("a registry of none has %v (%v)", empty.Providers(), err)
	}
}

func BenchmarkClaim(b *testing.B) {
	reg := registry.Builtin()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := reg.Claim("STRIPE_SECRET_KEY"); !ok {
			b.Fatal("not claimed")
		}
	}
}

// What the first use of a provider costs a process.
func BenchmarkFirstProvider(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := registry.Builtin().Provider("openai"); !ok {
			b.Fatal("no such provider")
		}
	}
}

func BenchmarkCapability(b *testing.B) {
	reg := registry.Builtin()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := reg.Capability("openai/videos"); !ok {
			b.Fatal("no such capability")
		}
	}
}
