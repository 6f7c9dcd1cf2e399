package vault

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"aivault/keys"
	"aivault/vault/internal/seal"
)

// unusedKeys names keys that are where those of this vault are, and of no slot: what
// is left of a rotation that was cut off before its new root key was there, or
// before its old key was removed. An entry of the keyring is found only by a name
// that it can have.
func (l *Local) unusedKeys(ctx context.Context, h *head) []string {
	var found []string
	for _, c := range l.keyPlaces(h) {
		used := slices.ContainsFunc(h.slots, func(s *seal.Slot) bool { return samePlace(s.Config.In(l.opts.Root), c) })
		if used {
			continue
		}
		taken, err := l.opts.Keys.Taken(ctx, c)
		if err != nil && c.Kind == keys.KindKeyring {
			break // it is not to be had, which another check tells
		}
		if taken {
			found = append(found, c.String())
		}
	}
	return found
}

// keyPlaces returns where keys of this vault can have been stored, files first.
func (l *Local) keyPlaces(h *head) []keys.Config {
	var files, entries []keys.Config
	gen := uint32(0)
	dirs := []string{l.opts.Root}
	var services []string
	for _, s := range h.slots {
		gen = max(gen, s.Gen)
		switch c := s.Config.In(l.opts.Root); c.Kind {
		case keys.KindFile:
			dirs = append(dirs, filepath.Dir(c.Path))
		case keys.KindKeyring:
			services = append(services, c.Service)
		}
	}
	slices.Sort(dirs)
	slices.Sort(services)
	for _, dir := range slices.Compact(dirs) {
		names, _ := os.ReadDir(dir) // of a directory that is not there, there are none
		for _, e := range names {
			if isKeyFile(e.Name()) && (dir == l.opts.Root || e.Name() == firstKeyFile || rotationMade(h.vault, gen, e.Name())) {
				files = append(files, keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, e.Name())})
			}
		}
	}
	for _, service := range slices.Compact(services) {
		first := keys.Config{Kind: keys.KindKeyring, Service: service, Account: uuidText(h.vault)}
		entries = append(entries, first)
		for g := gen + 1; g > 1 && g+1 >= gen; g-- { // the next one, this one and the one before
			entries = append(entries, placeFor(first, h.vault, rotationSlot(h.vault, g, 0)))
		}
	}
	return append(files, entries...)
}

// rotationMade reports whether a key file of that name is one that a rotation of the
// vault made, of some generation up to the next one. In a directory of many vaults,
// others are not ours.
func rotationMade(vault [16]byte, gen uint32, name string) bool {
	const back = 64 // generations
	for g := gen + 1; g > 1 && g+back > gen; g-- {
		for n := range maxAttempts {
			if name == keyFileName(rotationSlot(vault, g, n)) {
				return true
			}
		}
	}
	return false
}
