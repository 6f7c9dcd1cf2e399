package registry_test

import (
	"testing"

	"aivault/broker/registry"
)

// TestAIAuth states, as TestAuth does, how each claimed name of the services for
// AI, search, scraping and places, and of AWS, authenticates.
func TestAIAuth(t *testing.T) {
	bearer := "header Authorization=Bearer {{secret}}"
	want := map[string]string{
		"ai21 AI21_API_KEY":                                  bearer,
		"apify APIFY_TOKEN":                                  bearer,
		"apify:api-token APIFY_API_TOKEN":                    bearer,
		"assemblyai ASSEMBLYAI_API_KEY":                      "header Authorization={{secret}}",
		"assemblyai:aai AAI_API_KEY":                         "header Authorization={{secret}}",
		"aws-bedrock AWS_BEARER_TOKEN_BEDROCK":               bearer,
		"aws-bedrock:sigv4 AWS_BEDROCK_CREDENTIALS":          "aws-sigv4 service=bedrock region=us-east-1",
		"aws-lambda AWS_LAMBDA_CREDENTIALS":                  "aws-sigv4 service=lambda region=us-east-1",
		"aws-ses AWS_SES_CREDENTIALS":                        "aws-sigv4 service=ses region=us-east-1",
		"azure-openai AZURE_OPENAI_API_KEY":                  "header api-key={{secret}}",
		"azure-openai:api-key AZURE_OPENAI_KEY":              "header api-key={{secret}}",
		"bfl BFL_API_KEY":                                    "header x-key={{secret}}",
		"brave-search BRAVE_API_KEY":                         "header X-Subscription-Token={{secret}}",
		"brave-search:search-api-key BRAVE_SEARCH_API_KEY":   "header X-Subscription-Token={{secret}}",
		"browserbase BROWSERBASE_API_KEY":                    "header X-BB-API-Key={{secret}}",
		"cartesia CARTESIA_API_KEY":                          "header X-API-Key={{secret}}",
		"cerebras CEREBRAS_API_KEY":                          bearer,
		"cohere COHERE_API_KEY":                              bearer,
		"cohere:co-api-key CO_API_KEY":                       bearer,
		"dashscope DASHSCOPE_API_KEY":                        bearer,
		"deepseek DEEPSEEK_API_KEY":                          bearer,
		"e2b E2B_API_KEY":                                    "header X-API-Key={{secret}}",
		"exa EXA_API_KEY":                                    "header x-api-key={{secret}}",
		"fireworks FIREWORKS_API_KEY":                        bearer,
		"fireworks:ai-api-key FIREWORKS_AI_API_KEY":          bearer,
		"google-maps MAPS_API_KEY":                           "query key={{secret}}",
		"google-maps:routes GOOGLE_ROUTES_API_KEY":           "header X-Goog-Api-Key={{secret}}",
		"groq GROQ_API_KEY":                                  bearer,
		"heygen HEYGEN_API_KEY":                              "header X-Api-Key={{secret}}",
		"huggingface HF_TOKEN":                               bearer,
		"huggingface:api-key HUGGINGFACE_API_KEY":            bearer,
		"huggingface:hub-api-token HUGGINGFACEHUB_API_TOKEN": bearer,
		"huggingface:hub-token HUGGING_FACE_HUB_TOKEN":       bearer,
		"ideogram IDEOGRAM_API_KEY":                          "header Api-Key={{secret}}",
		"jina JINA_API_KEY":                                  bearer,
		"jina:ai-api-key JINAAI_API_KEY":                     bearer,
		"kagi KAGI_API_KEY":                                  "header Authorization=Bot {{secret}}",
		"kagi:token KAGI_API_TOKEN":                          "header Authorization=Bot {{secret}}",
		"langfuse LANGFUSE_PUBLIC_KEY LANGFUSE_SECRET_KEY":   "basic username={{username}} password={{password}}",
		"langsmith LANGSMITH_API_KEY":                        "header X-Api-Key={{secret}}",
		"langsmith:langchain LANGCHAIN_API_KEY":              "header X-Api-Key={{secret}}",
		"luma LUMAAI_API_KEY":                                bearer,
		"luma:api-key LUMA_API_KEY":                          bearer,
		"mistral MISTRAL_API_KEY":                            bearer,
		"moonshot MOONSHOT_API_KEY":                          bearer,
		"newsapi NEWS_API_KEY":                               "header X-Api-Key={{secret}}",
		"newsapi:newsapi-api-key NEWSAPI_API_KEY":            "header X-Api-Key={{secret}}",
		"newsapi:newsapi-key NEWSAPI_KEY":                    "header X-Api-Key={{secret}}",
		"nvidia-nim NVIDIA_API_KEY":                          bearer,
		"nvidia-nim:nim-api-key NVIDIA_NIM_API_KEY":          bearer,
		"openweather OPENWEATHER_API_KEY":                    "query appid={{secret}}",
		"openweather:map OPENWEATHERMAP_API_KEY":             "query appid={{secret}}",
		"perplexity PERPLEXITY_API_KEY":                      bearer,
		"perplexity:pplx PPLX_API_KEY":                       bearer,
		"runpod RUNPOD_API_KEY":                              bearer,
		"runway RUNWAYML_API_SECRET":                         bearer,
		"sambanova SAMBANOVA_API_KEY":                        bearer,
		"scrapingbee SCRAPINGBEE_API_KEY":                    "query api_key={{secret}}",
		"serpapi SERPAPI_API_KEY":                            "query api_key={{secret}}",
		"serpapi:key SERPAPI_KEY":                            "query api_key={{secret}}",
		"serper SERPER_API_KEY":                              "header X-API-KEY={{secret}}",
		"stability STABILITY_API_KEY":                        bearer,
		"tavily TAVILY_API_KEY":                              bearer,
		"together TOGETHER_API_KEY":                          bearer,
		"together:together-ai TOGETHERAI_API_KEY":            bearer,
		"vertex-ai GOOGLE_VERTEX_OAUTH":                      "oauth2 grant_type=refresh_token token_endpoint=https://oauth2.googleapis.com/token client_auth=body",
		"vertex-ai:api-key GOOGLE_VERTEX_API_KEY":            "header x-goog-api-key={{secret}}",
		"voyage VOYAGE_API_KEY":                              bearer,
		"voyage:ai-api-key VOYAGEAI_API_KEY":                 bearer,
		"wandb WANDB_API_KEY":                                "basic username=api password={{password}}",
		"wandb:inference WANDB_INFERENCE_API_KEY":            bearer,
		"wolframalpha WOLFRAM_APP_ID":                        "query appid={{secret}}",
		"wolframalpha:alpha-app-id WOLFRAM_ALPHA_APP_ID":     "query appid={{secret}}",
		"wolframalpha:alpha-appid WOLFRAM_ALPHA_APPID":       "query appid={{secret}}",
		"xai XAI_API_KEY":                                    bearer,
		"zai ZAI_API_KEY":                                    bearer,
		"zai:z-ai Z_AI_API_KEY":                              bearer,
	}
	checkAuth(t, want)
}

// TestAILimits asks of capabilities what they must let pass, and what is next to
// that and must not.
func TestAILimits(t *testing.T) {
	t.Parallel()
	checkLimits(t, []limit{
		{"mistral/files", "GET", "/v1/files/ID/content", true},
		{"mistral/files", "DELETE", "/v1/files/ID", false},
		{"mistral/agents-completions", "POST", "/v1/agents/completions", true},
		{"mistral/agents-completions", "POST", "/v1/agents", false},
		{"xai/deferred", "GET", "/v1/chat/deferred-completion/ID", true},
		{"xai/deferred", "GET", "/v1/chat/completions", false},
		{"together/endpoints", "POST", "/v1/endpoints", false},
		{"huggingface/hub", "GET", "/api/models/NAME/REPOSITORY", true},
		{"huggingface/hub", "POST", "/api/models/NAME/REPOSITORY/commit/main", false},
		{"huggingface/repos-create", "DELETE", "/api/repos/delete", false},
		{"huggingface/repos-create", "POST", "/api/repos/move", false},
		{"azure-openai/files", "GET", "/openai/v1/files", true},
		{"azure-openai/files-upload", "DELETE", "/openai/v1/files/ID", false},
		{"aws-lambda/invoke-stream", "POST", "/2021-11-15/functions/NAME/response-streaming-invocations", true},
		{"aws-lambda/invoke-stream", "POST", "/2015-03-31/functions", false},
		{"aws-lambda/functions", "POST", "/2015-03-31/functions/NAME/invocations", false},
		{"aws-ses/templates-write", "POST", "/v2/email/outbound-emails", false},
		{"aws-bedrock/invoke", "POST", "/model/amazon.nova-lite-v1:0/converse-stream", true},
		{"aws-bedrock/invoke", "POST", "/async-invoke", false},
		{"vertex-ai/publishers", "POST", "/v1/projects/P/locations/global/endpoints", false},
		{"bfl/flux", "POST", "/v1/flux-pro-1.1-ultra", true},
		{"bfl/flux", "POST", "/v1/flux-2-pro", false},
		{"cartesia/voices", "POST", "/access-token", false},
		{"langsmith/runs-query", "POST", "/api/v1/runs/query", true},
		{"langsmith/runs-query", "POST", "/api/v1/runs", false},
		{"langsmith/runs-write", "POST", "/api/v1/runs/batch", true},
		{"langsmith/runs-write", "POST", "/api/v1/runs/delete", false},
		{"langsmith/runs-write", "POST", "/api/v1/RUNS/Delete", false},
		{"langfuse/traces", "DELETE", "/api/public/traces/ID", false},
		{"runpod/serverless-status", "POST", "/v2/ID/run", false},
		{"serpapi/search", "GET", "/search.json?q=a", true},
		{"serpapi/search", "GET", "/account.json", false},
		{"exa/websets-write", "POST", "/websets/v0/webhooks", false},
		{"apify/limits", "GET", "/v2/users/me/usage/monthly", true},
		{"apify/limits", "GET", "/v2/users/me", false},
		{"apify/actors", "POST", "/v2/acts/ID/runs", false},
		{"scrapingbee/scrape", "GET", "/api/v1/?url=https%3A%2F%2Fexample.com", true},
		{"scrapingbee/scrape", "GET", "/api/v1/usage", false},
		{"newsapi/headlines", "GET", "/v2/top-headlines/sources", false},
		{"google-maps/geocode", "GET", "/maps/api/directions/json", false},
	})
}

// TestAIHosts finds the hosts that a credential may name, and the region that a
// signature is made for at one.
func TestAIHosts(t *testing.T) {
	t.Parallel()
	reg := registry.Builtin()
	for _, c := range []struct {
		id, host, region string // region: us-east-1 where the host has none; "" if it is none of the provider's
	}{
		{"aws-bedrock", "bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"},
		{"aws-bedrock", "bedrock-runtime.eu-central-1.amazonaws.com", "eu-central-1"},
		{"aws-bedrock", "bedrock.ap-south-1.amazonaws.com", "ap-south-1"},
		{"aws-bedrock", "lambda.eu-central-1.amazonaws.com", ""},
		{"aws-lambda", "lambda.us-west-2.amazonaws.com", "us-west-2"},
		{"aws-lambda", "lambda.us-west-2.amazonaws.com.evil.test", ""},
		{"aws-lambda", "s3.us-west-2.amazonaws.com", ""},
		{"aws-ses", "email.eu-west-1.amazonaws.com", "eu-west-1"},
		{"azure-openai", "acme.openai.azure.com", "us-east-1"},
		{"azure-openai", "acme.services.ai.azure.com", "us-east-1"},
		{"azure-openai", "openai.azure.com", ""},
		{"azure-openai", "acme.azure.com", ""},
		{"vertex-ai", "europe-west4-aiplatform.googleapis.com", "us-east-1"},
		{"vertex-ai", "storage.googleapis.com", ""},
		{"xai", "management-api.x.ai", ""},
	} {
		p, ok := reg.Provider(c.id)
		if !ok {
			t.Errorf("there is no %s", c.id)
			continue
		}
		if got := p.Has(c.host); got != (c.region != "") {
			t.Errorf("%s has %s: %t", c.id, c.host, got)
		}
		if got := p.Region(c.host, "us-east-1"); c.region != "" && got != c.region {
			t.Errorf("%s at %s is in %s", c.id, c.host, got)
		}
	}
}
