package locked

// mapPages returns nil: on Windows keys are on the heap.
func mapPages(int) []byte { return nil }
