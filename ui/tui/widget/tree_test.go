package widget_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/widget"
)

func scopes() []widget.Node {
	return []widget.Node{
		{Key: "global", Label: "global", Count: "4"},
		{Key: "web", Label: "web-shop", Count: "3", Kids: true},
		{Key: "web/pay", Label: "payments", Count: "1+1", Depth: 1},
		{Key: "web/res", Label: "research", Count: "2", Depth: 1, Kids: true},
		{Key: "web/res/x", Label: "deep", Depth: 2},
		{Key: "infra", Label: "infra", Count: "9", Kids: true},
		{Key: "infra/ci", Label: "ci", Depth: 1},
	}
}

func TestTreeFolds(t *testing.T) {
	t.Parallel()
	tree := widget.NewTree(themes()["mono"])
	tree.SetNodes(scopes())
	want := []string{
		"▸   global         4", "  ▾ web-shop       3", "      payments   1+1", "    ▾ research     2", "        deep", "  ▾ infra          9", "      ci", "",
	}
	if diff := cmp.Diff(want, plain(tree.View(21, 8, true))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, tc := range []struct{ keys, key, say string }{
		{"j j", "web/pay", "row 3 of 7"},
		{"h", "web", "row 2 of 7, open"},               // to the node above
		{"h", "web", "row 2 of 4, folded"},             // folds
		{"h", "web", "row 2 of 4, folded"},             // nothing is above
		{"j", "infra", "row 3 of 4, open"},             // what is folded is passed over
		{"k l", "web", "row 2 of 7, open"},             // unfolds
		{"right", "web/pay", "row 3 of 7"},             // to the first below
		{"l", "web/pay", "row 3 of 7"},                 // nothing is below
		{"j l", "web/res/x", "row 5 of 7"},             //
		{"left left", "web/res", "row 4 of 6, folded"}, //
		{"G", "infra/ci", "row 6 of 6"},
	} {
		press(tree, strings.Fields(tc.keys)...)
		if tree.Key() != tc.key || tree.Say() != tc.say {
			t.Errorf("after %s: %s, %q; want %s, %q", tc.keys, tree.Key(), tree.Say(), tc.key, tc.say)
		}
	}
	if tree.KeyMsg(keyMsg("enter")) {
		t.Error("the tree took enter")
	}
}

// Folds and the selection stay with the keys when the nodes are read again, and
// selecting a node opens what hides it.
//
// Checklist 37.
func TestTreeKeeps(t *testing.T) {
	t.Parallel()
	tree := widget.NewTree(themes()["mono"])
	tree.SetNodes(scopes())
	press(tree, "j", "h", "G") // web is folded, infra/ci selected
	tree.SetNodes(append([]widget.Node{{Key: "first", Label: "first"}}, scopes()...))
	if tree.Key() != "infra/ci" || tree.Len() != 5 {
		t.Errorf("after a reload: %s of %d rows", tree.Key(), tree.Len())
	}
	if !tree.Select("web/res/x") || tree.Key() != "web/res/x" || tree.Len() != 8 {
		t.Errorf("a hidden node was selected: %s of %d rows", tree.Key(), tree.Len())
	}
	if diff := cmp.Diff([]string{"web-shop", "research", "deep"}, tree.Path()); diff != "" {
		t.Errorf("path (-want +got):\n%s", diff)
	}
	if tree.Select("nowhere") || tree.Key() != "web/res/x" {
		t.Errorf("selected what is not there: %s", tree.Key())
	}
	tree.SetNodes(nil)
	if tree.Key() != "" || tree.Path() != nil || tree.Say() != "no rows" || !tree.KeyMsg(keyMsg("h")) {
		t.Errorf("an empty tree has %q, says %q", tree.Key(), tree.Say())
	}
}

// Checklist 29.
func TestTreeMouse(t *testing.T) {
	t.Parallel()
	tree := widget.NewTree(themes()["mono"])
	tree.SetNodes(scopes())
	tree.View(20, 10, true)
	tree.Select("web/res/x")
	click := tea.MouseMsg{Button: tea.MouseButtonLeft, Action: tea.MouseActionPress}
	for _, tc := range []struct {
		what string
		x, y int
		hit  bool
		key  string
		rows int
	}{
		{"the fold mark above the cursor", 2, 1, true, "web", 4},
		{"it again", 2, 1, true, "web", 7},
		{"a label", 6, 2, true, "web/pay", 7},
		{"where a leaf has no mark", 4, 2, true, "web/pay", 7},
		{"the mark of a deeper node", 4, 3, true, "web/pay", 6},
		{"below", 4, 9, false, "web/pay", 6},
		{"outside", -1, -1, false, "web/pay", 6},
	} {
		hit := tree.Mouse(tc.x, tc.y, click)
		if hit != tc.hit || tree.Key() != tc.key || tree.Len() != tc.rows {
			t.Errorf("%s: hit %v, %s of %d rows; want %v, %s of %d", tc.what, hit, tree.Key(), tree.Len(), tc.hit, tc.key, tc.rows)
		}
	}
}
