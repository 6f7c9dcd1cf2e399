package vault

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"aivault/keys"
)

// unusedKeys names keys that are where those of this vault are, and of no slot: what
// is left of a rotation that was cut off before its new root key was there, or
// before its old key was removed. An entry of the keyring is found only by a name
// that it can have.
func (l *Local) unusedKeys(ctx context.Context, h *head) []string {
	gen := uint32(0)
	var used []keys.Config
	for _, s := range h.slots {
		gen = max(gen, s.Gen)
		used = append(used, s.Config.In(l.opts.Root))
	}
	var found []string
	note := func(c keys.Config) {
		if !slices.ContainsFunc(used, func(u keys.Config) bool { return samePlace(u, c) }) {
			found = append(found, c.String())
		}
	}
	dirs, services := []string{l.opts.Root}, []string(nil)
	for _, c := range used {
		switch c.Kind {
		case keys.KindFile:
			dirs = append(dirs, filepath.Dir(c.Path))
		case keys.KindKeyring:
			services = append(services, c.Service)
		}
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		names, _ := os.ReadDir(dir) // of a directory that is not there, there are none
		for _, e := range names {
			if name := e.Name(); isKeyFile(name) && (dir == l.opts.Root || name == firstKeyFile || rotationMade(h.vault, gen, name)) {
				note(keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, name)})
			}
		}
	}
	slices.Sort(services)
	for _, service := range slices.Compact(services) {
		l.eachEntry(ctx, h.vault, gen, service, note)
	}
	return found
}

// eachEntry calls f with the entries of the keyring in which keys of the vault can be:
// the first one, and those of rotations to the next generation, this one and the one
// before. It ends where the keyring is not to be had, which another check tells.
func (l *Local) eachEntry(ctx context.Context, vault [16]byte, gen uint32, service string, f func(keys.Config)) {
	first := keys.Config{Kind: keys.KindKeyring, Service: service, Account: uuidText(vault)}
	var err error
	taken := func(c keys.Config) (there bool) {
		if there, err = l.opts.Keys.Taken(ctx, c); there {
			f(c)
		}
		return there
	}
	taken(first)
	for g := gen + 1; err == nil && g > 1 && g+1 >= gen; g-- {
		for n := 0; n < maxAttempts && taken(placeFor(first, vault, rotationSlot(vault, g, n))); n++ {
			continue
		}
	}
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
