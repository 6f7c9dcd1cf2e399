package widget

import (
	"slices"
	"strings"

	"github.com/sahilm/fuzzy"
)

// maxFuzzy is how many texts are looked at for letters in their order, which
// takes longer than looking for words.
const maxFuzzy = 5000

// rank returns which of many texts match what was typed, the best first: those
// whose title begins with it, that have it in the title, that have all its
// words somewhere, and then those whose title has its letters in their order.
// All are in lower case.
func rank(q string, titles, texts []string) []int {
	if q == "" {
		out := make([]int, len(titles))
		for i := range out {
			out[i] = i
		}
		return out
	}
	words := strings.Fields(q)
	var first, second, third, rest []int
	for i, title := range titles {
		switch at := strings.Index(title, q); {
		case at == 0:
			first = append(first, i)
		case at > 0:
			second = append(second, i)
		case !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(texts[i], w) }):
			third = append(third, i)
		case len(rest) < maxFuzzy && subsequence(title, q):
			rest = append(rest, i)
		}
	}
	out := slices.Concat(first, second, third)
	candidates := make([]string, len(rest))
	for i, at := range rest {
		candidates[i] = titles[at]
	}
	for _, m := range fuzzy.Find(strings.Join(words, ""), candidates) {
		out = append(out, rest[m.Index])
	}
	return out
}

// subsequence reports whether s has the runes of q, without its spaces, in
// their order.
func subsequence(s, q string) bool {
	for _, r := range q {
		if r == ' ' {
			continue
		}
		i := strings.IndexRune(s, r)
		if i < 0 {
			return false
		}
		s = s[i+len(string(r)):]
	}
	return true
}
