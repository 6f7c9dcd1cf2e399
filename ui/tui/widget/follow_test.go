package widget_test

import (
	"strconv"
	"strings"
	"testing"

	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// Where a stream ends, what showed of it goes on showing, whatever is added.
func TestViewerStaysWhenAStreamEnds(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(theme.New(theme.Options{Dumb: true}))
	v.Follow(true)
	for i := range 100 {
		v.Append("line " + strconv.Itoa(i))
	}
	before := v.View(20, 5)
	if !strings.HasPrefix(before[4], "line 99") {
		t.Fatalf("the end does not show: %q", before)
	}
	v.Follow(false)
	v.Append("about it")
	if after := v.View(20, 5); !strings.HasPrefix(after[0], "line 95") || !strings.HasPrefix(after[4], "line 99") {
		t.Errorf("another part shows: %q", after)
	}
}
