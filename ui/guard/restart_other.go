//go:build !unix

package guard

// restart does nothing: Windows cannot replace a process, and a child would
// not be the one that its parent waits for and signals.
func restart() {}
