package remote_test

import (
	"context"
	"net/http"
	"testing"
)

func TestInvoke(t *testing.T) {
	r := newRig(t, operator)
	r.acme(t)
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
	c := r.client(t)
	a, err := c.Invoke(context.Background(), items())
	if err != nil || string(a.Body) != "hello" {
		t.Fatalf("%+v, %v", a, err)
	}
}
