//go:build !(linux || freebsd || openbsd || netbsd || dragonfly)

package keys

// helperVars are the variables that the helper gets: what macOS needs to find
// the user's keychains, and Windows to start a program and find its profile.
var helperVars = []string{
	"HOME", "USER", "LOGNAME", "LANG", "TMPDIR",
	"SystemRoot", "SystemDrive", "USERPROFILE", "USERNAME", "USERDOMAIN", "APPDATA", "LOCALAPPDATA", "TEMP",
}

// sessionEnv returns env: the keyring is part of the system and needs no bus.
func sessionEnv(env []string) ([]string, bool) { return env, true }

func serviceReachable() (bool, error) { return true, nil }

// isLocked is told by text only.
func isLocked(error) bool { return false }
