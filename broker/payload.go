package broker

import "aivault/broker/internal/envelope"

// A Payload is a request as callers write it in JSON: see [ParsePayload].
type Payload = envelope.Envelope

// MaxPayload is the length of the longest payload, in bytes.
const MaxPayload = envelope.MaxSize

// ParsePayload reads the JSON of a request, bare or in an envelope, such that
// it has one meaning or none. Its error is fault.InvalidRequest, or
// fault.PolicyViolation for one that says where it goes.
func ParsePayload(data []byte) (Payload, error) { return envelope.Decode(data) }
