package attack_test

import (
	"slices"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

func TestCase020PathAuth(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, brokertest.New(t, host))
	w.secret = w.putValue(t, "BOT_TOKEN", "123456:"+brokertest.Word(t))
	auth := &vault.Auth{Kind: "path", Params: []vault.Param{{Name: "prefix", Value: "/bot{{secret}}"}}}
	w.credential(t, broker.NewCredential{Auth: auth})
	w.carries = pathOf("/bot", w.secret)
	w.capability(t, broker.NewCapability{})
	w.capability(t, broker.NewCapability{ID: "api/all", Paths: []string{"/"}})
	for _, target := range []string{"/v1/files", "/v1/files/a%2Cb?c=%2f"} {
		got, answer := w.allow(t, get(target))
		if got.URI != target || !strings.HasSuffix(answer.URL, target) {
			t.Errorf("the upstream got %s, and the answer says %s", got.URI, answer.URL)
		}
	}
	for _, path := range []string{"/bot", "/bot123:mine/getMe", "/bots", "/%62ot123/getMe", "/bot/../v1/files"} {
		w.deny(t, get(path), fault.InvalidRequest)
		w.deny(t, broker.Call{Capability: "api/all", Method: "GET", Path: path}, fault.InvalidRequest)
	}

	// What could leave its segment is refused when it is stored.
	ctx := t.Context()
	for _, value := range []string{"a/b", "a?b", "a#b", "a%b", "a%2fb", `a\b`, "..", "a..b", "a b", "a\nb", "a;b", "é", " a"} {
		w.refuse(t, "a secret with "+value, fault.InvalidRequest, func() error {
			_, err := w.vault.RotateSecret(ctx, w.secret.id, opaque.New([]byte(value)), 0)
			return err
		})
	}
	w.allow(t, get(prefix))
}

// A key pair whose requests are signed: nothing of a caller's stands beside
// the signature, and the key does not travel.
func TestCase034SignedRequests(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, brokertest.New(t, host))
	key := brokertest.Word(t)
	w.secret = w.putValue(t, "AWS_PAIR", `{"accessKeyId":"AKIDEXAMPLE","secretAccessKey":"`+key+`"}`)
	w.canaries = []string{key}
	w.credential(t, broker.NewCredential{Auth: &vault.Auth{Kind: "aws-sigv4", Params: []vault.Param{{Name: "service", Value: "s3"}, {Name: "region", Value: "us-east-1"}}}})
	w.carries = func(r upstream.Request) (upstream.Request, bool) {
		return r, strings.HasPrefix(r.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && r.Get("X-Amz-Date") != "" && r.Get("X-Amz-Content-Sha256") != ""
	}
	signing := []string{"X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Signature", "X-Amz-Expires", "Authorization", "x_amz_date"}
	asking := []string{"X-Amz-Copy-Source", "X-Amz-Target", "X-Amz-Acl"}
	w.capability(t, broker.NewCapability{})
	for _, name := range slices.Concat(signing, asking) {
		w.deny(t, with(name, "made-up"), fault.PolicyViolation)
	}
	w.capability(t, broker.NewCapability{ID: "api/listed", AllowHeads: asking})
	for _, name := range signing {
		call := with(name, "made-up")
		call.Capability = "api/listed"
		w.deny(t, call, fault.PolicyViolation)
	}
	call := with("X-Amz-Copy-Source", "/bucket/key")
	call.Capability = "api/listed"
	got, _ := w.allow(t, call)
	if got.Get("X-Amz-Copy-Source") != "/bucket/key" || !strings.Contains(got.Get("Authorization"), "x-amz-copy-source") {
		t.Errorf("the listed header was not sent, or not signed: %q", got.Get("Authorization"))
	}
}

func TestCase055ClientCertificates(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var authorities []byte
			pem := map[string]string{}
			for _, id := range []string{"one", "two"} {
				ca, cert, key, err := upstream.ClientCertificate(id)
				if err != nil {
					t.Fatal(err)
				}
				authorities = append(authorities, ca...)
				pem[id] = string(cert) + string(key)
			}
			up := brokertest.NewWith(t, upstream.Options{Names: []string{host}, HTTP2: http2, ClientCA: authorities, RequireClientCert: true})
			w := bareWorld(t, up)
			w.capability(t, broker.NewCapability{})
			for id, text := range pem {
				w.canaries = append(w.canaries, text, strings.Split(text, "PRIVATE KEY-----\n")[1][:40])
				s := w.putValue(t, "CERT_"+id, text)
				w.credential(t, broker.NewCredential{ID: id, Secret: s.id, Auth: &vault.Auth{Kind: "mtls"}})
			}
			used := map[int]string{}
			for _, id := range []string{"one", "two", "one", "two", "one"} {
				w.carries = func(r upstream.Request) (upstream.Request, bool) {
					ok := len(r.PeerCertificates) == 1 && r.PeerCertificates[0].Subject.CommonName == id
					r.PeerCertificates = nil
					return r, ok
				}
				call := get(prefix)
				call.Credential = id
				got, _ := w.allow(t, call)
				if other, ok := used[got.Conn]; ok && other != id {
					t.Errorf("connection %d was used as %s and as %s", got.Conn, other, id)
				}
				used[got.Conn] = id
			}
		})
	}
}
