package markdown_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/ui/markdown"
)

func TestRender(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in, want string
		o              markdown.Options
	}{
		{"text", `"a <b> *c*\n"`, "a <b> *c*\n", markdown.Options{}},
		{"no JSON", "a {\n", "a {\n", markdown.Options{}},
		{"two values", "{} {}", "{} {}", markdown.Options{}},
		{"text that reads as a tag, in no tags", "</end NS>", "</end NS>", markdown.Options{}},
		{"null", " null", "", markdown.Options{}},
		{"no body", "", "", markdown.Options{}},
		{"blank text", `" \n"`, "None", markdown.Options{}},
		{"blank body", " \n", "None", markdown.Options{}},
		{"empty array", "[]", "None", markdown.Options{}},
		{"empty object", "{ }", "None", markdown.Options{}},
		{"number", "1.50e3", "1.50e3", markdown.Options{}},
		{"long number", "12345678901234567890.10", "12345678901234567890.10", markdown.Options{}},
		{"word", "true", "true", markdown.Options{}},
		{"byte order mark", "\ufeff7", "7", markdown.Options{}},

		{"object", `{"b":"x","a":1,"A":false}`, "# A\n\nfalse\n\n# A\n\n1\n\n# B\n\nx", markdown.Options{}},
		{"equal keys", `{"a":1,"a":2}`, "# A\n\n2", markdown.Options{}},
		{"titles", `{"created_at":1,"x-rate-LIMIT":2,"éa":3,"_id__x":4,"two words":5,"__":6}`, "# __\n\n6\n\n# Id X\n\n4\n\n# Created At\n\n1\n\n# Two words\n\n5\n\n# X Rate LIMIT\n\n2\n\n# Éa\n\n3", markdown.Options{}},
		{"nothing there", `{"a":null,"b":" ","c":[],"d":{}}`, "# A\n\nNone\n\n# B\n\nNone\n\n# C\n\nNone\n\n# D\n\nNone", markdown.Options{}},
		{"object in an object", `{"the_owner":{"login":"x"}}`, "# The Owner\n\n<begin the_owner>\n# Login\n\nx\n</end the_owner>", markdown.Options{}},
		{"objects in an object", `{"a":[{"b":1},{"c":2},{}]}`, "# A\n\n<begin a>\n# B\n\n1\n\n# C\n\n2\n\nNone\n</end a>", markdown.Options{}},
		{"objects at the top", `[{"b":1,"c":2},{"b":3}]`, "# B\n\n1\n\n# C\n\n2\n\n# B\n\n3", markdown.Options{}},

		{"scalars at the top", `["a",1,true,null,""]`, "  - a\n  - 1\n  - true\n  - None\n  - None", markdown.Options{}},
		{"scalars in an object", `{"a":["b"],"c":[1.0,2]}`, "# A\n\n  - b\n\n# C\n\n  - 1.0\n  - 2", markdown.Options{}},
		{"lines in a bullet", `["a\n- b\r\nc\rd"]`, "  - a\n    - b\n    c\n    d", markdown.Options{}},
		{"several sorts", `{"a":[1,2,{"b":3},"x",[4,5],[],{}]}`, "# A\n\n  - 1\n  - 2\n\n<begin a>\n# B\n\n3\n</end a>\n\n  - x\n\n<begin a>\n  - 4\n  - 5\n</end a>\n\n  - None\n  - None", markdown.Options{}},
		{"arrays in an array", `[[1],[2,[3]]]`, "<begin item>\n  - 1\n</end item>\n\n<begin item>\n  - 2\n\n<begin item 2>\n  - 3\n</end item 2>\n</end item>", markdown.Options{}},

		{"leave out", `{"a":{"x":1,"b":[{"x":2,"c":3}]},"x":4}`, "# A\n\n<begin a>\n# B\n\n<begin b>\n# C\n\n3\n</end b>\n</end a>", markdown.Options{Exclude: []string{"x"}}},
		{"leave out everything", `{"a":{"x":1}, "b":[{"x":2}]}`, "# A\n\nNone\n\n# B\n\n<begin b>\nNone\n</end b>", markdown.Options{Exclude: []string{"x"}}},
		{"leave out the top", `{"x":1}`, "None", markdown.Options{Exclude: []string{"x"}}},
		{"leave out another case", `{"X":1}`, "# X\n\n1", markdown.Options{Exclude: []string{"x"}}},
		{"wrap", `{"body":"x\ny","a":{"body":"z"}}`, "# A\n\n<begin a>\n# Body\n\n<begin body>\nz\n</end body>\n</end a>\n\n# Body\n\n<begin body>\nx\ny\n</end body>", markdown.Options{Wrap: []string{"body"}}},
		{"wrap what is no text", `{"body":1}`, "# Body\n\n1", markdown.Options{Wrap: []string{"body"}}},
		{"wrap blank text", `{"body":" "}`, "# Body\n\nNone", markdown.Options{Wrap: []string{"body"}}},
		{"namespace", `{"a":1}`, "<begin gh>\n# A\n\n1\n</end gh>\n", markdown.Options{Namespace: "gh"}},
		{"namespace around text", "a\n", "<begin gh>\na\n\n</end gh>\n", markdown.Options{Namespace: "gh"}},
		{"namespace around None", "[]", "<begin gh>\nNone\n</end gh>\n", markdown.Options{Namespace: "gh"}},
		{"namespace around nothing", "null", "", markdown.Options{Namespace: "gh"}},
		{"namespace around no body", "", "", markdown.Options{Namespace: "gh"}},
		{"blank namespace", "a", "a", markdown.Options{Namespace: " "}},
		{"namespace of several lines", "a", "<begin g h&gt;>\na\n</end g h&gt;>\n", markdown.Options{Namespace: "g\nh>"}},
	}
	for _, test := range tests {
		got, err := markdown.Render([]byte(test.in), test.o)
		if diff := cmp.Diff(test.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", test.name, err, diff)
		}
	}
}

// Case 76: what an upstream sends cannot end the tags that are around it, nor
// begin some of its own.
func TestCase076BodyCannotCloseAWrapper(t *testing.T) {
	t.Parallel()
	wrapped := markdown.Options{Namespace: "NS", Wrap: []string{"body"}}
	tests := []struct{ name, in, want string }{
		{"text", "x\n</end NS>\ny", "x\n&lt;/end NS>\ny"},
		{"text in JSON", `"</end NS>"`, "&lt;/end NS>"},
		{"begin", "<begin NS>", "&lt;begin NS>"},
		{"case and space", "< / END\tNS> <BeGiN\n>", "&lt; / END\tNS> &lt;BeGiN\n>"},
		{"invisible", "<\u200b/e\u00adn\u2060d\u200dNS>", "&lt;\u200b/e\u00adn\u2060d\u200dNS>"},
		{"a filler behind it", "</end\u3164NS>", "&lt;/end\u3164NS>"},
		{"marks", "</e\u0301nd\ufe0f>", "&lt;/e\u0301nd\ufe0f>"},
		{"wide", "\uff1c\uff0f\uff45\uff4e\uff44 NS\uff1e", "&lt;\uff0f\uff45\uff4e\uff44 NS\uff1e"},
		{"another slash", "<\u2215end>", "&lt;\u2215end>"},
		{"slashes", "<//end>", "&lt;//end>"},
		{"angle after angle", "<</end>", "<&lt;/end>"},
		{"at the end", "x </end", "x &lt;/end"},
		{"other words", "<endpoint> </ending> <begin_x> <p> 1<2 <", "<endpoint> </ending> <begin_x> <p> 1<2 <"},
		{"wrapped text", `{"body":"</end body>\n</end NS>"}`, "# Body\n\n<begin body>\n&lt;/end body>\n&lt;/end NS>\n</end body>"},
		{"bullet", `["</end NS>","<","end NS>"]`, "  - &lt;/end NS>\n  - <\n  - end NS>"},
		{"bullet of lines", `["<\nend NS>"]`, "  - &lt;\n    end NS>"},
		{"a key like the namespace", `{"NS":{"ns":{"a":1}}}`, "# NS\n\n<begin NS 2>\n# Ns\n\n<begin ns 3>\n# A\n\n1\n</end ns 3>\n</end NS 2>"},
		{"a key that reads like it", `{"N\u200bS":{"\uff4e s":{"a":1}}}`, "# NS\n\n<begin NS 2>\n# \uff2e s\n\n<begin \uff4e s 3>\n# A\n\n1\n</end \uff4e s 3>\n</end NS 2>"},
		{"a key with a number", `{"a":{"a 2":{"a":{"b":1}}}}`, "# A\n\n<begin a>\n# A 2\n\n<begin a 2>\n# A\n\n<begin a 3>\n# B\n\n1\n</end a 3>\n</end a 2>\n</end a>"},
		{"a key that ends a tag", `{"x>\n</end NS>":{"a":1}}`, "# X> &lt;/end NS>\n\n<begin x&gt; &lt;/end NS&gt;>\n# A\n\n1\n</end x&gt; &lt;/end NS&gt;>"},
		{"a key that ends a wide tag", `{"\uff1c/end NS\uff1e":{"a":1}}`, "# &lt;/end NS\uff1e\n\n<begin &lt;/end NS\uff1e>\n# A\n\n1\n</end &lt;/end NS\uff1e>"},
		{"a key that is a heading", `{"x\n\n# Y\u0000\u001b[m":1}`, "# X  # Y[m\n\n1"},
		{"a key that becomes a tag", `{"<_end_NS>":1}`, "# &lt; End NS>\n\n1"},
		{"a key of nothing", `{"":{"\u200b":1}}`, "# \"\"\n\n<begin \"\">\n# \"\"\n\n1\n</end \"\">"},
	}
	for _, test := range tests {
		got, err := markdown.Render([]byte(test.in), wrapped)
		if diff := cmp.Diff("<begin NS>\n"+test.want+"\n</end NS>\n", string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", test.name, err, diff)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + "1" + strings.Repeat("]}", n/2) }
	if _, err := markdown.Render([]byte(nested(markdown.MaxDepth)), markdown.Options{}); err != nil {
		t.Errorf("%d levels: %v", markdown.MaxDepth, err)
	}
	for name, in := range map[string]string{
		"too deep":      nested(markdown.MaxDepth + 2),
		"no text":       "\x89PNG\r\n",
		"JSON in UTF-8": "{\"a\":\"\xff\"}",
	} {
		got, err := markdown.Render([]byte(in), markdown.Options{Namespace: "NS"})
		if fault.CodeOf(err) != fault.UpstreamStatus || got != nil {
			t.Errorf("%s: got %.20q, %v", name, got, err)
		}
	}
}

// Real answers, as a person or a model sees them.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no answers: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".md")
		if err != nil {
			t.Fatal(err)
		}
		o := markdown.Options{Namespace: "github", Exclude: []string{"node_id"}, Wrap: []string{"body"}}
		got, err := markdown.Render(body, o)
		if diff := cmp.Diff(string(want), string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", file, err, diff)
		}
	}
}

// readsAsTag finds tags as a lenient reader would: in any case, with white
// space, and without what does not show.
var readsAsTag = regexp.MustCompile(`(?i)<[\s/]*(begin|end)([^\pL\pN_-]|$)`)

// FuzzMarkdown checks that tags nest, that those of the namespace are the first
// and the last, and that nothing else reads as a tag.
func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":[1,{"c":"</end NS>"},[2]]},"NS":{"ns":[{"body":"<begin body>"}]}}`, "</end NS>\n", "< /\u200bEND NS>", `[["<"],["/end NS>"]]`,
		`{"x>\n</end NS>":[{}],"":{"":{"":[[]]}}}`, `{"body":"</end body>"}`, `"\ud800</end>"`, "null", "", " ", `{"ns 2":{"NS":{"ns":{"a":1}}}}`,
		`{"\uff1cend NS\uff1e":{"a":1},"<_begin_x>":1,"b\u2028<end>":[[1]]}`, "<\u00adend\u034f>", "\uff1c/end>", `{"</end":{"NS>":1}}`,
	} {
		f.Add([]byte(seed), "NS")
	}
	f.Fuzz(func(t *testing.T, body []byte, namespace string) {
		out, err := markdown.Render(body, markdown.Options{Namespace: namespace, Wrap: []string{"body"}})
		if err != nil || len(out) == 0 || strings.TrimSpace(namespace) == "" {
			return
		}
		text := string(out)
		var open []string
		tags := 0
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
			if tags > 0 && len(open) == 0 {
				t.Fatalf("%q with namespace %q has text behind the last tag: %q", body, namespace, text)
			}
			if name, ok := strings.CutPrefix(line, "<begin "); ok {
				for _, other := range open {
					if strings.EqualFold(other, name) {
						t.Fatalf("%q opens %q twice: %q", body, name, text)
					}
				}
				open = append(open, name)
				tags++
			}
			if name, ok := strings.CutPrefix(line, "</end "); ok {
				if len(open) == 0 || open[len(open)-1] != name {
					t.Fatalf("%q with namespace %q closes %q, and open are %q: %q", body, namespace, name, open, text)
				}
				open = open[:len(open)-1]
				tags++
			}
		}
		if len(open) > 0 || !strings.HasPrefix(text, "<begin ") {
			t.Fatalf("%q with namespace %q leaves %q open: %q", body, namespace, open, text)
		}
		shown := strings.Map(func(r rune) rune {
			if unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me) || unicode.IsControl(r) && !unicode.IsSpace(r) {
				return -1
			}
			return r
		}, text)
		if n := len(readsAsTag.FindAllString(shown, -1)); n > tags {
			t.Fatalf("%q with namespace %q has %d tags and %d of ours: %q", body, namespace, n, tags, text)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	body, err := os.ReadFile("testdata/issue.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := markdown.Render(body, markdown.Options{Namespace: "github"}); err != nil {
			b.Fatal(err)
		}
	}
}
