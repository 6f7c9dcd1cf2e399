// Package auth adds the authentication of a credential to a request.
//
// What a credential's vault.Auth says (a kind and some parameters) becomes a
// [Strategy]. It knows three things: which parts of a request are its own, so
// that policy keeps the caller's hands off them; how to add the authentication
// to a request; and what of it must not come back, so that the answer can be
// cleaned. A kind that is unknown is refused when the credential is made, never
// approximated. The kinds, and their parameters:
//
//	header        one header: its name, and a template of its value
//	query         one query parameter: its name, and a template of its value
//	path          prefix: a template of what goes before the path
//	basic         username and password, templates; or none, for one secret that holds both
//	multi-header  headers, as many as there are parameters
//	multi-query   query parameters, likewise
//	oauth2        grant_type, token_endpoint, scope (may repeat), client_auth (may be left out)
//	aws-sigv4     service, region
//	hmac          algorithm, header_name, value_template
//	mtls          none
//
// Templates such as "Bearer {{secret}}" have placeholders in them, each of
// which stands for a secret. A credential of one secret calls it "secret". Where
// a multi-header or multi-query credential has one secret and its templates use
// any other placeholder, all placeholders are fields of that secret, which is a
// JSON object. The secret of aws-sigv4, and if so wanted of basic and mtls, is a
// JSON object too. Fields within objects have names with dots, and neither case
// nor underscores distinguish names: apiKey is api_key. The secret of oauth2 is
// rewritten when it is renewed, so that its fields have no more than the two
// spellings of package oauth.
//
// # HMAC
//
// The signature of an hmac credential is HMAC-SHA256 or HMAC-SHA512 (RFC 2104),
// in lower-case hexadecimal, under the secret's bytes as they are, of these
// lines, with a line feed between them and none after the last:
//
//	aivault-hmac-v1
//	the method, such as POST
//	the host, with a port if it is not 443
//	the path, percent-encoded as it is sent
//	the query as it is sent, but with its pairs, which & separates, sorted by their bytes
//	the time, in seconds since 1970
//	the SHA-256, or SHA-512, of the body, in lower-case hexadecimal
//
// No line can hold a line feed, so that no two requests have the same text but
// for the order of the pairs. The time is sent too, in a header that has the
// name of the signature's with -Timestamp after it: who verifies it should
// refuse one that is more than some minutes off.
//
// No error names more than a field: neither a secret nor a part of one.
package auth
