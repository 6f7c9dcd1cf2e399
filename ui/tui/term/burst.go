package term

// Keys that arrive together are a paste without marks if they are more than so
// many, and of more than a few kinds: a key that is held down over a slow link
// arrives so too.
const (
	burstKeys  = 20
	burstKinds = 4
	burstMaybe = 8 // from here on it is worth waiting whether more come
)

// isText reports whether a byte is of what is typed and pasted as text.
func isText(b byte) bool { return b >= ' ' && b != 0x7f || b == '\r' || b == '\n' || b == '\t' }

// textRun returns the length of the text at the end of raw.
func textRun(raw []byte) int {
	n := 0
	for n < len(raw) && isText(raw[len(raw)-1-n]) {
		n++
	}
	return n
}

// findBurst returns where in raw a run of keys begins that nobody types, or -1.
// Late: what comes is the rest of a paste.
func findBurst(raw []byte, late bool) int {
	for i := 0; i < len(raw); {
		if !isText(raw[i]) {
			if raw[i] == esc { // what comes after belongs to it
				return -1
			}
			i++
			continue
		}
		var kinds [256]bool
		keys, distinct, end := 0, 0, i
		for ; end < len(raw) && isText(raw[end]); end++ {
			if b := raw[end]; b < 0x80 || b >= 0xc0 {
				keys++
			}
			if !kinds[raw[end]] {
				kinds[raw[end]] = true
				distinct++
			}
		}
		if late && keys > 1 || keys > burstKeys && distinct >= burstKinds {
			return i
		}
		i = end
	}
	return -1
}
