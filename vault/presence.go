package vault

// File returns the path of the vault's file.
func (l *Local) File() string { return l.db.Path() }

// Exists reports whether there is such a file, without a look into it.
func (l *Local) Exists() (bool, error) {
	exists, err := l.db.Exists()
	return exists, l.explain(err, "looking at")
}

// needVault is the error of what only a vault that exists can do, where there is
// none.
func (l *Local) needVault() error {
	exists, err := l.Exists()
	if err == nil && !exists {
		err = l.errNoVault()
	}
	return err
}

// errNoVault is the error of what only a vault that exists can do.
func (l *Local) errNoVault() error {
	if err := l.checkAbsent(); err != nil {
		return err
	}
	return l.errAbsent()
}

// IsOpen reports whether this process has the key of the vault at hand. It waits
// for nobody: while the key is being fetched the vault is not open yet.
func (l *Local) IsOpen() bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	return l.ring != nil
}
