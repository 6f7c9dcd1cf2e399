package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
)

// TestInfrastructureAuth states, as TestAuth does, how each claimed name of
// the services for hosting, data and monitoring authenticates.
func TestInfrastructureAuth(t *testing.T) {
	t.Parallel()
	bearer := "header Authorization=Bearer {{secret}}"
	algolia := "multi-header X-Algolia-Application-Id={{app_id}} X-Algolia-API-Key={{api_key}}"
	datadog := "multi-header DD-API-KEY={{api_key}} DD-APPLICATION-KEY={{app_key}}"
	snowflake := "multi-header Authorization=Bearer {{secret}} X-Snowflake-Authorization-Token-Type=PROGRAMMATIC_ACCESS_TOKEN"
	checkAuth(t, map[string]string{
		"algolia ALGOLIA_APP_ID ALGOLIA_API_KEY":                             algolia,
		"alpaca APCA_API_KEY_ID APCA_API_SECRET_KEY":                         "multi-header APCA-API-KEY-ID={{key_id}} APCA-API-SECRET-KEY={{secret_key}}",
		"alpaca:alpaca ALPACA_API_KEY ALPACA_SECRET_KEY":                     "multi-header APCA-API-KEY-ID={{key_id}} APCA-API-SECRET-KEY={{secret_key}}",
		"alpha-vantage ALPHAVANTAGE_API_KEY":                                 "query apikey={{secret}}",
		"alpha-vantage:alpha-vantage ALPHA_VANTAGE_API_KEY":                  "query apikey={{secret}}",
		"atlassian ATLASSIAN_EMAIL ATLASSIAN_API_TOKEN":                      "basic username={{email}} password={{token}}",
		"atlassian:jira JIRA_EMAIL JIRA_API_TOKEN":                           "basic username={{email}} password={{token}}",
		"atlassian:confluence CONFLUENCE_EMAIL CONFLUENCE_API_TOKEN":         "basic username={{email}} password={{token}}",
		"bitbucket BITBUCKET_EMAIL BITBUCKET_API_TOKEN":                      "basic username={{email}} password={{token}}",
		"bitbucket:access-token BITBUCKET_ACCESS_TOKEN":                      bearer,
		"bitbucket:token BITBUCKET_TOKEN":                                    bearer,
		"buildkite BUILDKITE_API_TOKEN":                                      bearer,
		"circleci CIRCLECI_TOKEN":                                            "header Circle-Token={{secret}}",
		"circleci:circle-token CIRCLE_TOKEN":                                 "header Circle-Token={{secret}}",
		"cloudflare CLOUDFLARE_API_TOKEN":                                    bearer,
		"cloudflare:cf-api-token CF_API_TOKEN":                               bearer,
		"cloudflare:global-key CLOUDFLARE_EMAIL CLOUDFLARE_API_KEY":          "multi-header X-Auth-Email={{email}} X-Auth-Key={{key}}",
		"coingecko COINGECKO_PRO_API_KEY":                                    "header x-cg-pro-api-key={{secret}}",
		"coingecko:key COINGECKO_API_KEY":                                    "header x-cg-pro-api-key={{secret}}",
		"coingecko:demo COINGECKO_DEMO_API_KEY":                              "header x-cg-demo-api-key={{secret}}",
		"databricks DATABRICKS_TOKEN":                                        bearer,
		"datadog DD_API_KEY DD_APP_KEY":                                      datadog,
		"datadog:datadog DATADOG_API_KEY DATADOG_APP_KEY":                    datadog,
		"digitalocean DIGITALOCEAN_TOKEN":                                    bearer,
		"digitalocean:access-token DIGITALOCEAN_ACCESS_TOKEN":                bearer,
		"elasticsearch ELASTIC_API_KEY":                                      "header Authorization=ApiKey {{secret}}",
		"elasticsearch:elasticsearch ELASTICSEARCH_API_KEY":                  "header Authorization=ApiKey {{secret}}",
		"elasticsearch:es ES_API_KEY":                                        "header Authorization=ApiKey {{secret}}",
		"finnhub FINNHUB_API_KEY":                                            "header X-Finnhub-Token={{secret}}",
		"fivetran FIVETRAN_API_KEY FIVETRAN_API_SECRET":                      "basic username={{key}} password={{secret}}",
		"fivetran:apikey FIVETRAN_APIKEY FIVETRAN_APISECRET":                 "basic username={{key}} password={{secret}}",
		"fly FLY_API_TOKEN":                                                  bearer,
		"gitlab GITLAB_TOKEN":                                                "header PRIVATE-TOKEN={{secret}}",
		"gitlab:access-token GITLAB_ACCESS_TOKEN":                            "header PRIVATE-TOKEN={{secret}}",
		"gitlab:private-token GITLAB_PRIVATE_TOKEN":                          "header PRIVATE-TOKEN={{secret}}",
		"godaddy GODADDY_API_KEY GODADDY_API_SECRET":                         "header Authorization=sso-key {{key}}:{{secret}}",
		"grafana-cloud GRAFANA_SERVICE_ACCOUNT_TOKEN":                        bearer,
		"grafana-cloud:token GRAFANA_TOKEN":                                  bearer,
		"grafana-cloud:api-key GRAFANA_API_KEY":                              bearer,
		"heroku HEROKU_API_KEY":                                              bearer,
		"hetzner HCLOUD_TOKEN":                                               bearer,
		"hetzner:hetzner HETZNER_API_TOKEN":                                  bearer,
		"honeycomb HONEYCOMB_API_KEY":                                        "header X-Honeycomb-Team={{secret}}",
		"ipinfo IPINFO_TOKEN":                                                bearer,
		"ipinfo:api-token IPINFO_API_TOKEN":                                  bearer,
		"launchdarkly LAUNCHDARKLY_ACCESS_TOKEN":                             "header Authorization={{secret}}",
		"launchdarkly:api-key LAUNCHDARKLY_API_KEY":                          "header Authorization={{secret}}",
		"linode LINODE_TOKEN":                                                bearer,
		"linode:cli-token LINODE_CLI_TOKEN":                                  bearer,
		"mapbox MAPBOX_ACCESS_TOKEN":                                         "query access_token={{secret}}",
		"mapbox:token MAPBOX_TOKEN":                                          "query access_token={{secret}}",
		"mongodb-atlas MONGODB_ATLAS_OAUTH":                                  "oauth2 grant_type=client_credentials token_endpoint=https://cloud.mongodb.com/api/oauth/token",
		"neon NEON_API_KEY":                                                  bearer,
		"new-relic NEW_RELIC_API_KEY":                                        "header Api-Key={{secret}}",
		"new-relic:user-key NEW_RELIC_USER_KEY":                              "header Api-Key={{secret}}",
		"opsgenie OPSGENIE_API_KEY":                                          "header Authorization=GenieKey {{secret}}",
		"pagerduty PAGERDUTY_API_KEY":                                        "header Authorization=Token token={{secret}}",
		"pagerduty:token PAGERDUTY_TOKEN":                                    "header Authorization=Token token={{secret}}",
		"pagerduty:api-token PAGERDUTY_API_TOKEN":                            "header Authorization=Token token={{secret}}",
		"pexels PEXELS_API_KEY":                                              "header Authorization={{secret}}",
		"pinecone PINECONE_API_KEY":                                          "header Api-Key={{secret}}",
		"planetscale PLANETSCALE_SERVICE_TOKEN_ID PLANETSCALE_SERVICE_TOKEN": "header Authorization={{id}}:{{token}}",
		"polygon POLYGON_API_KEY":                                            bearer,
		"polygon:massive MASSIVE_API_KEY":                                    bearer,
		"railway RAILWAY_API_TOKEN":                                          bearer,
		"railway:project RAILWAY_TOKEN":                                      "header Project-Access-Token={{secret}}",
		"railway:project-token RAILWAY_PROJECT_TOKEN":                        "header Project-Access-Token={{secret}}",
		"render RENDER_API_KEY":                                              bearer,
		"sentry SENTRY_AUTH_TOKEN":                                           bearer,
		"sentry:api-token SENTRY_API_TOKEN":                                  bearer,
		"shodan SHODAN_API_KEY":                                              "query key={{secret}}",
		"snowflake SNOWFLAKE_PAT":                                            snowflake,
		"snowflake:token SNOWFLAKE_TOKEN":                                    snowflake,
		"snyk SNYK_TOKEN":                                                    "header Authorization=token {{secret}}",
		"snyk:api-token SNYK_API_TOKEN":                                      "header Authorization=token {{secret}}",
		"statuspage STATUSPAGE_API_KEY":                                      "header Authorization=OAuth {{secret}}",
		"supabase-management SUPABASE_ACCESS_TOKEN":                          bearer,
		"supabase SUPABASE_SECRET_KEY":                                       "header apikey={{secret}}",
		"supabase:service-role SUPABASE_SERVICE_ROLE_KEY":                    "multi-header apikey={{secret}} Authorization=Bearer {{secret}}",
		"supabase:publishable SUPABASE_PUBLISHABLE_KEY":                      "header apikey={{secret}}",
		"supabase:anon SUPABASE_ANON_KEY":                                    "multi-header apikey={{secret}} Authorization=Bearer {{secret}}",
		"tailscale TAILSCALE_API_KEY":                                        bearer,
		"tailscale:ts-api-key TS_API_KEY":                                    bearer,
		"tailscale:oauth TAILSCALE_OAUTH":                                    "oauth2 grant_type=client_credentials token_endpoint=https://api.tailscale.com/api/v2/oauth/token client_auth=body",
		"terraform-cloud TFE_TOKEN":                                          bearer,
		"terraform-cloud:tf-api-token TF_API_TOKEN":                          bearer,
		"tmdb TMDB_ACCESS_TOKEN":                                             bearer,
		"tmdb:bearer-token TMDB_BEARER_TOKEN":                                bearer,
		"tmdb:api-key TMDB_API_KEY":                                          "query api_key={{secret}}",
		"turso TURSO_API_TOKEN":                                              bearer,
		"turso:api-key TURSO_API_KEY":                                        bearer,
		"unsplash UNSPLASH_ACCESS_KEY":                                       "header Authorization=Client-ID {{secret}}",
		"upstash-redis UPSTASH_REDIS_REST_TOKEN":                             bearer,
		"upstash-redis:kv KV_REST_API_TOKEN":                                 bearer,
		"virustotal VIRUSTOTAL_API_KEY":                                      "header x-apikey={{secret}}",
		"virustotal:vt VT_API_KEY":                                           "header x-apikey={{secret}}",
		"vultr VULTR_API_KEY":                                                bearer,
		"weaviate WEAVIATE_API_KEY":                                          bearer,
	})
}

// TestInfrastructureLimits asks of capabilities what they must let pass, and
// what is next to that and must not.
func TestInfrastructureLimits(t *testing.T) {
	t.Parallel()
	checkLimits(t, []limit{
		{"gitlab/projects-read", "GET", "/api/v4/projects/group%2Fproject/issues", true},
		{"gitlab/projects-read", "GET", "/api/v4/projects/..%2Fusers", false},
		{"gitlab/projects-read", "POST", "/api/v4/projects/1/issues", false},
		{"gitlab/projects-write", "DELETE", "/api/v4/projects/1", false},
		{"gitlab/issues-read", "GET", "/api/v4/issues%2F1", false},
		{"supabase/rest-read", "GET", "/rest/v1/items?select=id", true},
		{"supabase/rest-read", "GET", "/rest/v1/rpc/purge", false},
		{"supabase/rest-write", "POST", "/rest/v1/rpc/purge", false},
		{"supabase/rpc", "POST", "/rest/v1/rpc/purge", true},
		{"supabase/storage-list", "POST", "/storage/v1/object/list/files", true},
		{"supabase/storage-list", "POST", "/storage/v1/object/files/a", false},
		{"grafana-cloud/datasources-read", "GET", "/api/datasources/uid/a", true},
		{"grafana-cloud/datasources-read", "GET", "/api/datasources/proxy/uid/a/admin", false},
		{"grafana-cloud/datasources-write", "POST", "/api/datasources/proxy/1/write", false},
		{"upstash-redis/read", "GET", "/get/a", true},
		{"upstash-redis/read", "GET", "/getdel/a", false},
		{"upstash-redis/read", "POST", "/", false},
		{"upstash-redis/write", "GET", "/flushall", false},
		{"snyk/v1-read", "GET", "/v1/test/npm/a", false},
		{"godaddy/domains-write", "POST", "/v1/domains/purchase", false},
		{"alpaca/orders-read", "POST", "/v2/orders", false},
		{"mapbox/directions", "GET", "/directions/v5/mapbox/driving/1,2;3,4", false},
		{"pinecone/vectors-write", "POST", "/vectors/delete", false},
		{"algolia/read", "POST", "/1/indexes/a/clear", false},
	})
}

// TestInfrastructureHosts finds the hosts that a credential may name, and for
// which nobody has to name one.
func TestInfrastructureHosts(t *testing.T) {
	t.Parallel()
	reg := registry.Builtin()
	for _, c := range []struct {
		id, host string
		want     bool
	}{
		{"atlassian", "acme.atlassian.net", true},
		{"atlassian", "atlassian.net", false},
		{"datadog", "api.datadoghq.eu", true},
		{"datadog", "http-intake.logs.us5.datadoghq.com", true},
		{"datadog", "api.datadoghq.com.evil.test", false},
		{"alpaca", "api.alpaca.markets", true},
		{"pinecone", "docs-abc1234.svc.apu-57e2-42f6.pinecone.io", true},
		{"pinecone", "docs-abc1234.svc.other.pinecone.io", false},
		{"databricks", "adb-5555555555555555.19.azuredatabricks.net", true},
		{"databricks", "adb-5555555555555555.21.azuredatabricks.net", false},
		{"snowflake", "acme-main.snowflakecomputing.com", true},
		{"gitlab", "gitlab.acme.test", false},
	} {
		p, ok := reg.Provider(c.id)
		if !ok {
			t.Errorf("there is no %s", c.id)
			continue
		}
		if got := p.Has(c.host); got != c.want {
			t.Errorf("%s has %s: %t", c.id, c.host, got)
		}
	}
	for id, want := range map[string][]string{
		"alpaca":    {"paper-api.alpaca.markets", "data.alpaca.markets"},
		"atlassian": {},
		"datadog":   {"api.datadoghq.com", "http-intake.logs.datadoghq.com"},
		"pinecone":  {"api.pinecone.io"},
	} {
		p, ok := reg.Provider(id)
		if !ok {
			t.Errorf("there is no %s", id)
			continue
		}
		if diff := cmp.Diff(p.DefaultHosts(), want); diff != "" {
			t.Errorf("%s (-got +want)\n%s", id, diff)
		}
	}
}
