package attack_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

// An amazon is a service that checks Signature Version 4 as AWS describes it
// ("Create a signed AWS API request"), by itself.
type amazon struct {
	service, key string
}

// ServeHTTP answers 200, or 403 with what is wrong.
func (a amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if wrong := a.check(r); wrong != "" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, wrong)
		return
	}
	_ = r.Write(w) // all that it got, signature and session token included
}

func (a amazon) check(r *http.Request) string {
	const algorithm = "AWS4-HMAC-SHA256"
	authorization, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" Credential=AKIDEXAMPLE/")
	scope, rest, ok2 := strings.Cut(authorization, ", SignedHeaders=")
	signed, signature, ok3 := strings.Cut(rest, ", Signature=")
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if !ok || !ok2 || !ok3 || err != nil || scope != date[:8]+"/eu-west-1/"+a.service+"/aws4_request" {
		return "IncompleteSignature"
	}
	if off := time.Since(at); off.Abs() > 15*time.Minute {
		return "RequestTimeTooSkewed"
	}
	names := strings.Split(signed, ";")
	if !slices.IsSorted(names) || !slices.Contains(names, "host") {
		return "SignedHeaders"
	}
	for _, name := range [...]string{"user-agent", "accept-encoding", "content-length"} {
		if slices.Contains(names, name) {
			return "SignedHeaders: " + name // which the transport and proxies may change
		}
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if (strings.HasPrefix(lower, "x-amz-") || lower == "content-type") && !slices.Contains(names, lower) {
			return "SignedHeaders without " + lower
		}
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	hashed := hexOf(sha256.New(), body)
	if err != nil || a.service == "s3" && r.Header.Get("X-Amz-Content-Sha256") != hashed {
		return "XAmzContentSHA256Mismatch"
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	request := strings.Join([]string{r.Method, a.path(path), sortedQuery(query), headerLines(r, names), signed, hashed}, "\n")
	sum := []byte("AWS4" + a.key)
	for _, part := range append(strings.Split(scope, "/"), algorithm+"\n"+date+"\n"+scope+"\n"+hexOf(sha256.New(), []byte(request))) {
		sum = macOf(sha256.New, sum, part)
	}
	if hex.EncodeToString(sum) != signature {
		return "SignatureDoesNotMatch"
	}
	return ""
}

// path is the canonical path: what was sent, escaped once more; at S3 escaped
// once, whatever of it was sent so.
func (a amazon) path(sent string) string {
	segments := strings.Split(sent, "/")
	for i, s := range segments {
		if a.service == "s3" {
			s, _ = url.PathUnescape(s)
		}
		segments[i] = amazonEscape(s)
	}
	return strings.Join(segments, "/")
}

// amazonEscape escapes every byte but the unreserved ones of RFC 3986.
func amazonEscape(s string) string {
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

func sortedQuery(sent string) string {
	var pairs []string
	for pair := range strings.SplitSeq(sent, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.PathUnescape(name)
		value, _ = url.PathUnescape(value)
		pairs = append(pairs, amazonEscape(name)+"="+amazonEscape(value))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func headerLines(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		value := strings.Join(strings.Fields(r.Header.Get(name)), " ")
		if name == "host" {
			value = r.Host
		}
		b.WriteString(name + ":" + value + "\n")
	}
	return b.String()
}

func hexOf(h hash.Hash, text []byte) string {
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

func macOf(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// newAmazonWorld returns a world whose upstream is a service of AWS, and whose
// credential signs for it with keys for a while.
func newAmazonWorld(t *testing.T, service string, http2 bool) *world {
	t.Helper()
	w := bareWorld(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}, HTTP2: http2}))
	key, token := brokertest.Word(t), brokertest.Word(t)
	w.canaries = append(w.canaries, key, token)
	w.secret = w.putValue(t, "AWS", `{"accessKeyId":"AKIDEXAMPLE","secretAccessKey":"`+key+`","sessionToken":"`+token+`"}`)
	w.credential(t, broker.NewCredential{Auth: params("aws-sigv4", "service", service, "region", "eu-west-1")})
	w.capability(t, broker.NewCapability{})
	w.up.Handle(amazon{service, key}.ServeHTTP)
	// Only the session token travels. The scanner sees to the key.
	w.carries = headerOf("X-Amz-Security-Token", token)
	return w
}

// What is signed is what is sent, over both protocols, whatever the transport
// adds. The official suite is in auth.TestCase084Suite.
func TestCase085SignedAsSent(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"s3", "execute-api"} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprint(service, " HTTP/2 ", http2), func(t *testing.T) {
				t.Parallel()
				w := newAmazonWorld(t, service, http2)
				for _, target := range []string{
					"", "/", "/a", "/a%20b", "/a%2Bb", "/%C3%A9/%E2%82%AC", "/(1)=:@!$&'*,", "/~a-b._c", "/%3F%5B%5D%7C%22", "/a%3Bb",
					"?a", "?a=", "?b=2&a=1", "?a=2&a=1", "?a=%2F", "?a=x%20y", "?q=%2B%26%3D%25", "?%C3%A9=%E2%82%AC", "?a=~-._", "?A=1&a=2&B=3", "?x-id=GetObject", "?=v",
				} {
					for _, call := range []broker.Call{get(prefix + target), post(`{"x":1}`)} {
						call.Path = prefix + target
						call.Headers = []broker.Header{{Name: "X-Note", Value: "one  two"}, {Name: "User-Agent", Value: "made-up/1"}, {Name: "Accept", Value: "*/*"}}
						got, answer := w.allow(t, call)
						if answer.Status != http.StatusOK || got.URI != prefix+target {
							t.Errorf("%s: status %d, %s", target, answer.Status, answer.Body)
						}
						if call.Body != nil && string(got.Body) != string(call.Body) {
							t.Errorf("%s: the upstream got a body of %d bytes", target, len(got.Body))
						}
					}
				}
			})
		}
	}
}

func TestCase084SigV4(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"s3", "execute-api"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			w := newAmazonWorld(t, service, false)
			if _, answer := w.allow(t, post("made-up body")); answer.Status != http.StatusOK || answer.Redactions < 2 {
				t.Errorf("status %d, %d redactions", answer.Status, answer.Redactions)
			}
			for _, header := range []string{"X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Security-Token", "Authorization", "X-Amz-Algorithm"} {
				w.deny(t, with(header, "UNSIGNED-PAYLOAD"), fault.PolicyViolation)
			}
			// What the service would read in another way is not signed.
			for _, target := range []string{"?q=%zz", "?a=x+y", "?a+b=1"} {
				w.deny(t, get(prefix+target), fault.InvalidRequest)
			}
			if service == "s3" {
				w.deny(t, get(prefix+"/a+b"), fault.InvalidRequest)
			} else {
				w.allow(t, get(prefix+"/a+b"))
			}
			w.up.Handle(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Location", prefix+"/a?b=x+y")
				rw.WriteHeader(http.StatusFound)
			})
			if _, answer := w.allow(t, get(prefix)); answer.Status != http.StatusFound {
				t.Errorf("redirected to what cannot be signed: status %d", answer.Status)
			}
			w.up.Handle(amazon{service, w.canaries[0]}.ServeHTTP)
			// A clock that is wrong: the service says so, and so does the answer.
			for _, off := range []time.Duration{16 * time.Minute, -32 * time.Minute} {
				w.pass(off)
				if _, answer := w.allow(t, get(prefix)); answer.Status != http.StatusForbidden || string(answer.Body) != "RequestTimeTooSkewed" {
					t.Errorf("%s off: status %d, %s", off, answer.Status, answer.Body)
				}
			}
		})
	}
	// The control: another key is noticed.
	w := newAmazonWorld(t, "s3", false)
	w.up.Handle(amazon{"s3", "made-up"}.ServeHTTP)
	if _, answer := w.allow(t, get(prefix)); string(answer.Body) != "SignatureDoesNotMatch" {
		t.Errorf("by another key: %s", answer.Body)
	}
}

// Who knows the key finds the signature right; auth.TestCase086Injective shows
// that no two requests have the same.
func TestCase086HMAC(t *testing.T) {
	t.Parallel()
	for algorithm, h := range map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			key := brokertest.Canary(t) + "\n\x00\xff" // a key is never sent, and may have any bytes
			w.canaries = append(w.canaries, key)
			s := w.putValue(t, "HMAC", key)
			w.instead(t, broker.NewCredential{Secret: s.id, Auth: params("hmac", "algorithm", algorithm)})
			w.carries = func(r upstream.Request) (upstream.Request, bool) { return r, r.Get("X-Signature") != "" }
			w.up.Handle(func(rw http.ResponseWriter, r *http.Request) { _ = r.Write(rw) })
			for _, target := range []string{"", "/a%20b(1)=%C3%A9:x?b=%2F&a=x%20y&c", "?", "?b&a&b", "/x?a=1&A=2"} {
				call := post(`{"x":1}`)
				call.Path = prefix + target
				got, answer := w.allow(t, call)
				path, query, _ := strings.Cut(got.URI, "?")
				pairs := strings.Split(query, "&")
				slices.Sort(pairs)
				text := strings.Join([]string{
					"aivault-hmac-v1", "POST", host, path, strings.Join(pairs, "&"), got.Get("X-Signature-Timestamp"), hexOf(h(), got.Body),
				}, "\n")
				if want := algorithm + "=" + hex.EncodeToString(macOf(h, []byte(key), text)); got.Get("X-Signature") != want {
					t.Errorf("%s: the signature is another one", target)
				}
				if strings.Contains(string(answer.Body), got.Get("X-Signature")) || answer.Redactions == 0 {
					t.Errorf("%s: the signature came back", target)
				}
			}
			w.deny(t, with("X-Signature", "made-up"), fault.PolicyViolation)
			w.deny(t, with("x_signature_timestamp", "made-up"), fault.PolicyViolation)
		})
	}
	w := newWorld(t)
	for _, algorithm := range []string{"md5", "sha1", "none", "SHA-256", "crc32"} {
		w.refuseAuth(t, params("hmac", "algorithm", algorithm))
	}
	w.refuseAuth(t, params("hmac", "value_template", "{{secret}}"))
	w.refuse(t, "an empty key", fault.InvalidRequest, func() error {
		_, err := w.vault.CreateSecret(t.Context(), vault.NewSecret{Name: "EMPTY", Scope: vault.GlobalScope(), Value: proof(stored{})})
		return err
	})
}
