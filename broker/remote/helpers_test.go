package remote_test

import (
	"bytes"
	"net/http"
	"net/url"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// diff compares what came from a daemon with what is here.
func diff(a, b any) string {
	return cmp.Diff(a, b,
		cmp.Comparer(func(a, b opaque.Bytes) bool { return (a == nil) == (b == nil) && a.Equal(b) }),
		cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }), // of whatever length
		cmp.Comparer(func(a, b error) bool {
			return (a == nil) == (b == nil) && fault.CodeOf(a) == fault.CodeOf(b) && fault.HintOf(a) == fault.HintOf(b) && (a == nil || a.Error() == b.Error())
		}))
}

// consent does what a browser does when its user agrees.
func consent(shown string) {
	u, err := url.Parse(shown)
	if err != nil {
		return
	}
	back := u.Query().Get("redirect_uri") + "?code=made-up&state=" + url.QueryEscape(u.Query().Get("state"))
	if resp, err := http.Get(back); err == nil {
		_ = resp.Body.Close()
	}
}
