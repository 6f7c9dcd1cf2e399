//go:build unix && !linux

package locked

// advise does nothing: these systems have no such advice, or other names for it.
func advise([]byte) {}
