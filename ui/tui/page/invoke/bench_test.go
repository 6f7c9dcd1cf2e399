package invoke_test

import (
	"strings"
	"testing"
)

// BenchmarkAnswer is a key in an answer of a megabyte, to the frame after it.
func BenchmarkAnswer(b *testing.B) {
	r := newRig(b)
	item := `{"id":123456789,"name":"a name of some length","tags":["one","two","three"],"nested":{"a":1.50,"b":null}},`
	r.up.Reply(200, jsonHeader(), []byte("["+strings.Repeat(item, 1<<20/len(item)-1)+"{}]"))
	r.open(openAcme())
	r.key("ctrl+s")
	r.want("200 OK")
	r.idle()
	for _, key := range []string{"j", "pgdown", "G", "g", "n"} {
		b.Run(key, func(b *testing.B) {
			r.key("/")
			r.write("nested")
			r.key("enter", "g")
			for b.Loop() {
				_, cmd := r.m.Update(named(key))
				r.run(cmd)
				_ = r.m.View()
			}
		})
	}
}
