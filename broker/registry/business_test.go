package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/registry"
)

// TestBusinessAuth states, as TestAuth does, how each claimed name of the
// services for work, customers, mail and money authenticates.
func TestBusinessAuth(t *testing.T) {
	t.Parallel()
	bearer, bare := "header Authorization=Bearer {{secret}}", "header Authorization={{secret}}"
	google := "oauth2 grant_type=refresh_token token_endpoint=https://oauth2.googleapis.com/token client_auth=body"
	microsoft := "oauth2 grant_type=refresh_token token_endpoint=https://login.microsoftonline.com/common/oauth2/v2.0/token client_auth=body"
	checkAuth(t, map[string]string{
		"mixpanel MIXPANEL_SERVICE_ACCOUNT_USERNAME MIXPANEL_SERVICE_ACCOUNT_SECRET": "basic username={{username}} password={{secret}}",

		"adyen ADYEN_API_KEY":                                   "header X-API-Key={{secret}}",
		"amplitude AMPLITUDE_API_KEY AMPLITUDE_SECRET_KEY":      "basic username={{key}} password={{secret}}",
		"apollo APOLLO_API_KEY":                                 "header X-Api-Key={{secret}}",
		"apollo:apollo-io APOLLO_IO_API_KEY":                    "header X-Api-Key={{secret}}",
		"asana ASANA_ACCESS_TOKEN":                              bearer,
		"asana:token ASANA_TOKEN":                               bearer,
		"asana:pat ASANA_PAT":                                   bearer,
		"attio ATTIO_API_KEY":                                   bearer,
		"attio:access-token ATTIO_ACCESS_TOKEN":                 bearer,
		"auth0 AUTH0_API_TOKEN":                                 bearer,
		"auth0:management-token AUTH0_MANAGEMENT_TOKEN":         bearer,
		"auth0:management-api-token AUTH0_MANAGEMENT_API_TOKEN": bearer,
		"bitly BITLY_TOKEN":                                     bearer,
		"bitly:access-token BITLY_ACCESS_TOKEN":                 bearer,
		"box BOX_OAUTH":                                         "oauth2 grant_type=refresh_token token_endpoint=https://api.box.com/oauth2/token client_auth=body",
		"box:access-token BOX_ACCESS_TOKEN":                     bearer,
		"box:developer-token BOX_DEVELOPER_TOKEN":               bearer,
		"brevo BREVO_API_KEY":                                   "header api-key={{secret}}",
		"brevo:sendinblue SENDINBLUE_API_KEY":                   "header api-key={{secret}}",
		"brex BREX_API_KEY":                                     bearer,
		"brex:token BREX_TOKEN":                                 bearer,
		"brex:api-token BREX_API_TOKEN":                         bearer,
		"clerk CLERK_SECRET_KEY":                                bearer,
		"clerk:api-key CLERK_API_KEY":                           bearer,
		"clickup CLICKUP_API_TOKEN":                             bare,
		"clickup:api-key CLICKUP_API_KEY":                       bare,
		"clickup:token CLICKUP_TOKEN":                           bare,
		"clickup:access-token CLICKUP_ACCESS_TOKEN":             bearer,
		"close CLOSE_API_KEY":                                   "basic username={{secret}} password=",
		"close:close-io CLOSEIO_API_KEY":                        "basic username={{secret}} password=",
		"coda CODA_API_TOKEN":                                   bearer,
		"coda:api-key CODA_API_KEY":                             bearer,
		"contentful CONTENTFUL_MANAGEMENT_TOKEN":                bearer,

		"contentful:management-access-token CONTENTFUL_MANAGEMENT_ACCESS_TOKEN": bearer,
		"contentful:delivery CONTENTFUL_DELIVERY_TOKEN":                         bearer,
		"contentful:access-token CONTENTFUL_ACCESS_TOKEN":                       bearer,
		"contentful:preview CONTENTFUL_PREVIEW_TOKEN":                           bearer,
		"customerio CUSTOMERIO_APP_API_KEY":                                     bearer,
		"customerio:app-token CUSTOMERIO_APP_TOKEN":                             bearer,
		"dropbox DROPBOX_OAUTH":                                                 "oauth2 grant_type=refresh_token token_endpoint=https://api.dropboxapi.com/oauth2/token",
		"dropbox:access-token DROPBOX_ACCESS_TOKEN":                             bearer,
		"dropbox:token DROPBOX_TOKEN":                                           bearer,
		"easypost EASYPOST_API_KEY":                                             "basic username={{secret}} password=",
		"figma FIGMA_TOKEN":                                                     "header X-Figma-Token={{secret}}",
		"figma:access-token FIGMA_ACCESS_TOKEN":                                 "header X-Figma-Token={{secret}}",
		"figma:api-key FIGMA_API_KEY":                                           "header X-Figma-Token={{secret}}",
		"freshdesk FRESHDESK_API_KEY":                                           "basic username={{secret}} password=X",
		"front FRONT_API_TOKEN":                                                 bearer,
		"front:token FRONT_TOKEN":                                               bearer,
		"google-docs GOOGLE_DOCS_OAUTH":                                         google,
		"google-drive GOOGLE_DRIVE_OAUTH":                                       google,
		"google-sheets GOOGLE_SHEETS_OAUTH":                                     google,
		"kit KIT_API_KEY":                                                       "header X-Kit-Api-Key={{secret}}",
		"kit:convertkit CONVERTKIT_API_KEY":                                     "header X-Kit-Api-Key={{secret}}",
		"klaviyo KLAVIYO_API_KEY":                                               "header Authorization=Klaviyo-API-Key {{secret}}",
		"klaviyo:private-api-key KLAVIYO_PRIVATE_API_KEY":                       "header Authorization=Klaviyo-API-Key {{secret}}",
		"klaviyo:private-key KLAVIYO_PRIVATE_KEY":                               "header Authorization=Klaviyo-API-Key {{secret}}",
		"lemonsqueezy LEMONSQUEEZY_API_KEY":                                     bearer,
		"lemonsqueezy:lemon-squeezy LEMON_SQUEEZY_API_KEY":                      bearer,
		"linkedin LINKEDIN_ACCESS_TOKEN":                                        bearer,
		"linkedin:token LINKEDIN_TOKEN":                                         bearer,
		"loops LOOPS_API_KEY":                                                   bearer,
		"loops:token LOOPS_TOKEN":                                               bearer,
		"mailchimp MAILCHIMP_API_KEY":                                           "basic username=key password={{secret}}",
		"mailchimp:marketing-api-key MAILCHIMP_MARKETING_API_KEY":               "basic username=key password={{secret}}",
		"mercury MERCURY_API_TOKEN":                                             bearer,
		"mercury:token MERCURY_TOKEN":                                           bearer,
		"mercury:api-key MERCURY_API_KEY":                                       bearer,
		"meta-graph META_ACCESS_TOKEN":                                          bearer,
		"meta-graph:facebook FACEBOOK_ACCESS_TOKEN":                             bearer,
		"meta-graph:whatsapp WHATSAPP_ACCESS_TOKEN":                             bearer,
		"meta-graph:whatsapp-token WHATSAPP_TOKEN":                              bearer,
		"microsoft-graph MICROSOFT_GRAPH_OAUTH":                                 microsoft,
		"microsoft-graph:ms-graph MS_GRAPH_OAUTH":                               microsoft,
		"microsoft-graph:access-token MICROSOFT_GRAPH_ACCESS_TOKEN":             bearer,
		"miro MIRO_ACCESS_TOKEN":                                                bearer,
		"miro:token MIRO_TOKEN":                                                 bearer,
		"miro:api-token MIRO_API_TOKEN":                                         bearer,
		"monday MONDAY_API_TOKEN":                                               bare,
		"monday:api-key MONDAY_API_KEY":                                         bare,
		"monday:token MONDAY_TOKEN":                                             bare,
		"okta OKTA_API_TOKEN":                                                   "header Authorization=SSWS {{secret}}",
		"okta:client-token OKTA_CLIENT_TOKEN":                                   "header Authorization=SSWS {{secret}}",
		"paddle PADDLE_API_KEY":                                                 bearer,
		"paypal PAYPAL_OAUTH":                                                   "oauth2 grant_type=client_credentials token_endpoint=https://api-m.paypal.com/v1/oauth2/token",
		"paypal:access-token PAYPAL_ACCESS_TOKEN":                               bearer,
		"pipedrive PIPEDRIVE_API_TOKEN":                                         "header x-api-token={{secret}}",
		"pipedrive:api-key PIPEDRIVE_API_KEY":                                   "header x-api-token={{secret}}",
		"plivo PLIVO_AUTH_ID PLIVO_AUTH_TOKEN":                                  "basic username={{id}} password={{token}}",
		"posthog POSTHOG_PERSONAL_API_KEY":                                      bearer,
		"posthog:api-key POSTHOG_API_KEY":                                       bearer,
		"salesforce SALESFORCE_OAUTH":                                           "oauth2 grant_type=refresh_token token_endpoint=https://login.salesforce.com/services/oauth2/token client_auth=body",
		"salesforce:access-token SALESFORCE_ACCESS_TOKEN":                       bearer,
		"sanity SANITY_AUTH_TOKEN":                                              bearer,
		"sanity:api-token SANITY_API_TOKEN":                                     bearer,
		"sanity:token SANITY_TOKEN":                                             bearer,
		"sanity:read-token SANITY_API_READ_TOKEN":                               bearer,
		"sanity:write-token SANITY_API_WRITE_TOKEN":                             bearer,
		"segment SEGMENT_WRITE_KEY":                                             "basic username={{secret}} password=",
		"telnyx TELNYX_API_KEY":                                                 bearer,
		"toggl TOGGL_API_TOKEN":                                                 "basic username={{secret}} password=api_token",
		"toggl:track TOGGL_TRACK_API_TOKEN":                                     "basic username={{secret}} password=api_token",
		"twitch TWITCH_CLIENT_ID TWITCH_ACCESS_TOKEN":                           "multi-header Client-Id={{client_id}} Authorization=Bearer {{token}}",
		"typeform TYPEFORM_TOKEN":                                               bearer,
		"typeform:api-key TYPEFORM_API_KEY":                                     bearer,
		"typeform:access-token TYPEFORM_ACCESS_TOKEN":                           bearer,
		"webflow WEBFLOW_API_TOKEN":                                             bearer,
		"webflow:token WEBFLOW_TOKEN":                                           bearer,
		"webflow:access-token WEBFLOW_ACCESS_TOKEN":                             bearer,
		"wise WISE_API_TOKEN":                                                   bearer,
		"wise:api-key WISE_API_KEY":                                             bearer,
		"workos WORKOS_API_KEY":                                                 bearer,
		"zendesk ZENDESK_API_TOKEN":                                             "basic",
		"zendesk:oauth-token ZENDESK_OAUTH_TOKEN":                               bearer,
		"zoom ZOOM_OAUTH":                                                       "oauth2 grant_type=refresh_token token_endpoint=https://zoom.us/oauth/token",
		"zoom:access-token ZOOM_ACCESS_TOKEN":                                   bearer,
	})
}

// TestBusinessLimits asks of capabilities what they must let pass, and what is
// next to that and must not.
func TestBusinessLimits(t *testing.T) {
	t.Parallel()
	checkLimits(t, []limit{
		{"zendesk/tickets-read", "GET", "/api/v2/tickets.json?page[size]=1", true},
		{"zendesk/tickets-read", "GET", "/api/v2/tickets/1.json", true},
		{"zendesk/tickets-read", "GET", "/api/v2/ticket_fields", false},
		{"zendesk/tickets-write", "DELETE", "/api/v2/tickets/destroy_many", false},
		{"monday/graphql", "POST", "/v2", true},
		{"monday/graphql", "POST", "/v2/file", false},
		{"asana/tasks-write", "POST", "/api/1.0/batch", false},
		{"salesforce/query", "GET", "/services/data/v66.0/query?q=SELECT%20Id%20FROM%20Account", true},
		{"salesforce/query", "GET", "/services/data/v66.0/sobjects/Account/1", false},
		{"salesforce/sobjects-write", "POST", "/services/data/v66.0/composite", false},
		{"mailchimp/campaigns-edit", "POST", "/3.0/campaigns/1/actions/send", false},
		{"mailchimp/campaigns-send", "POST", "/3.0/campaigns/1/actions/send", true},
		{"dropbox/files-read", "POST", "/2/files/list_folder/continue", true},
		{"dropbox/files-read", "POST", "/2/files/delete_v2", false},
		{"dropbox/files-read", "POST", "/2/files/get_temporary_link", false},
		{"dropbox/sharing-read", "POST", "/2/sharing/list_shared_links", true},
		{"dropbox/sharing-read", "POST", "/2/sharing/create_shared_link_with_settings", false},
		{"google-sheets/read", "POST", "/v4/spreadsheets/1:batchUpdate", false},
		{"google-sheets/write", "POST", "/v4/spreadsheets/1:batchUpdate", true},
		{"google-drive/files-write", "DELETE", "/drive/v3/files/1", false},
		{"microsoft-graph/mail-edit", "PATCH", "/v1.0/me/mailFolders/inbox/messageRules/1", false},
		{"microsoft-graph/mail-drafts", "POST", "/v1.0/me/mailFolders/inbox/messageRules", false},
		{"microsoft-graph/mail-drafts", "POST", "/v1.0/me/sendMail", false},
		{"microsoft-graph/files-write", "PUT", "/v1.0/me/drive/root:/a.txt:/content", true},
		{"zoom/users-read", "GET", "/v2/users/me/meetings", true},
		{"zoom/users-read", "GET", "/v2/users/me/zak", false},
		{"zoom/users-write", "POST", "/v2/users/me/meetings", false},
		{"zoom/meetings-create", "POST", "/v2/users/me/meetings", true},
		{"zoom/meetings-create", "POST", "/v2/users", false},
		{"paypal/payments-write", "POST", "/v1/payments/payouts", false},
		{"paypal/orders-read", "POST", "/v2/checkout/orders/1/capture", false},
		{"clerk/users-write", "POST", "/v1/sign_in_tokens", false},
		{"klaviyo/campaigns-write", "POST", "/api/campaign-send-jobs", false},
		{"brevo/email-read", "POST", "/v3/smtp/email", false},
		{"paddle/transactions-write", "POST", "/adjustments", false},
		{"close/notes-write", "POST", "/api/v1/activity/email/", false},
		{"loops/contacts-write", "POST", "/api/v1/contacts/delete", false},
		{"customerio/customers-search", "POST", "/v1/campaigns/1/triggers", false},
		{"mercury/transactions-edit", "PATCH", "/api/v1/transactions", false},
		{"mercury/accounts", "POST", "/api/v1/account/1/transactions", false},
		{"brex/expenses-write", "POST", "/v1/transfers", false},
		{"adyen/sessions-write", "POST", "/checkout/v71/sessions", true},
		{"adyen/sessions-write", "POST", "/v71/payments", false},
		{"telnyx/numbers-write", "POST", "/v2/number_orders", false},
		{"meta-graph/read", "GET", "/v23.0/me", true},
		{"meta-graph/read", "GET", "/oauth/access_token", false},
	})
}

// TestBusinessHosts finds the hosts that a credential may name, and for which
// nobody has to name one.
func TestBusinessHosts(t *testing.T) {
	t.Parallel()
	reg := registry.Builtin()
	for host, want := range map[string]string{
		"acme.zendesk.com": "zendesk", "acme.freshdesk.com": "freshdesk", "us6.api.mailchimp.com": "mailchimp",
		"acme.okta.com": "okta", "acme.okta-emea.com": "okta", "acme.us.auth0.com": "auth0", "acme.auth0.com": "auth0",
		"acme.my.salesforce.com": "salesforce", "acme--uat.sandbox.my.salesforce.com": "salesforce",
		"abcdef.api.sanity.io": "sanity", "0123-acme-checkout-live.adyenpayments.com": "adyen",
		"checkout-test.adyen.com": "adyen", "api.eu.contentful.com": "contentful", "api-m.sandbox.paypal.com": "paypal",
		"zendesk.com": "", "api.mailchimp.com": "", "evil.us6.api.mailchimp.com": "", "acme.okta.com.evil.test": "",
		"my.salesforce.com": "", "test.salesforce.com": "",
	} {
		found := ""
		for _, id := range reg.Providers() {
			if p, _ := reg.Provider(id); p.Has(host) {
				found = id
			}
		}
		if found != want {
			t.Errorf("%s is one of %q, not of %q", host, found, want)
		}
	}
	for id, want := range map[string][]string{
		"adyen":      {},
		"dropbox":    {"api.dropboxapi.com", "content.dropboxapi.com"},
		"mixpanel":   {"mixpanel.com", "data.mixpanel.com"},
		"salesforce": {"login.salesforce.com"},
		"zendesk":    {},
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
