package oauth

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestCase091SecondCallback asks the handler itself: after the first callback
// the server closes, so that the second one would meet it by luck only.
func TestCase091SecondCallback(t *testing.T) {
	t.Parallel()
	h := &handler{host: "127.0.0.1:4711", state: "s", done: make(chan outcome, 1)}
	for i, want := range []int{http.StatusOK, http.StatusGone, http.StatusGone} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/callback?code=c&state=s", nil)
		r.Host = h.host
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("callback %d: status %d, want %d", i+1, w.Code, want)
		}
	}
	if out := <-h.done; out.err != nil || string(out.code.Reveal()) != "c" {
		t.Errorf("got %v", out.err)
	}
	select {
	case <-h.done:
		t.Error("a second outcome came")
	default:
	}
}
