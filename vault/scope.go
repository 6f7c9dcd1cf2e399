package vault

import (
	"encoding/json"
	"strings"

	"aivault/keys/fault"
)

// A Level says how wide a scope is.
type Level uint8

// The levels, from the widest to the narrowest. Their numbers are the tiers of
// resolution, and part of the file format.
const (
	Global    Level = 1
	Workspace Level = 2
	Group     Level = 3
)

func (l Level) String() string {
	switch l {
	case Global:
		return "global"
	case Workspace:
		return "workspace"
	case Group:
		return "group"
	}
	return "none"
}

// A Scope says to whom a secret, credential or binding belongs: to everybody,
// to a workspace, or to a group within a workspace. Make one with [NewScope];
// the zero Scope is not valid.
type Scope struct {
	Level     Level
	Workspace string // empty if global
	Group     string // empty unless a group's
}

// GlobalScope returns the scope that covers every context.
func GlobalScope() Scope { return Scope{Level: Global} }

// NewScope returns the scope that the ids name: a workspace and a group, a
// workspace, or neither, which is global. A group without a workspace and an
// id that is not well formed are fault.InvalidRequest.
func NewScope(workspace, group string) (Scope, error) {
	s := Scope{Level: Global, Workspace: workspace, Group: group}
	switch {
	case group != "":
		s.Level = Group
	case workspace != "":
		s.Level = Workspace
	}
	return s, s.Validate()
}

// Validate reports whether the ids fit the level and are well formed.
func (s Scope) Validate() error {
	switch {
	case s.Level == Global && s.Workspace == "" && s.Group == "",
		s.Level == Workspace && s.Workspace != "" && s.Group == "",
		s.Level == Group && s.Workspace != "" && s.Group != "":
	case s.Group != "" && s.Workspace == "":
		return fault.New(fault.InvalidRequest, "group %q is given without its workspace", s.Group).
			WithHint("a group belongs to a workspace: add --workspace-id")
	default:
		return fault.New(fault.InvalidRequest, "a scope is global, a workspace, or a workspace and a group")
	}
	if err := checkScopeID("workspace", s.Workspace); err != nil {
		return err
	}
	return checkScopeID("group", s.Group)
}

// maxScopeID is the length of the longest workspace or group id, in bytes.
const maxScopeID = 128

// checkScopeID checks the characters and the length of an id; the empty one,
// which stands for none, passes.
func checkScopeID(what, id string) error {
	if len(id) > maxScopeID {
		return fault.New(fault.InvalidRequest, "the %s id is %d bytes long, the limit is %d", what, len(id), maxScopeID)
	}
	for _, c := range id {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-@", c)
		if !ok {
			return fault.New(fault.InvalidRequest, "%s id %q holds %q", what, id, c).
				WithHint("an id is made of letters, digits and . _ - @")
		}
	}
	return nil
}

// Tier returns the tier at which s covers the context, or 0 if it does not.
func (s Scope) Tier(c Context) Level {
	switch s.Level {
	case Global:
		return Global
	case Workspace:
		if c.Workspace != "" && s.Workspace == c.Workspace {
			return Workspace
		}
	case Group:
		if c.Group != "" && s.Workspace == c.Workspace && s.Group == c.Group {
			return Group
		}
	}
	return 0
}

// GroupRef returns the group that a group's scope names.
func (s Scope) GroupRef() GroupRef { return GroupRef{Workspace: s.Workspace, Group: s.Group} }

// String is the documented text of a scope: global, workspace:W, group:W:G.
func (s Scope) String() string {
	switch s.Level {
	case Workspace:
		return "workspace:" + s.Workspace
	case Group:
		return "group:" + s.Workspace + ":" + s.Group
	}
	return s.Level.String()
}

// MarshalJSON is the documented JSON of a scope: the string "global", or an
// object with the one key workspace or group.
func (s Scope) MarshalJSON() ([]byte, error) {
	type ids struct {
		Workspace string `json:"workspace_id"`
		Group     string `json:"group_id,omitempty"`
	}
	if s.Level == Global {
		return []byte(`"global"`), nil
	}
	return json.Marshal(map[string]ids{s.Level.String(): {s.Workspace, s.Group}})
}

// String is W/G.
func (g GroupRef) String() string { return g.Workspace + "/" + g.Group }

// Scope returns the group's own scope.
func (g GroupRef) Scope() Scope {
	return Scope{Level: Group, Workspace: g.Workspace, Group: g.Group}
}

// A Context is what a caller states about itself: a workspace and a group, a
// workspace, or nothing; and who it is.
type Context struct {
	Workspace string `json:"workspaceId,omitempty"`
	Group     string `json:"groupId,omitempty"`
	Consumer  string `json:"consumer,omitempty"`
}

// Validate reports whether the context is one of the three kinds, with well
// formed ids.
func (c Context) Validate() error {
	if _, err := NewScope(c.Workspace, c.Group); err != nil {
		return err
	}
	return checkScopeID("consumer", c.Consumer)
}

// Scope returns the narrowest scope that covers the context.
func (c Context) Scope() Scope {
	s, err := NewScope(c.Workspace, c.Group)
	if err != nil {
		return GlobalScope()
	}
	return s
}

// Scopes returns the scopes that cover the context, the narrowest first.
func (c Context) Scopes() []Scope {
	var scopes []Scope
	if c.Group != "" {
		scopes = append(scopes, GroupRef{c.Workspace, c.Group}.Scope())
	}
	if c.Workspace != "" {
		scopes = append(scopes, Scope{Level: Workspace, Workspace: c.Workspace})
	}
	return append(scopes, GlobalScope())
}

// SeenFrom tells how a context sees the secret: the tier, and whether it is
// reached by attachment only. Tier 0: it does not see it.
func (s *Secret) SeenFrom(c Context) (tier Level, attached bool) {
	tier = s.Scope.Tier(c)
	if s.AttachedOnly && s.Scope.Level == Global {
		tier = 0
	}
	if tier == Group || c.Group == "" {
		return tier, false
	}
	for _, g := range s.Attached {
		if g.Workspace == c.Workspace && g.Group == c.Group {
			return Group, true
		}
	}
	return tier, false
}
