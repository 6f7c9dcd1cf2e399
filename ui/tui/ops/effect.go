package ops

import (
	"fmt"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// NoEffects says that a change does nothing to calls.
const NoEffects = "nothing that calls use changes"

// EffectText says in a sentence what a change does to calls: "in
// web-shop/payments, stripe/* (4) will use RISK_TOKEN (attached) instead of
// STRIPE_API_KEY (global)". The number is that of the capabilities.
func EffectText(e broker.Effect) string {
	what := in(e.Context.Scope()) + forConsumer(e.Context.Consumer) + ", " + capabilities(e)
	before, after := used(e.Before, e.Context), used(e.After, e.Context)
	if before == after {
		before, after = before+" by "+by(e.Before), after+" by "+by(e.After)
	}
	switch {
	case e.After.Err == nil && e.Before.Err == nil:
		return fmt.Sprintf("%s will use %s instead of %s", what, after, before)
	case e.After.Err == nil:
		return fmt.Sprintf("%s will begin to work, with %s", what, after)
	case e.Before.Err == nil:
		return fmt.Sprintf("%s will stop working: %s", what, noneUsed(e.After.Err))
	}
	return fmt.Sprintf("%s will not work, as before, but for another reason: %s", what, noneUsed(e.After.Err))
}

// Stops reports whether calls work now and will not after the change.
func Stops(e broker.Effect) bool { return e.Before.Err == nil && e.After.Err != nil }

// capabilities names what an effect is about.
func capabilities(e broker.Effect) string {
	if len(e.Capabilities) == 1 {
		return e.Capabilities[0]
	}
	return fmt.Sprintf("%s/* (%d)", e.Provider, len(e.Capabilities))
}

// used names a secret, and where the context has it from.
func used(u broker.Used, in vault.Context) string {
	switch {
	case u.Err != nil:
		return ""
	case u.Attached:
		return u.Name + " (attached)"
	case u.Scope == in.Scope():
		return u.Name + " (own)"
	}
	return u.Name + " (" + Place(u.Scope) + ")"
}

// by tells two uses apart that go by the same name.
func by(u broker.Used) string {
	id := u.Secret.String()[:8]
	if u.Credential == "" {
		return "binding, id " + id
	}
	return "credential " + u.Credential + ", id " + id
}

// noneUsed says shortly why nothing is used.
func noneUsed(err error) string {
	switch fault.CodeOf(err) {
	case fault.CredentialNotFound:
		return "no credential"
	case fault.CredentialAmbiguous:
		return "several credentials serve equally well"
	}
	return err.Error()
}

// Place names a scope for people: "global", "workspace web-shop",
// "web-shop/payments".
func Place(s vault.Scope) string {
	switch s.Level {
	case vault.Group:
		return s.GroupRef().String()
	case vault.Workspace:
		return "workspace " + s.Workspace
	}
	return "global"
}

// ParsePlace reads what people type for a scope, as Place writes it: "global",
// a workspace with or without the word, or a workspace and a group with a slash
// between them; and the documented text of scopes. What is none, nothing at all
// too, is fault.InvalidRequest.
func ParsePlace(s string) (vault.Scope, error) {
	s = strings.TrimSpace(s)
	switch s {
	case "":
		return vault.Scope{}, fault.New(fault.InvalidRequest, "no scope is given").WithHint(placeHint)
	case "global":
		return vault.GlobalScope(), nil
	}
	workspace, group, both := strings.Cut(s, "/")
	if rest, ok := strings.CutPrefix(s, "group:"); ok {
		workspace, group, _ = strings.Cut(rest, ":")
		both = true
	}
	for _, lead := range []string{"workspace:", "workspace "} {
		if rest, ok := strings.CutPrefix(workspace, lead); ok {
			workspace = strings.TrimSpace(rest)
			break
		}
	}
	if workspace == "" && !both {
		return vault.Scope{}, fault.New(fault.InvalidRequest, "%q names no workspace", s).WithHint(placeHint)
	}
	if both && (workspace == "" || group == "") {
		return vault.Scope{}, fault.New(fault.InvalidRequest, "%q is half a group", s).WithHint(placeHint)
	}
	return vault.NewScope(workspace, group)
}

const placeHint = "type global, a workspace, or workspace/group"
