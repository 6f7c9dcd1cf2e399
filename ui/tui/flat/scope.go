package flat

import (
	"context"
	"strings"

	"aivault/ui/tui/ops"
	"aivault/vault"
)

// askScope asks for a scope: one that is used already, or another one.
func (t *talk) askScope(ctx context.Context, what string, ret vault.Scope) (vault.Scope, error) {
	counts, err := t.be.Scopes(ctx)
	if err != nil {
		return vault.Scope{}, err
	}
	q := question{text: what, free: "workspace, or workspace/group", ret: typed(ret)}
	for _, c := range counts {
		q.items = append(q.items, countText(c))
	}
	for {
		a, err := t.put(ctx, q)
		if err != nil {
			return vault.Scope{}, err
		}
		if len(a.numbers) > 0 {
			return counts[a.numbers[0]].Scope, nil
		}
		scope, err := parseScope(a.text)
		if err == nil {
			return scope, nil
		}
		t.fail(err)
	}
}

// typed is a scope as it is typed.
func typed(s vault.Scope) string {
	switch s.Level {
	case vault.Group:
		return s.GroupRef().String()
	case vault.Workspace:
		return s.Workspace
	}
	return "global"
}

// parseScope reads what typed writes.
func parseScope(s string) (vault.Scope, error) {
	if s == "global" {
		return vault.GlobalScope(), nil
	}
	workspace, group, _ := strings.Cut(strings.TrimSuffix(s, "/"), "/")
	return vault.NewScope(workspace, group)
}

// askContext asks for what a caller states.
func (t *talk) askContext(ctx context.Context, what string, ret vault.Context) (vault.Context, error) {
	scope, err := t.askScope(ctx, what, ret.Scope())
	if err != nil {
		return ret, err
	}
	c := vault.Context{Workspace: scope.Workspace, Group: scope.Group}
	c.Consumer, err = t.askText(ctx, "Consumer, who makes the call", ret.Consumer, true)
	if err == nil && c.Consumer == "-" {
		c.Consumer = ""
	}
	if err == nil {
		err = c.Validate()
	}
	return c, err
}

// contextText is a context for people.
func contextText(c vault.Context) string {
	s := ops.Place(c.Scope())
	if c.Consumer != "" {
		s += ", consumer " + c.Consumer
	}
	return s
}
