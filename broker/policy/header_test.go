package policy_test

import (
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/policy"
	"aivault/keys/fault"
)

func decideHeaders(rule policy.Rule, headers ...policy.Header) ([]policy.Header, error) {
	got, err := policy.Decide(rule, policy.Request{Method: "GET", Target: "/v1/files", Headers: headers})
	return got.Headers, err
}

func TestHeaderNamesRefused(t *testing.T) {
	for _, tc := range []struct{ name, headers string }{
		{"3.3/27 authentication", "Authorization Proxy-Authorization Cookie Cookie2 X-Api-Key Api-Key X-Auth-Token " +
			"X-Goog-Api-Key PRIVATE-TOKEN apikey xi-api-key X-Access-Key Ocp-Apim-Subscription-Key X-Auth-Key X-Auth-Email " +
			"Client-Secret X-Hub-Signature-256 X-Credential X-Password X-Csrf-Token X-JWT-Assertion X-Functions-Key " +
			"X-Basic-Auth x_api_key X.Api.Key authorization WWW-Authenticate X-Sig"},
		{"3.3/28 host and pseudo headers", "Host HOST :authority :path :method"},
		{"3.3/29 connection", "Connection connection"},
		{"3.3/30 framing", "Transfer-Encoding transfer_encoding Content-Length TE Trailer Upgrade Expect Keep-Alive " +
			"Proxy-Connection HTTP2-Settings Sec-WebSocket-Key Sec-WebSocket-Protocol"},
		{"3.3/32 method override", "X-HTTP-Method-Override X-Method-Override X-HTTP-Method X_HTTP_METHOD_OVERRIDE"},
		{"3.3/33 forwarding", "X-Original-URL X-Rewrite-URL X-Forwarded-Host X-Forwarded-For X-Forwarded-Proto " +
			"X-Forwarded-Prefix Forwarded X-Real-IP Via True-Client-IP CF-Connecting-IP Proxy X-Middleware-Subrequest"},
		{"3.3/34 rights outside the path", "X-Amz-Copy-Source X-Amz-Target X-Amz-Security-Token X-Amz-Date " +
			"X-Amz-Content-Sha256 X-Amz-Acl x_amz_target X-Ms-Copy-Source Destination"},
	} {
		for name := range strings.FieldsSeq(tc.headers) {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				t.Parallel()
				_, err := decideHeaders(files, policy.Header{Name: name, Value: "canary"})
				if code := fault.CodeOf(err); code != fault.PolicyViolation {
					t.Fatalf("got %v, want a policy violation", err)
				}
				if strings.Contains(err.Error()+fault.HintOf(err), "canary") {
					t.Errorf("the error repeats the value: %v", err)
				}
			})
		}
	}
}

func TestHeaderNamesAllowed(t *testing.T) {
	const names = "Accept Accept-Language Content-Type Idempotency-Key If-Match If-None-Match Range User-Agent X-Custom " +
		"OpenAI-Organization OpenAI-Project OpenAI-Beta Anthropic-Version Anthropic-Beta Notion-Version Stripe-Version " +
		"Stripe-Account X-GitHub-Api-Version X-Title HTTP-Referer X-Goog-FieldMask X-Goog-Upload-Protocol Xero-Tenant-Id " +
		"X-Request-Id Prefer X-Author Dropbox-API-Arg"
	for name := range strings.FieldsSeq(names) {
		t.Run("3.3/37 "+name, func(t *testing.T) {
			t.Parallel()
			got, err := decideHeaders(files, policy.Header{Name: name, Value: " v\t"})
			if err != nil {
				t.Fatal(err)
			}
			want := []policy.Header{{Name: textproto.CanonicalMIMEHeaderKey(name), Value: "v"}}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("(-got +want)\n%s", diff)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	listing := func(names ...string) policy.Rule { r := files; r.Headers = names; return r }
	managing := func(names ...string) policy.Rule { r := files; r.ManagedHeaders = names; return r }
	many := make([]policy.Header, 200)
	for i := range many {
		many[i] = policy.Header{Name: "X-" + strings.Repeat("a", 1+i/26) + string(rune('a'+i%26)), Value: "v"}
	}
	type headers = []policy.Header
	for _, tc := range []struct {
		name string
		rule policy.Rule
		in   headers
		want fault.Code
		out  headers
	}{
		{name: "3.3/31 CR in a value", rule: files, in: headers{{"X-A", "a\rb"}}, want: fault.InvalidRequest},
		{name: "3.3/31 LF in a value", rule: files, in: headers{{"X-A", "a\nX-B: c"}}, want: fault.InvalidRequest},
		{name: "3.3/31 folded value", rule: files, in: headers{{"X-A", "a\r\n b"}}, want: fault.InvalidRequest},
		{name: "3.3/31 NUL in a value", rule: files, in: headers{{"X-A", "a\x00"}}, want: fault.InvalidRequest},
		{name: "3.3/31 space in a name", rule: files, in: headers{{"X A", "v"}}, want: fault.InvalidRequest},
		{name: "3.3/31 trailing space in a name", rule: files, in: headers{{"Authorization ", "v"}}, want: fault.InvalidRequest},
		{name: "3.3/31 colon in a name", rule: files, in: headers{{"X:A", "v"}}, want: fault.InvalidRequest},
		{name: "3.3/31 TAB in a name", rule: files, in: headers{{"X\tA", "v"}}, want: fault.InvalidRequest},
		{name: "3.3/31 non-ASCII name", rule: files, in: headers{{"X-Ä", "v"}}, want: fault.InvalidRequest},
		{name: "3.3/31 empty name", rule: files, in: headers{{"", "v"}}, want: fault.InvalidRequest},
		{name: "3.3/31 value that is not UTF-8", rule: files, in: headers{{"X-A", "\xff"}}, want: fault.InvalidRequest},
		{name: "value in UTF-8", rule: files, in: headers{{"x-title", "Café"}}, out: headers{{"X-Title", "Café"}}},
		{name: "3.3/34 listed by the capability", rule: listing("x-amz-target"), in: headers{{"X-Amz-Target", "v"}}, out: headers{{"X-Amz-Target", "v"}}},
		{name: "3.3/34 listed, but part of the signature", rule: listing("x-amz-date"), in: headers{{"X-Amz-Date", "v"}}, want: fault.PolicyViolation},
		{name: "3.3/34 listed, but managed", rule: policy.Rule{
			Methods: files.Methods, Paths: files.Paths,
			Headers: []string{"x-amz-target"}, ManagedHeaders: []string{"X-Amz-Target"},
		}, in: headers{{"x-amz-target", "v"}}, want: fault.PolicyViolation},
		{name: "3.3/27 listing does not open authentication", rule: listing("authorization"), in: headers{{"Authorization", "v"}}, want: fault.PolicyViolation},
		{name: "3.3/27 managed by the strategy", rule: managing("PLAID-CLIENT-ID"), in: headers{{"plaid_client_id", "v"}}, want: fault.PolicyViolation},
		{name: "3.3/39 content type with a broker-built body", rule: managing("Content-Type"), in: headers{{"content-type", "multipart/form-data; boundary=mine"}}, want: fault.PolicyViolation},
		{name: "3.3/35 accept-encoding is ignored", rule: files, in: headers{{"Accept-Encoding", "br"}, {"Accept", "a/b"}}, out: headers{{"Accept", "a/b"}}},
		{name: "3.3/35 accept-encoding is ignored, though not listed", rule: listing("Accept"), in: headers{{"accept-encoding", "br"}}, out: headers{}},
		{name: "3.3/36 same header twice", rule: files, in: headers{{"Accept", "a"}, {"accept", "b"}}, want: fault.PolicyViolation},
		{name: "3.3/36 underscore and dash", rule: files, in: headers{{"a_b", "1"}, {"a-b", "2"}}, want: fault.PolicyViolation},
		{name: "3.3/36 dot and dash", rule: files, in: headers{{"a-b", "1"}, {"a.b", "2"}}, want: fault.PolicyViolation},
		{name: "3.3/37 only what the capability lists", rule: listing("OpenAI-Beta"), in: headers{{"OpenAI-Project", "v"}}, want: fault.PolicyViolation},
		{name: "3.3/37 what the capability lists", rule: listing("OpenAI-Beta"), in: headers{{"openai-beta", "v"}}, out: headers{{"Openai-Beta", "v"}}},
		{name: "3.3/37 a capability that lists none", rule: listing([]string{}...), in: headers{{"X-Custom", "v"}}, out: headers{{"X-Custom", "v"}}},
		{name: "3.3/38 200 headers", rule: files, in: many, want: fault.RequestTooLarge},
		{name: "3.3/38 64 KiB", rule: files, in: headers{{"X-A", strings.Repeat("v", 64<<10)}}, want: fault.RequestTooLarge},
		{name: "3.3/38 long name", rule: files, in: headers{{strings.Repeat("x", 129), "v"}}, want: fault.RequestTooLarge},
		{name: "3.3/40 our own names", rule: files, in: headers{{"X-Aivault-Token", "v"}, {"x_aivault_any", "v"}}, out: headers{}},
		{name: "none", rule: files},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := decideHeaders(tc.rule, tc.in...)
			if code := fault.CodeOf(err); code != tc.want {
				t.Fatalf("got %v, want code %q", err, tc.want)
			}
			if diff := cmp.Diff(got, tc.out); diff != "" {
				t.Errorf("(-got +want)\n%s", diff)
			}
		})
	}
}

func TestParseHeaderFlag(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want policy.Header
		code fault.Code
	}{
		{in: "Accept: text/plain", want: policy.Header{Name: "Accept", Value: "text/plain"}},
		{in: "Accept=text/plain", want: policy.Header{Name: "Accept", Value: "text/plain"}},
		{in: "Accept:text/plain; q=0.5", want: policy.Header{Name: "Accept", Value: "text/plain; q=0.5"}},
		{in: "If-Match=\"a:b\"", want: policy.Header{Name: "If-Match", Value: `"a:b"`}},
		{in: " X-A : v ", want: policy.Header{Name: "X-A", Value: "v"}},
		{in: "X-Empty:", want: policy.Header{Name: "X-Empty"}},
		{in: ":authority: evil.test", code: fault.PolicyViolation},
		{in: "canary", code: fault.InvalidRequest},
		{in: "", code: fault.InvalidRequest},
		{in: "=canary", code: fault.InvalidRequest},
		{in: "Bearer canary: v", code: fault.InvalidRequest},
		{in: "X-A: canary\r\nX-B: v", code: fault.InvalidRequest},
	} {
		t.Run(tc.in, func(t *testing.T) {
			t.Parallel()
			got, err := policy.ParseHeaderFlag(tc.in)
			if got != tc.want || fault.CodeOf(err) != tc.code {
				t.Errorf("got %q, %v; want %q, code %q", got, err, tc.want, tc.code)
			}
			if err != nil && strings.Contains(err.Error()+fault.HintOf(err), "canary") {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}

func TestParseHeaderName(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		code     fault.Code
	}{
		{in: "openai-beta", want: "Openai-Beta"},
		{in: "x-amz-target", want: "X-Amz-Target"},
		{in: "authorization", code: fault.PolicyViolation},
		{in: "X-Forwarded-For", code: fault.PolicyViolation},
		{in: "a b", code: fault.InvalidRequest},
		{in: "", code: fault.InvalidRequest},
	} {
		t.Run(tc.in, func(t *testing.T) {
			t.Parallel()
			got, err := policy.ParseHeaderName(tc.in)
			if got != tc.want || fault.CodeOf(err) != tc.code {
				t.Errorf("got %q, %v; want %q, code %q", got, err, tc.want, tc.code)
			}
		})
	}
}

// FuzzHeaderFlag: what is read can be written and read again, and a name that
// is refused stays refused in every spelling that a server could fold.
func FuzzHeaderFlag(f *testing.F) {
	for _, seed := range []string{"Accept: a", "a=b", ":path: x", "X-Api-Key=1", "Cookie:a=b", "A_b: \tc ", "Accept-Encoding: br"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := policy.ParseHeaderFlag(s)
		if err != nil {
			return
		}
		if again, err := policy.ParseHeaderFlag(h.Name + ": " + h.Value); again != h || err != nil {
			t.Fatalf("%q is read again as %q (%v)", h, again, err)
		}
		_, err = decideHeaders(files, h)
		for _, name := range []string{
			strings.ToUpper(h.Name), strings.ToLower(h.Name),
			strings.ReplaceAll(h.Name, "-", "_"), strings.ReplaceAll(h.Name, "_", "-"),
		} {
			if _, other := decideHeaders(files, policy.Header{Name: name, Value: h.Value}); fault.CodeOf(other) != fault.CodeOf(err) {
				t.Fatalf("%q: %v, and %q: %v", h.Name, err, name, other)
			}
		}
	})
}
