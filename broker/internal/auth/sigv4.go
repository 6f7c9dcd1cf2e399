package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// Parameters of aws-sigv4.
const (
	paramService = "service"
	paramRegion  = "region"
)

// Headers that the signature brings.
const (
	headerAuthorization = "Authorization"
	headerAmzDate       = "X-Amz-Date"
	headerAmzToken      = "X-Amz-Security-Token"
	headerAmzHash       = "X-Amz-Content-Sha256"
)

// A sigV4 strategy signs the request as AWS has it, with Signature Version 4
// (IAM User Guide, "Create a signed AWS API request"). What is signed is what is
// sent: a copy of the request goes to the signer of the AWS SDK, which would
// put the query in another order, and only the headers come back.
//
// A signature holds for some minutes (15, at most services) around the time in
// it. On a machine whose clock is further off every call is refused, with the
// service's own words: RequestTimeTooSkewed, or a signature that has expired or
// is not yet current.
type sigV4 struct {
	service, region string
}

func newSigV4(params []vault.Param) (Strategy, error) {
	var s sigV4
	for _, p := range params {
		switch {
		case p.Name == paramService && s.service == "":
			s.service = p.Value
		case p.Name == paramRegion && s.region == "":
			s.region = p.Value
		default:
			return nil, invalid("authentication by aws-sigv4 has the parameter %q, or has it twice", p.Name).
				WithHint("it takes %s and %s", paramService, paramRegion)
		}
		if !isAWSWord(p.Value) {
			return nil, invalid("the AWS %s is not a word of lower-case letters, digits and dashes", p.Name).
				WithHint("the service is the one that AWS signs for, such as s3 or bedrock, and a region is such as us-east-1")
		}
	}
	if s.service == "" || s.region == "" {
		return nil, invalid("authentication by aws-sigv4 has one of %s and %s, or none, and needs both", paramService, paramRegion)
	}
	return s, nil
}

func isAWSWord(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-'
}

// likeS3 reports whether the service is one of S3's, which escape the path
// once, where others escape the escaped path.
func (s sigV4) likeS3() bool {
	switch s.service {
	case "s3", "s3express", "s3-outposts", "s3-object-lambda":
		return true
	}
	return false
}

// wantsHash reports whether the service needs the hash of the body in a header
// too. It is always the real one: UNSIGNED-PAYLOAD would leave the body open.
func (s sigV4) wantsHash() bool { return s.likeS3() || s.service == "aoss" || s.service == "glacier" }

func (s sigV4) Managed() Managed {
	return Managed{Headers: []string{headerAuthorization, headerAmzDate, headerAmzToken, headerAmzHash}}
}

func (s sigV4) fits(placeholders []string) error { return needs(placeholders, Placeholder) }

func (s sigV4) check(values Values) error {
	k, err := readAWSKeys(values)
	k.clear()
	return err
}

// awsKeys are what an aws-sigv4 secret holds.
type awsKeys struct {
	id, secret, token opaque.Bytes // token: nil unless the credentials are temporary
}

func (k awsKeys) clear() {
	k.id.Clear()
	k.secret.Clear()
	k.token.Clear()
}

// readAWSKeys returns copies, which the caller clears, whatever the error is.
// The names are those of AWS's own JSON and of its credentials file.
func readAWSKeys(values Values) (k awsKeys, err error) {
	const (
		id, secret, token = "accessKeyId", "secretAccessKey", "sessionToken"
		form              = `{"accessKeyId":"...","secretAccessKey":"..."}, with a sessionToken if there is one`
	)
	value, err := oneSecret(values)
	if err != nil {
		return k, err
	}
	object, err := parseObject(value, form, id, secret, token)
	if err != nil {
		return k, err
	}
	defer object.clear()
	if k.id, err = object.text(id, "awsAccessKeyId"); err != nil {
		return k, err
	}
	if k.secret, err = object.text(secret, "awsSecretAccessKey"); err != nil {
		return k, err
	}
	if k.token, err = object.optional(token, "awsSessionToken"); err != nil {
		return k, err
	}
	// The id stands in a list, between an equals sign and a slash.
	for _, c := range k.id.Reveal() {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`/,="`, c) >= 0 {
			return k, invalid("the field %s of the secret has a character that no access key id has", id)
		}
	}
	if err := checkTrimmed("the field "+secret+" of the secret", k.secret.Reveal()); err != nil {
		return k, err
	}
	for _, c := range k.token.Reveal() {
		if c <= ' ' || c >= 0x7f {
			return k, invalid("the field %s of the secret has a character that cannot be sent", token)
		}
	}
	return k, nil
}

// Apply returns the secret key and the session token, and the signature, with
// which the request could be sent once more. The key id is public.
func (s sigV4) Apply(m *Message, values Values) ([]opaque.Bytes, error) {
	k, err := readAWSKeys(values)
	if err == nil {
		err = s.sign(m, aws.Credentials{
			AccessKeyID: string(k.id.Reveal()), SecretAccessKey: string(k.secret.Reveal()), SessionToken: string(k.token.Reveal()),
		})
	}
	if err != nil {
		k.clear()
		return nil, err
	}
	k.id.Clear()
	_, signature, _ := strings.Cut(m.Header[headerAuthorization][0], "Signature=")
	secrets := []opaque.Bytes{k.secret, opaque.New([]byte(signature))}
	if k.token != nil {
		secrets = append(secrets, k.token)
	}
	return secrets, nil
}

// Refuse implements Refuser: a signature over what a service may read otherwise
// than it was signed is not made.
func (s sigV4) Refuse(path, rawQuery string) error {
	if s.likeS3() && strings.Contains(path, "+") {
		return invalid("the path has a plus sign, which S3 reads as a space").
			WithHint("write %%2B for a plus sign and %%20 for a space")
	}
	if strings.Contains(rawQuery, "+") {
		return invalid("the query has a plus sign, which AWS services read in different ways").
			WithHint("write %%2B for a plus sign and %%20 for a space")
	}
	if _, err := url.ParseQuery(rawQuery); err != nil { // the signer would leave out what it cannot read
		return invalid("the query cannot be decoded, and so not signed")
	}
	return nil
}

// sign adds the headers of the signature. Not signed are Accept-Encoding and
// Content-Length, which are the transport's, and User-Agent: the signer leaves
// it out by itself, with what else a proxy may change. The signer takes the
// keys as strings, which nobody can clear.
func (s sigV4) sign(m *Message, credentials aws.Credentials) error {
	path := m.URL.EscapedPath()
	if err := s.Refuse(path, m.URL.RawQuery); err != nil {
		return err
	}
	if s.likeS3() {
		path = escapeOnce(path)
	}
	sum := sha256.Sum256(m.Body)
	hash := hex.EncodeToString(sum[:])
	signed := &http.Request{
		Method: m.Method, Host: hostOf(m), Header: m.Header.Clone(),
		URL: &url.URL{Scheme: "https", Host: m.URL.Host, Opaque: "//" + m.URL.Host + path, RawQuery: m.URL.RawQuery},
	}
	if signed.Header == nil {
		signed.Header = http.Header{}
	}
	for _, name := range [...]string{headerAuthorization, headerAmzToken, "Accept-Encoding", "Content-Length"} {
		delete(signed.Header, name)
	}
	if s.wantsHash() {
		signed.Header[headerAmzHash] = []string{hash}
	}
	// A signer of its own: one that is kept would keep the key that it derives.
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = s.likeS3() })
	if err := signer.SignHTTP(m.Context(), credentials, signed, hash, s.service, s.region, m.Time); err != nil {
		return fault.New(fault.Internal, "the request could not be signed")
	}
	for _, name := range s.Managed().Headers {
		if value, ok := signed.Header[name]; ok {
			m.Header[name] = value
		}
	}
	return nil
}

// escapeOnce returns a path as S3 escapes it, which takes what was sent apart
// first: everything but letters, digits and -._~/ is escaped. What was sent as
// %2F stays so.
func escapeOnce(path string) string {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c, escaped := path[i], false
		if c == '%' && i+2 < len(path) {
			if b, err := hex.DecodeString(path[i+1 : i+3]); err == nil {
				c, escaped = b[0], true
				i += 2
			}
		}
		if isAlnum(c) || strings.IndexByte("-._~", c) >= 0 || c == '/' && !escaped {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

// Preview shows the name of the secret in the place of key id and signature.
// Whether there is a session token only the secret says.
func (s sigV4) Preview(m *Message, names map[string]string) error {
	name := string(standIns(names)[Placeholder].Reveal())
	if err := s.sign(m, aws.Credentials{AccessKeyID: name, SecretAccessKey: name}); err != nil {
		return err
	}
	before, _, _ := strings.Cut(m.Header[headerAuthorization][0], "Signature=")
	m.Header[headerAuthorization] = []string{before + "Signature=" + name}
	return nil
}
