package auth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/vault"
)

func sigV4(service, region string) vault.Auth {
	return config("aws-sigv4", "service", service, "region", region)
}

// A suite is testdata/sigv4-suite.json, the test suite that AWS published. The
// file says where it is from.
type suite struct {
	Region          string
	Service         string
	Host            string
	AccessKeyID     string
	SecretAccessKey string
	Date            time.Time
	Cases           []struct {
		Name, Method, Path string
		Query, Headers     map[string]string
		Body               string
		Authorization      string
	}
}

// Case 84: all 24 cases of the suite.
func TestCase084Suite(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/sigv4-suite.json")
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Cases) != 24 {
		t.Fatalf("the suite has %d cases", len(s.Cases))
	}
	for _, c := range s.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			secret := map[string]string{"accessKeyId": s.AccessKeyID, "secretAccessKey": s.SecretAccessKey}
			var pairs []string
			for name, value := range c.Query {
				pairs = append(pairs, escapeAWS(name)+"="+escapeAWS(value))
			}
			target := strings.TrimSuffix(c.Path+"?"+strings.Join(pairs, "&"), "?")
			if c.Name == "get-utf8" {
				// The case has a path that is not escaped, which no request has:
				// policy refuses it. Escaped, as it is sent, it is another
				// request to services that escape what was escaped.
				if _, _, err := policy.ParseTarget(c.Path); fault.CodeOf(err) != fault.InvalidRequest {
					t.Errorf("policy lets the path pass: %v", err)
				}
				target = escapePath(c.Path)
			}
			m := message(t, c.Method, "https://"+s.Host+target, []byte(c.Body))
			for name, value := range c.Headers {
				switch name {
				case "x-amz-date": // ours to set
				case "x-amz-security-token":
					secret["sessionToken"] = value
				default:
					m.Header.Set(name, value)
				}
			}
			text, err := json.Marshal(secret)
			if err != nil {
				t.Fatal(err)
			}
			applyTo(t, sigV4(s.Service, s.Region), m, values("secret", string(text)))
			got := m.Header.Get("Authorization")
			if c.Name == "get-utf8" {
				if got == c.Authorization {
					t.Error("the escaped path has the signature of the other one")
				}
				if want := signAgain(m, s.AccessKeyID, s.SecretAccessKey, s.Service, s.Region, escapePath(c.Path)); want != c.Authorization {
					t.Errorf("the signature of the path as it is: %s, want %s", want, c.Authorization)
				}
			} else if got != c.Authorization {
				t.Errorf("got  %s\nwant %s", got, c.Authorization)
			}
			if m.Header.Get("X-Amz-Date") != "20150830T123600Z" || m.Header.Get("X-Amz-Security-Token") != secret["sessionToken"] {
				t.Errorf("headers %v", m.Header)
			}
			if m.URL.RequestURI() != target {
				t.Errorf("the target %q became %q", target, m.URL.RequestURI())
			}
		})
	}
}

// escapeAWS escapes all but letters, digits and -._~, with upper-case digits.
func escapeAWS(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func escapePath(path string) string { return strings.ReplaceAll(escapeAWS(path), "%2F", "/") }

// signAgain is the algorithm once more, from AWS's description of it: of a
// signed request it takes the names of the signed headers and nothing else of
// the signature. The path is given in the form that is signed.
func signAgain(m *auth.Message, id, secret, service, region, path string) string {
	_, rest, _ := strings.Cut(m.Header.Get("Authorization"), "SignedHeaders=")
	signed, _, _ := strings.Cut(rest, ",")
	var headers strings.Builder
	for name := range strings.SplitSeq(signed, ";") {
		value := m.Header.Get(name)
		if name == "host" {
			value = m.Host
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	var pairs []string
	for pair := range strings.SplitSeq(m.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if pair != "" {
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.Sort(pairs)
	hash := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	canonical := strings.Join([]string{m.Method, path, strings.Join(pairs, "&"), headers.String(), signed, hash(string(m.Body))}, "\n")
	date := m.Time.UTC().Format("20060102T150405Z")
	scope := strings.Join([]string{date[:8], region, service, "aws4_request"}, "/")
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hash(canonical)))
	return "AWS4-HMAC-SHA256 Credential=" + id + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(h.Sum(nil))
}

// Case 85: what is signed is what is sent, whatever the path has in it. Other
// services than S3's escape what was sent once more.
func TestCase085Paths(t *testing.T) {
	t.Parallel()
	const secret = `{"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"made-up/key+1"}`
	for _, test := range []struct{ service, path, signed string }{
		{"s3", "/bucket/plain-._~0", "/bucket/plain-._~0"},
		{"s3", "/", "/"},
		{"s3", "/bucket/a%2Fb", "/bucket/a%2Fb"},
		{"s3", "/bucket/a%2Bb", "/bucket/a%2Bb"},
		{"s3", "/bucket/a%20b", "/bucket/a%20b"},
		{"s3", "/bucket/%C3%A9%E1%88%B4", "/bucket/%C3%A9%E1%88%B4"},
		{"s3", "/bucket/day=1/(x)!$&'*,:@", "/bucket/day%3D1/%28x%29%21%24%26%27%2A%2C%3A%40"},
		{"s3express", "/bucket/day=1/a%20b", "/bucket/day%3D1/a%20b"},
		{"s3-outposts", "/bucket/a%20b", "/bucket/a%20b"},
		{"s3-object-lambda", "/bucket/a%20b", "/bucket/a%20b"},
		{"bedrock", "/model/anthropic.claude-v1:0/invoke", "/model/anthropic.claude-v1%3A0/invoke"},
		{"bedrock", "/model/anthropic.claude-v1%3A0/invoke", "/model/anthropic.claude-v1%253A0/invoke"},
		{"execute-api", "/a%2Fb", "/a%252Fb"},
		{"execute-api", "/a+b", "/a%2Bb"},
		{"execute-api", "/a%20b/%C3%A9", "/a%2520b/%25C3%25A9"},
		{"aoss", "/a%20b", "/a%2520b"},
	} {
		m := message(t, http.MethodPut, "https://aws.test"+test.path+"?b=%2F&a=x%20y&acl", []byte(`{"a":1}`))
		m.Header = http.Header{
			"User-Agent": {"aivault"}, "Accept-Encoding": {"gzip"}, "Content-Type": {"application/json"}, "X-Note": {"a   b"},
		}
		m.ContentLength = int64(len(m.Body))
		applyTo(t, sigV4(test.service, "eu-west-1"), m, values("secret", secret))
		got := m.Header.Get("Authorization")
		if want := signAgain(m, "AKIDEXAMPLE", "made-up/key+1", test.service, "eu-west-1", test.signed); got != want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", test.service, test.path, got, want)
		}
		if m.URL.RequestURI() != test.path+"?b=%2F&a=x%20y&acl" {
			t.Errorf("%s: the target became %q", test.path, m.URL.RequestURI())
		}
		// What the transport may still change is not signed.
		signed, hash := "content-type;host;x-amz-date;x-note", ""
		if strings.HasPrefix(test.service, "s3") || test.service == "aoss" {
			sum := sha256.Sum256(m.Body)
			signed, hash = "content-type;host;x-amz-content-sha256;x-amz-date;x-note", hex.EncodeToString(sum[:])
		}
		if !strings.Contains(got, "SignedHeaders="+signed+",") {
			t.Errorf("%s: %s", test.service, got)
		}
		if m.Header.Get("X-Amz-Content-Sha256") != hash {
			t.Errorf("%s: the hash of the body is %q", test.service, m.Header.Get("X-Amz-Content-Sha256"))
		}
	}
}

// A signature over what a service may read otherwise than it is signed is not
// made: S3 takes the bare plus sign in a path for a space.
func TestCase085Refused(t *testing.T) {
	t.Parallel()
	const secret = `{"accessKeyId":"AKIDEXAMPLE","secretAccessKey":"made-up"}`
	for _, test := range []struct{ service, target string }{
		{"s3", "/bucket/a+b"},
		{"s3", "/bucket/x?prefix=a+b"},
		{"execute-api", "/x?a=1;b=2"},
		{"execute-api", "/x?q=a+b"},
		{"execute-api", "/x?q=%zz"},
	} {
		m := message(t, http.MethodGet, "https://aws.test"+test.target, nil)
		_, err := strategy(t, sigV4(test.service, "us-east-1")).Apply(m, values("secret", secret))
		if fault.CodeOf(err) != fault.InvalidRequest || len(m.Header) != 0 || m.URL.RequestURI() != test.target {
			t.Errorf("%s %s: error %v, headers %v", test.service, test.target, err, m.Header)
		}
	}
}

// The id is public; what signs is not, and no part of it is sent but the
// session token.
func TestSigV4Secrets(t *testing.T) {
	t.Parallel()
	key, token := brokertest.Word(t), brokertest.Word(t)
	m := message(t, http.MethodGet, "https://aws.test/", nil)
	got := set(applyTo(t, sigV4("s3", "us-east-1"), m, values("secret", `{"aws_access_key_id":"AKIDEXAMPLE","aws_secret_access_key":"`+key+`","aws_session_token":"`+token+`"}`)))
	_, signature, _ := strings.Cut(m.Header.Get("Authorization"), "Signature=")
	if diff := cmp.Diff(map[string]bool{key: true, token: true, signature: true}, got); diff != "" || len(signature) != 64 {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if m.Header.Get("X-Amz-Security-Token") != token || !strings.Contains(m.Header.Get("Authorization"), "host;x-amz-content-sha256;x-amz-date;x-amz-security-token") {
		t.Error("the session token is not sent, or not signed")
	}
	var wire strings.Builder
	if err := m.Write(&wire); err != nil {
		t.Fatal(err)
	}
	brokertest.Scan(t, "the request", []byte(wire.String()), key)
}

func TestSigV4SecretForm(t *testing.T) {
	t.Parallel()
	word := brokertest.Word(t)
	cfg := sigV4("s3", "us-east-1")
	for _, test := range []struct{ name, secret, says string }{
		{"text", word, "no JSON object"},
		{"no id", `{"secretAccessKey":"` + word + `"}`, "no field accessKeyId"},
		{"empty id", `{"accessKeyId":"","secretAccessKey":"` + word + `"}`, "no field accessKeyId"},
		{"no key", `{"accessKeyId":"` + word + `"}`, "no field secretAccessKey"},
		{"a number", `{"accessKeyId":"i","secretAccessKey":7731}`, "secretAccessKey of the secret is not text"},
		{"two ids", `{"accessKeyId":"i","access_key_id":"` + word + `","secretAccessKey":"k"}`, "accessKeyId twice"},
		{"two styles", `{"accessKeyId":"i","aws_access_key_id":"` + word + `","secretAccessKey":"k"}`, "accessKeyId twice"},
		{"an id with a slash", `{"accessKeyId":"` + word + `/x","secretAccessKey":"k"}`, "accessKeyId of the secret has a character"},
		{"an id with a line break", `{"accessKeyId":"` + word + `\n","secretAccessKey":"k"}`, "accessKeyId of the secret has a character"},
		{"a key with a line break", `{"accessKeyId":"i","secretAccessKey":"` + word + `\n"}`, "secretAccessKey of the secret has a line break"},
		{"a token with a line break", `{"accessKeyId":"i","secretAccessKey":"k","sessionToken":"` + word + `\r\n"}`, "sessionToken of the secret has a character"},
	} {
		err := auth.SecretShape(cfg, values("secret", test.secret)["secret"])
		if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.says)
			continue
		}
		brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), word)
	}
	for _, good := range []string{
		`{"accessKeyId":"i","secretAccessKey":"k","sessionToken":""}`,
		`{"AccessKeyId":"i","SecretAccessKey":"k","SessionToken":"t","Expiration":"2030-01-01T00:00:00Z","Version":1}`,
	} {
		if err := auth.SecretShape(cfg, values("secret", good)["secret"]); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestSigV4Refuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 65)
	for _, params := range []map[string]string{
		{},
		{"service": "s3"},
		{"region": "us-east-1"},
		{"service": "S3", "region": "us-east-1"},
		{"service": "s3/x", "region": "us-east-1"},
		{"service": "s3", "region": "us east"},
		{"service": "s3", "region": "us-east-1\n"},
		{"service": "s3", "region": "-x"},
		{"service": long, "region": "us-east-1"},
		{"service": "", "region": "us-east-1"},
		{"service": "s3", "region": "us-east-1", "name": "x"},
	} {
		cfg := config("aws-sigv4")
		for _, name := range slices.Sorted(maps.Keys(params)) {
			cfg.Params = append(cfg.Params, vault.Param{Name: name, Value: params[name]})
		}
		if _, err := auth.New(cfg); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%v: error %v", params, err)
		}
	}
}
