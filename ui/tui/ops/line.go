package ops

import (
	"context"
	"strconv"

	"aivault/ui/app"
	"aivault/vault"
)

// line begins a command line.
func line(words ...string) Line { return append(Line{"aivault"}, words...) }

// with adds a flag, unless its value is empty, which the command line refuses.
func (l Line) with(flag, value string) Line {
	if value == "" {
		return l
	}
	return append(l, flag, value)
}

// each adds a flag for every value.
func (l Line) each(flag string, values []string) Line {
	for _, v := range values {
		l = append(l, flag, v)
	}
	return l
}

// number adds a flag for a limit, unless there is none.
func (l Line) number(flag string, n *int64) Line {
	if n == nil {
		return l
	}
	return append(l, flag, strconv.FormatInt(*n, 10))
}

// scope adds the ids of a scope; the global one has none.
func (l Line) scope(s vault.Scope) Line {
	return l.with("--workspace-id", s.Workspace).with("--group-id", s.Group)
}

// context adds what a caller states.
func (l Line) context(c vault.Context) Line {
	return l.scope(vault.Scope{Workspace: c.Workspace, Group: c.Group}).with("--consumer", c.Consumer)
}

// ref returns what names a secret on a command line: the first eight digits of
// its id, or all of it where others begin with the same.
func ref(ctx context.Context, be app.Backend, id vault.ID) string {
	full := id.String()
	if s, err := be.FindSecret(ctx, full[:8]); err != nil || s.ID != id {
		return full
	}
	return full[:8]
}

// in says where something is: "in web-shop/payments".
func in(s vault.Scope) string {
	switch s.Level {
	case vault.Group:
		return "in " + s.GroupRef().String()
	case vault.Workspace:
		return "in workspace " + s.Workspace
	}
	return "in the global scope"
}

// forConsumer names the consumer that a binding is for, if it is for one.
func forConsumer(name string) string {
	if name == "" {
		return ""
	}
	return " for consumer " + name
}
