package vault

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault/internal/seal"
)

// Value is the value of a secret: bytes that no verb prints. Whoever receives
// one clears it after use.
type Value = opaque.Bytes

// MaxValue is the length of the longest value, in bytes.
const MaxValue = 64 << 10

// An ID is the identity of a secret: random, and the same for its whole life.
type ID = uuid.UUID

// A Secret is what is known about a stored value, all but the value itself.
type Secret struct {
	ID             ID
	Name           string
	Aliases        []string // sorted; unique in the scope, together with the names
	Scope          Scope
	AttachedOnly   bool       // the global scope itself covers nothing, only attachments do
	PinnedProvider string     // the one provider that it works for; empty if its name is not claimed
	Hosts          []Host     // sealed hosts of an unpinned secret: those that a credential or binding uses
	Chosen         bool       // its first hosts were chosen: from then on, others cost the value as proof
	Attached       []GroupRef // groups that it was shared with, sorted
	CreatedAt      time.Time
	UpdatedAt      time.Time
	RotatedAt      time.Time // when the current value was stored
	LastUsedAt     time.Time // zero if never
	Version        uint64    // of the value; 1 when created
	Revision       uint64    // of everything but LastUsedAt; for --if-revision
}

// A Host is one that an unpinned secret may be sent to: a canonical host name,
// with a port if it is not 443, and how it is known to be the right one. Each
// combination is a destination of its own: whoever may send a secret to a host
// that one authority vouches for may not send it to one that another does.
type Host struct {
	Name    string
	Private bool   // may resolve to an address that is not globally reachable
	CA      string // digest of the authority that vouches for it, see CADigest; empty: the system's
}

// CADigest is what a Host keeps of a credential's own certificate authority;
// empty for none.
func CADigest(pem []byte) string {
	if len(pem) == 0 {
		return ""
	}
	return seal.Digest(pem)
}

// MayGoTo reports whether an unpinned secret was sealed for a host.
func (s *Secret) MayGoTo(h Host) bool { return slices.Contains(s.Hosts, h) }

// A GroupRef names a group within a workspace.
type GroupRef struct {
	Workspace string `json:"workspaceId"`
	Group     string `json:"groupId"`
}

// An Auth says how a credential authenticates. The vault keeps it without
// understanding it: kinds and parameters are the broker's.
type Auth struct {
	Kind   string // header, query, basic, ...
	Params []Param
}

// A Param is one setting of an Auth. A name may occur more than once.
type Param struct {
	Name, Value string
}

// A Credential is a provider's account that an operator made: a secret, how to
// authenticate with it, and the hosts that it is for.
type Credential struct {
	ID           string
	Provider     string
	Scope        Scope
	Auth         Auth
	Hosts        []string // canonical, at least one
	Capabilities []string // nil: every capability of the provider
	Secret       ID
	AllowPrivate bool   // its hosts may be private or loopback ones
	CACert       []byte // PEM; trusted instead of the system's roots; nil: the system's
	CreatedAt    time.Time
	Revision     uint64
}

// Destinations returns the hosts of the credential as they are sealed with its
// secret.
func (c *Credential) Destinations() []Host {
	hosts := make([]Host, len(c.Hosts))
	for i, name := range c.Hosts {
		hosts[i] = Host{Name: name, Private: c.AllowPrivate, CA: CADigest(c.CACert)}
	}
	return hosts
}

// A Capability is an operation that an operator allowed, beside those of the
// built-in registry.
type Capability struct {
	ID        string // provider/name
	Provider  string
	Allow     Allow
	CreatedAt time.Time
	Revision  uint64
}

// Allow says what a capability admits.
type Allow struct {
	Hosts   []string // exactly one
	Methods []string // upper case, at least one
	Paths   []string // prefixes that match whole segments, at least one
	Headers []string // request headers that may pass; nil: all that policy lets pass
}

// A Policy limits the calls of a capability, built-in or not. Nil fields limit
// nothing beyond what the broker does anyway.
type Policy struct {
	Capability  string
	Rate        *int64   // calls in any 60 s, over all contexts; 0: none
	MaxRequest  *int64   // bytes of a request's body
	MaxResponse *int64   // bytes of an answer's decoded body
	Block       []string // names of JSON fields whose values do not leave, sorted
	UpdatedAt   time.Time
	Revision    uint64
}

// A Binding is an operator's choice of a secret for a capability at a scope.
type Binding struct {
	Capability string
	Secret     ID
	Scope      Scope
	Consumer   string // the one that it is for; empty: any
	Hosts      []Host // where the secret goes by it
	UpdatedAt  time.Time
	Revision   uint64
}

// NewSecret is what a secret is made from.
type NewSecret struct {
	Name         string
	Aliases      []string
	Scope        Scope
	AttachedOnly bool
	Value        Value // not cleared by the vault
}

// SecretChange says what to change about a secret; nil fields stay.
type SecretChange struct {
	Name    *string
	Aliases *[]string
}

// IfRevision is a condition on a change: the revision that the thing must
// still have, or zero for whichever it has. Otherwise: fault.Conflict.
type IfRevision uint64

// Removed says what went away with a deleted secret.
type Removed struct {
	Secret      Secret
	Credentials []string // ids of hand-made credentials, sorted
	Bindings    []Binding
	At          time.Time
}

// ParseSecretRef reads a secret reference `vault:secret:ID` or a bare id.
func ParseSecretRef(s string) (ID, error) {
	const prefix = "vault:secret:"
	text := s
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		text = text[len(prefix):]
	}
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		return ID{}, fault.New(fault.InvalidRequest, "%q is no secret reference", s).
			WithHint("a reference is vault:secret:ID; `aivault secrets list` shows the ids")
	}
	return id, nil
}

// SecretRef is the documented form of a reference to a secret.
func SecretRef(id ID) string { return "vault:secret:" + id.String() }
