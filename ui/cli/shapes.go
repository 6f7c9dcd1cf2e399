package cli

import (
	"time"

	"aivault/broker"
	"aivault/vault"
)

// The JSON objects of the documented command line. Fields that can be absent
// are null or left out as documented; those that are ours are marked.

// secretJSON is the metadata of a secret.
type secretJSON struct {
	ID             string           `json:"secretId"`
	Name           string           `json:"name"`
	Aliases        []string         `json:"aliases"`
	Scope          vault.Scope      `json:"scope"`
	SystemManaged  bool             `json:"systemManaged"` // we make no secrets of our own
	PinnedProvider string           `json:"pinnedProvider,omitempty"`
	CreatedAt      *int64           `json:"createdAtMs"`
	UpdatedAt      *int64           `json:"updatedAtMs"`
	LastUsedAt     *int64           `json:"lastUsedAtMs"`
	RevokedAt      *int64           `json:"revokedAtMs"`
	Version        uint64           `json:"valueVersion"`
	Attached       []vault.GroupRef `json:"attachedGroups"`

	AttachedOnly bool     `json:"attachedOnly,omitempty"` // ours, as what follows
	Hosts        []string `json:"hosts,omitempty"`        // sealed ones
	Revision     uint64   `json:"revision"`
	From         string   `json:"from,omitempty"` // of a list for a context
	ShadowedBy   string   `json:"shadowedBy,omitempty"`
}

func toSecret(s vault.Secret) secretJSON {
	out := secretJSON{
		ID: s.ID.String(), Name: s.Name, Aliases: orEmpty(s.Aliases), Scope: s.Scope,
		PinnedProvider: s.PinnedProvider, CreatedAt: millis(s.CreatedAt), UpdatedAt: millis(s.UpdatedAt),
		LastUsedAt: millis(s.LastUsedAt), Version: s.Version, Attached: orEmpty(s.Attached),
		AttachedOnly: s.AttachedOnly, Revision: s.Revision,
	}
	for _, h := range s.Hosts {
		out.Hosts = append(out.Hosts, h.Name)
	}
	return out
}

// orEmpty makes JSON show [] for a list that has nothing.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// orNull makes JSON show null for a text that is empty.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// credentialJSON is the record of a credential.
type credentialJSON struct {
	ID           string   `json:"id"`
	Provider     string   `json:"provider"`
	Workspace    *string  `json:"workspaceId"`
	Group        *string  `json:"groupId"`
	Auth         any      `json:"auth"`
	Hosts        []string `json:"hosts"`
	Capabilities []string `json:"capabilities,omitempty"`
	SecretRef    string   `json:"secretRef"`

	SecretRefs   []string `json:"secretRefs,omitempty"` // ours, as what follows: of a credential of several secrets
	AllowPrivate bool     `json:"allowPrivate,omitempty"`
	OwnCA        bool     `json:"ownCaCert,omitempty"`
	Auto         bool     `json:"auto"`
	Revision     uint64   `json:"revision,omitempty"`
}

func toCredential(c broker.Credential) credentialJSON {
	out := credentialJSON{
		ID: c.ID, Provider: c.Provider, Workspace: orNull(c.Scope.Workspace), Group: orNull(c.Scope.Group),
		Auth: toAuth(c.Auth), Hosts: orEmpty(c.Hosts), Capabilities: c.Capabilities, SecretRef: vault.SecretRef(c.Secret),
		AllowPrivate: c.AllowPrivate, OwnCA: len(c.CACert) > 0, Auto: c.Auto, Revision: c.Revision,
	}
	if len(c.Secrets) > 1 {
		for _, id := range c.Secrets {
			out.SecretRefs = append(out.SecretRefs, vault.SecretRef(id))
		}
	}
	return out
}

// toAuth is the documented form of a strategy: an object with one key, or a
// string for those without settings. A kind that this version does not know
// shows by its name.
func toAuth(a vault.Auth) any {
	set := make(map[string]string, len(a.Params)) // for the kinds whose parameters are settings
	scopes := []string{}
	for _, p := range a.Params {
		if set[p.Name] = p.Value; p.Name == "scope" {
			scopes = append(scopes, p.Value)
		}
	}
	one := func(key string, value any) any { return map[string]any{key: value} }
	switch {
	case a.Kind == "header" && len(a.Params) == 1:
		return one("header", toHeaderAuth(a.Params[0]))
	case a.Kind == "query" && len(a.Params) == 1:
		return one("query", queryAuthJSON{Name: a.Params[0].Name})
	case a.Kind == "path":
		return one("path", pathAuthJSON{set["prefix"]})
	case a.Kind == "multi-header":
		return one("multi_header", mapTo(a.Params, toHeaderAuth))
	case a.Kind == "multi-query":
		return one("multi_query", mapTo(a.Params, func(p vault.Param) queryAuthJSON { return queryAuthJSON{p.Name, p.Value} }))
	case a.Kind == "oauth2":
		return one("o_auth2", oauth2JSON{set["grant_type"], set["token_endpoint"], scopes, set["client_auth"]})
	case a.Kind == "aws-sigv4":
		return one("aws_sig_v4", sigV4JSON{set["service"], set["region"]})
	case a.Kind == "hmac":
		return one("hmac", hmacJSON{set["algorithm"], set["header_name"], set["value_template"]})
	}
	return a.Kind
}

type headerAuthJSON struct {
	Name     string `json:"header_name"`
	Template string `json:"value_template"`
}

func toHeaderAuth(p vault.Param) headerAuthJSON { return headerAuthJSON{p.Name, p.Value} }

type queryAuthJSON struct {
	Name     string `json:"param_name"`
	Template string `json:"value_template,omitempty"` // of several
}

type pathAuthJSON struct {
	Template string `json:"prefix_template"`
}

type oauth2JSON struct {
	Grant      string   `json:"grant_type"`
	Endpoint   string   `json:"token_endpoint"`
	Scopes     []string `json:"scopes"`
	ClientAuth string   `json:"client_auth,omitempty"` // ours
}

type sigV4JSON struct {
	Service string `json:"service"`
	Region  string `json:"region"`
}

type hmacJSON struct {
	Algorithm string `json:"algorithm"`
	Name      string `json:"header_name"`
	Template  string `json:"value_template"`
}

// allowJSON is what a capability admits.
type allowJSON struct {
	Hosts   []string `json:"hosts"`
	Methods []string `json:"methods"`
	Paths   []string `json:"pathPrefixes"`
	Headers []string `json:"headers,omitempty"` // ours: the only ones that may pass
}

func toAllow(a vault.Allow) allowJSON {
	return allowJSON{orEmpty(a.Hosts), orEmpty(a.Methods), orEmpty(a.Paths), a.Headers}
}

// capabilityJSON is the record of a capability.
type capabilityJSON struct {
	ID       string    `json:"id"`
	Provider string    `json:"provider"`
	Allow    allowJSON `json:"allow"`

	Description string `json:"description,omitempty"` // ours, as what follows
	Builtin     bool   `json:"builtin"`               // its provider lists it
	Own         bool   `json:"ownProvider,omitempty"`
	Ready       bool   `json:"ready"`
}

func toCapability(c broker.Capability) capabilityJSON {
	return capabilityJSON{c.ID, c.Provider, toAllow(c.Allow), c.Description, c.Builtin, c.Own, c.Ready}
}

// bindingJSON is the record of a binding.
type bindingJSON struct {
	Capability string           `json:"capability"`
	SecretRef  string           `json:"secretRef"`
	Scope      bindingScopeJSON `json:"scope"`
	Consumer   string           `json:"consumer,omitempty"`
	UpdatedAt  *int64           `json:"updatedAtMs"`

	Auto     bool   `json:"auto"` // ours, as what follows
	Revision uint64 `json:"revision,omitempty"`
}

// bindingScopeJSON is a scope as bindings have it, unlike secrets.
type bindingScopeJSON struct {
	Type      string `json:"type"`
	Workspace string `json:"workspace_id,omitempty"`
	Group     string `json:"group_id,omitempty"`
}

func toBinding(b broker.Binding) bindingJSON {
	return bindingJSON{
		b.Capability, vault.SecretRef(b.Secret),
		bindingScopeJSON{b.Scope.Level.String(), b.Scope.Workspace, b.Scope.Group},
		b.Consumer, millis(b.UpdatedAt), b.Auto, b.Revision,
	}
}

// mapTo converts a list; the result is never nil.
func mapTo[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, a := range list {
		out = append(out, f(a))
	}
	return out
}

// eventJSON is an entry of the audit log.
type eventJSON struct {
	TS int64 `json:"tsMs"`
	vault.Event
	Secret   string `json:"secretId,omitempty"`
	Duration int64  `json:"durationMs,omitempty"`
	Last     *int64 `json:"lastMs,omitempty"`
}

func toEvent(e vault.Event) eventJSON {
	out := eventJSON{TS: e.Time.UnixMilli(), Event: e, Duration: int64(e.Duration / time.Millisecond), Last: millis(e.Last)}
	if e.Secret != (vault.ID{}) {
		out.Secret = e.Secret.String()
	}
	return out
}
