package widget

// Marks are the rows that an action on many is for. Those that a filter hides
// are kept and do not count: nothing is done to what is not in the list.
type marks struct {
	marked map[string]struct{}
	count  int // of rows that are marked and in the list
}

// recount counts the marked ones among the rows.
func (m *marks) recount(n int, key func(i int) string) {
	m.count = 0
	if len(m.marked) == 0 {
		return
	}
	for i := range n {
		if m.IsMarked(key(i)) {
			m.count++
		}
	}
}

// IsMarked reports whether the row with a key is marked.
func (m *marks) IsMarked(key string) bool {
	_, ok := m.marked[key]
	return ok
}

// MarkCount returns how many rows of the list are marked.
func (m *marks) MarkCount() int { return m.count }

// ClearMarks takes all marks away, also those of rows that a filter hides.
func (m *marks) ClearMarks() { m.marked, m.count = nil, 0 }

// Toggle marks the row under the cursor, or takes its mark away.
func (l *List) Toggle() {
	if l.n == 0 || l.bare {
		return
	}
	key := l.key(l.cur)
	if l.IsMarked(key) {
		delete(l.marked, key)
		l.count--
		return
	}
	if l.marked == nil {
		l.marked = map[string]struct{}{}
	}
	l.marked[key] = struct{}{}
	l.count++
}

// ToggleAll marks all rows of the list, or, if they are, takes their marks away.
func (l *List) ToggleAll() {
	switch {
	case l.n == 0 || l.bare:
	case l.count == l.n && len(l.marked) == l.n:
		l.ClearMarks()
	case l.count == l.n:
		for i := range l.n {
			delete(l.marked, l.key(i))
		}
		l.count = 0
	default:
		all := make(map[string]struct{}, l.n+len(l.marked)-l.count)
		for key := range l.marked {
			all[key] = struct{}{}
		}
		for i := range l.n {
			all[l.key(i)] = struct{}{}
		}
		l.marked, l.count = all, l.n
	}
}

// Marked returns the keys of the marked rows of the list, in its order.
func (l *List) Marked() []string {
	if l.count == 0 {
		return nil
	}
	out := make([]string, 0, l.count)
	for i := range l.n {
		if key := l.key(i); l.IsMarked(key) {
			out = append(out, key)
		}
	}
	return out
}

// Prune forgets the marks of keys that are not in the list. It is for lists
// that nothing is filtered out of.
func (l *List) Prune() {
	kept := make(map[string]struct{}, l.count)
	for _, key := range l.Marked() {
		kept[key] = struct{}{}
	}
	l.marked = kept
}
