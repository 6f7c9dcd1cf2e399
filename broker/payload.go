package broker

import (
	"aivault/broker/internal/auth"
	"aivault/broker/internal/envelope"
	"aivault/vault"
)

// A Payload is a request as callers write it in JSON: see [ParsePayload].
type Payload = envelope.Envelope

// MaxPayload is the length of the longest payload, in bytes.
const MaxPayload = envelope.MaxSize

// ParsePayload reads the JSON of a request, bare or in an envelope, such that
// it has one meaning or none. Its error is fault.InvalidRequest, or
// fault.PolicyViolation for one that says where it goes, or
// fault.RequestTooLarge.
func ParsePayload(data []byte) (Payload, error) { return envelope.Decode(data) }

// AuthFlags are the settings of an authentication as a command line gives them.
type AuthFlags = auth.Flags

// ParseAuth returns the authentication of a kind with its settings, or their
// documented defaults. Its error is fault.Usage for a setting of another kind,
// else fault.InvalidRequest.
func ParseAuth(kind string, flags AuthFlags) (vault.Auth, error) { return auth.FromFlags(kind, flags) }
