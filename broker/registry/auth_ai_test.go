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
		"azure-openai AZURE_OPENAI_API_KEY":                "header api-key={{secret}}",
		"azure-openai:api-key AZURE_OPENAI_KEY":            "header api-key={{secret}}",
		"brave-search BRAVE_API_KEY":                       "header X-Subscription-Token={{secret}}",
		"brave-search:search-api-key BRAVE_SEARCH_API_KEY": "header X-Subscription-Token={{secret}}",
		"cohere COHERE_API_KEY":                            bearer,
		"cohere:co-api-key CO_API_KEY":                     bearer,
		"deepseek DEEPSEEK_API_KEY":                        bearer,
		"groq GROQ_API_KEY":                                bearer,
		"huggingface HF_TOKEN":                             bearer,
		"huggingface:api-key HUGGINGFACE_API_KEY":          bearer,
		"huggingface:hub-token HUGGING_FACE_HUB_TOKEN":     bearer,
		"mistral MISTRAL_API_KEY":                          bearer,
		"perplexity PERPLEXITY_API_KEY":                    bearer,
		"perplexity:pplx PPLX_API_KEY":                     bearer,
		"tavily TAVILY_API_KEY":                            bearer,
		"together TOGETHER_API_KEY":                        bearer,
		"together:together-ai TOGETHERAI_API_KEY":          bearer,
		"xai XAI_API_KEY":                                  bearer,
	}
	if diff := cmp.Diff(authsOf(want), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}
