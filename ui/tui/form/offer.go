package form

import "strings"

// mostOffers is how many texts are offered at most.
const mostOffers = 50

// Offer returns those of the texts that could be meant by what was typed, for a
// Suggest: those that begin with it first, then those that have it somewhere,
// whatever the case.
func Offer(typed string, all []string) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	var begin, within []string
	for _, s := range all {
		switch low := strings.ToLower(s); {
		case strings.HasPrefix(low, typed):
			begin = append(begin, s)
		case strings.Contains(low, typed):
			within = append(within, s)
		}
		if len(begin) == mostOffers {
			return begin
		}
	}
	out := append(begin, within...)
	return out[:min(len(out), mostOffers)]
}
