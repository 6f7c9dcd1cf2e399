package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAuthAI is TestAuth of services for AI, search, scraping and places, and
// of AWS.
func TestAuthAI(t *testing.T) {
	bearer := "header Authorization=Bearer {{secret}}"
	want := map[string]string{
		"ai21 AI21_API_KEY":                                bearer,
		"apify APIFY_TOKEN":                                bearer,
		"apify:api-token APIFY_API_TOKEN":                  bearer,
		"assemblyai ASSEMBLYAI_API_KEY":                    "header Authorization={{secret}}",
		"assemblyai:aai AAI_API_KEY":                       "header Authorization={{secret}}",
		"aws-bedrock AWS_BEARER_TOKEN_BEDROCK":             bearer,
		"aws-bedrock:sigv4 AWS_BEDROCK_CREDENTIALS":        "aws-sigv4 service=bedrock region=us-east-1",
		"aws-lambda AWS_LAMBDA_CREDENTIALS":                "aws-sigv4 service=lambda region=us-east-1",
		"aws-ses AWS_SES_CREDENTIALS":                      "aws-sigv4 service=ses region=us-east-1",
		"azure-openai AZURE_OPENAI_API_KEY":                "header api-key={{secret}}",
		"azure-openai:api-key AZURE_OPENAI_KEY":            "header api-key={{secret}}",
		"bfl BFL_API_KEY":                                  "header x-key={{secret}}",
		"brave-search BRAVE_API_KEY":                       "header X-Subscription-Token={{secret}}",
		"brave-search:search-api-key BRAVE_SEARCH_API_KEY": "header X-Subscription-Token={{secret}}",
		"browserbase BROWSERBASE_API_KEY":                  "header X-BB-API-Key={{secret}}",
		"cartesia CARTESIA_API_KEY":                        "header X-API-Key={{secret}}",
		"cerebras CEREBRAS_API_KEY":                        bearer,
		"cohere COHERE_API_KEY":                            bearer,
		"cohere:co-api-key CO_API_KEY":                     bearer,
		"dashscope DASHSCOPE_API_KEY":                      bearer,
		"deepseek DEEPSEEK_API_KEY":                        bearer,
		"e2b E2B_API_KEY":                                  "header X-API-Key={{secret}}",
		"exa EXA_API_KEY":                                  "header x-api-key={{secret}}",
		"fireworks FIREWORKS_API_KEY":                      bearer,
		"fireworks:ai-api-key FIREWORKS_AI_API_KEY":        bearer,
		"google-maps MAPS_API_KEY":                         "query key={{secret}}",
		"google-maps:routes MAPS_API_KEY":                  "header X-Goog-Api-Key={{secret}}",
		"groq GROQ_API_KEY":                                bearer,
		"heygen HEYGEN_API_KEY":                            "header X-Api-Key={{secret}}",
		"huggingface HF_TOKEN":                             bearer,
		"huggingface:api-key HUGGINGFACE_API_KEY":          bearer,
		"huggingface:hub-token HUGGING_FACE_HUB_TOKEN":     bearer,
		"ideogram IDEOGRAM_API_KEY":                        "header Api-Key={{secret}}",
		"jina JINA_API_KEY":                                bearer,
		"jina:ai-api-key JINAAI_API_KEY":                   bearer,
		"kagi KAGI_API_KEY":                                "header Authorization=Bot {{secret}}",
		"kagi:token KAGI_API_TOKEN":                        "header Authorization=Bot {{secret}}",
		"langfuse LANGFUSE_PUBLIC_KEY LANGFUSE_SECRET_KEY": "basic username={{username}} password={{password}}",
		"langsmith LANGSMITH_API_KEY":                      "header X-Api-Key={{secret}}",
		"langsmith:langchain LANGCHAIN_API_KEY":            "header X-Api-Key={{secret}}",
		"luma LUMAAI_API_KEY":                              bearer,
		"luma:api-key LUMA_API_KEY":                        bearer,
		"mistral MISTRAL_API_KEY":                          bearer,
		"moonshot MOONSHOT_API_KEY":                        bearer,
		"newsapi NEWS_API_KEY":                             "header X-Api-Key={{secret}}",
		"newsapi:newsapi-api-key NEWSAPI_API_KEY":          "header X-Api-Key={{secret}}",
		"newsapi:newsapi-key NEWSAPI_KEY":                  "header X-Api-Key={{secret}}",
		"nvidia-nim NVIDIA_API_KEY":                        bearer,
		"nvidia-nim:nim-api-key NVIDIA_NIM_API_KEY":        bearer,
		"openweather OPENWEATHER_API_KEY":                  "query appid={{secret}}",
		"openweather:map OPENWEATHERMAP_API_KEY":           "query appid={{secret}}",
		"perplexity PERPLEXITY_API_KEY":                    bearer,
		"perplexity:pplx PPLX_API_KEY":                     bearer,
		"runpod RUNPOD_API_KEY":                            bearer,
		"runway RUNWAYML_API_SECRET":                       bearer,
		"sambanova SAMBANOVA_API_KEY":                      bearer,
		"scrapingbee SCRAPINGBEE_API_KEY":                  "query api_key={{secret}}",
		"serpapi SERPAPI_API_KEY":                          "query api_key={{secret}}",
		"serpapi:key SERPAPI_KEY":                          "query api_key={{secret}}",
		"serper SERPER_API_KEY":                            "header X-API-KEY={{secret}}",
		"stability STABILITY_API_KEY":                      bearer,
		"tavily TAVILY_API_KEY":                            bearer,
		"together TOGETHER_API_KEY":                        bearer,
		"together:together-ai TOGETHERAI_API_KEY":          bearer,
		"vertex-ai GOOGLE_VERTEX_OAUTH":                    "oauth2 grant_type=refresh_token token_endpoint=https://oauth2.googleapis.com/token client_auth=body",
		"vertex-ai:api-key GOOGLE_VERTEX_API_KEY":          "header x-goog-api-key={{secret}}",
		"voyage VOYAGE_API_KEY":                            bearer,
		"voyage:ai-api-key VOYAGEAI_API_KEY":               bearer,
		"wandb WANDB_API_KEY":                              "basic username=api password={{password}}",
		"wandb:inference WANDB_API_KEY":                    bearer,
		"wolframalpha WOLFRAM_APP_ID":                      "query appid={{secret}}",
		"wolframalpha:alpha-app-id WOLFRAM_ALPHA_APP_ID":   "query appid={{secret}}",
		"wolframalpha:alpha-appid WOLFRAM_ALPHA_APPID":     "query appid={{secret}}",
		"xai XAI_API_KEY":                                  bearer,
		"zai ZAI_API_KEY":                                  bearer,
		"zai:z-ai Z_AI_API_KEY":                            bearer,
	}
	if diff := cmp.Diff(authsOf(want), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}
