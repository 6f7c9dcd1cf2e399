package ops

import (
	"context"
	"fmt"
	"strings"

	"aivault/broker"
	"aivault/ui/app"
	"aivault/vault"
)

// CreateCredential makes a credential, or, of the id of one that the registry
// makes, brings it back. The command line names caFile, the file that n.CACert
// is from.
func CreateCredential(ctx context.Context, be app.Backend, n broker.NewCredential, caFile string) (Done, broker.Credential, error) {
	c, err := be.CreateCredential(ctx, n)
	if err != nil {
		return Done{}, c, err
	}
	l := line("credential", "create", n.ID).with("--provider", n.Provider)
	if n.Secret != (vault.ID{}) {
		l = l.with("--secret-ref", ref(ctx, be, n.Secret))
	}
	if !c.Auto {
		l = l.scope(n.Scope)
	}
	if n.Auth != nil {
		l = l.auth(*n.Auth)
	}
	l = l.each("--host", n.Hosts)
	if n.AllowPrivate {
		l = append(l, "--allow-private")
	}
	if len(n.CACert) > 0 {
		l = l.with("--ca-cert", caFile)
	}
	return Done{Text: "made credential " + c.ID + " " + in(c.Scope) + ", " + c.Auth.Kind + " at " + someHosts(c.Hosts), Lines: []Line{l}}, c, nil
}

// someHosts names the first of several hosts, and how many more there are.
func someHosts(hosts []string) string {
	switch len(hosts) {
	case 0:
		return "no host"
	case 1:
		return hosts[0]
	}
	return fmt.Sprintf("%s and %d more", hosts[0], len(hosts)-1)
}

// auth adds the flags of a way to authenticate, as broker.ParseAuth reads them.
func (l Line) auth(a vault.Auth) Line {
	l = l.with("--auth", a.Kind)
	for _, p := range a.Params {
		switch a.Kind {
		case "header":
			l = append(l, "--header-name", p.Name, "--value-template", p.Value)
		case "query":
			l = append(l, "--query-param", p.Name)
		case "multi-header":
			l = append(l, "--auth-header", p.Name+"="+p.Value)
		case "multi-query":
			l = append(l, "--auth-query", p.Name+"="+p.Value)
		default:
			l = l.with(authFlag(a.Kind, p.Name), p.Value)
		}
	}
	return l
}

// authFlag returns the flag of a setting.
func authFlag(kind, name string) string {
	switch {
	case kind == "path":
		return "--path-prefix-template"
	case kind == "aws-sigv4":
		return "--aws-" + name
	case name == "algorithm":
		return "--hmac-algorithm"
	}
	return "--" + strings.ReplaceAll(name, "_", "-")
}

// DeleteCredential deletes a credential; one that the registry makes stays away
// until somebody brings it back. False if there is none of that id.
func DeleteCredential(ctx context.Context, be app.Backend, id string) (Done, bool, error) {
	removed, err := be.DeleteCredential(ctx, id)
	if err != nil {
		return Done{}, false, err
	}
	if !removed {
		return Done{Text: "nothing changed: there is no credential " + id}, false, nil
	}
	return Done{Text: "deleted credential " + id, Lines: []Line{line("credential", "delete", id)}}, true, nil
}
