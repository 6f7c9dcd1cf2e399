package vault

// IsOpen reports whether this process has the key of the vault at hand. It waits
// for nobody: while the key is being fetched the vault is not open yet.
func (l *Local) IsOpen() bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	return l.ring != nil
}
