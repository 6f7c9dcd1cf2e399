package secrets

import (
	"slices"
	"strconv"
	"strings"

	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A node is what is selected in the tree: all secrets, or a scope.
type node struct {
	all   bool
	scope vault.Scope
}

func scopeNode(s vault.Scope) node { return node{scope: s} }

// contextNode is the node that a context looks from.
func contextNode(c vault.Context) node { return scopeNode(c.Scope()) }

// key is the node's key in the tree. No scope has the one of all secrets.
func (n node) key() string {
	if n.all {
		return "all"
	}
	return n.scope.String()
}

// context is what a caller in the scope states.
func (n node) context() vault.Context {
	return vault.Context{Workspace: n.scope.Workspace, Group: n.scope.Group}
}

// group returns the group of the node, if it is one.
func (n node) group() (vault.GroupRef, bool) {
	return n.scope.GroupRef(), !n.all && n.scope.Level == vault.Group
}

// title names the node at the top of its list.
func (n node) title() string {
	switch {
	case n.all:
		return "all secrets"
	case n.scope.Level == vault.Group:
		return n.scope.Workspace + " / " + n.scope.Group
	case n.scope.Level == vault.Workspace:
		return n.scope.Workspace
	}
	return "global"
}

// words say what the node is, in the line that says where the focus is.
func (n node) words() string {
	if n.all {
		return "all secrets"
	}
	return scopeWords(n.scope)
}

// setScopes shows the scopes in the tree, and the one that is selected even if
// it has nothing.
func (p *page) setScopes(list []vault.ScopeCount) {
	p.scopes = list
	if !p.node.all {
		list = withScope(list, p.node.scope)
	}
	p.nodes = map[string]node{}
	nodes := make([]widget.Node, 0, len(list)+1)
	add := func(n node, w widget.Node) {
		w.Key = n.key()
		p.nodes[w.Key] = n
		nodes = append(nodes, w)
	}
	total := 0
	for _, s := range list {
		total += s.Own
	}
	add(node{all: true}, widget.Node{Label: "all", Count: text.Number(total)})
	for i, s := range list {
		w := widget.Node{Label: s.Scope.Level.String(), Count: count(s), Dim: s.Own+s.Attached == 0 && s.Scope.Level == vault.Group}
		switch s.Scope.Level {
		case vault.Workspace:
			w.Label = s.Scope.Workspace
			w.Kids = i+1 < len(list) && list[i+1].Scope.Level == vault.Group
		case vault.Group:
			w.Label, w.Depth = s.Scope.Group, 1
		}
		add(scopeNode(s.Scope), w)
	}
	p.tree.SetNodes(nodes)
	p.tree.Select(p.node.key())
}

// count is how many secrets a scope has: its own, and those attached to it.
func count(s vault.ScopeCount) string {
	if s.Attached == 0 {
		return text.Number(s.Own)
	}
	return strconv.Itoa(s.Own) + "+" + strconv.Itoa(s.Attached)
}

// withScope returns the list with a scope in its place, together with the
// workspace that it is in.
func withScope(list []vault.ScopeCount, s vault.Scope) []vault.ScopeCount {
	list = slices.Clone(list)
	need := []vault.Scope{s}
	if s.Level == vault.Group {
		need = []vault.Scope{{Level: vault.Workspace, Workspace: s.Workspace}, s}
	}
	for _, s := range need {
		at, found := slices.BinarySearchFunc(list, s, func(c vault.ScopeCount, s vault.Scope) int { return compareScopes(c.Scope, s) })
		if !found {
			list = slices.Insert(list, at, vault.ScopeCount{Scope: s})
		}
	}
	return list
}

// compareScopes is the order of the tree: the global scope, then by workspace
// and group.
func compareScopes(a, b vault.Scope) int {
	if c := strings.Compare(a.Workspace, b.Workspace); c != 0 {
		return c
	}
	return strings.Compare(a.Group, b.Group)
}
