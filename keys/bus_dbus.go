//go:build linux || freebsd || openbsd || netbsd || dragonfly

package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Here the keyring is the Secret Service, a program on the session bus:
// https://specifications.freedesktop.org/secret-service-spec/0.2/

const (
	busVar      = "DBUS_SESSION_BUS_ADDRESS"
	serviceName = "org.freedesktop.secrets"
	lockedError = "org.freedesktop.Secret.Error.IsLocked"
)

// helperVars are the variables that the helper gets: where the bus is, how to
// authenticate to it, and where a prompt may open. Without PATH, nothing that
// a library may want to launch is found.
var helperVars = []string{
	busVar, "XDG_RUNTIME_DIR", "HOME", "USER", "DISPLAY", "WAYLAND_DISPLAY", "LANG",
}

// sessionEnv returns env with the address of the session bus; false if there
// is no bus.
func sessionEnv(env []string) ([]string, bool) {
	address := busAddress(env)
	if address == "" {
		return nil, false
	}
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, busVar+"=") })
	return append(env, busVar+"="+address), true
}

// busAddress returns the address of a session bus that is said to run, or "".
func busAddress(env []string) string {
	var running []string
	for address := range strings.SplitSeq(lookup(env, busVar), ";") {
		// autolaunch: stands for a bus yet to be started, disabled: for none.
		transport, _, ok := strings.Cut(address, ":")
		if ok && transport != "autolaunch" && transport != "disabled" {
			running = append(running, address)
		}
	}
	if len(running) > 0 {
		return strings.Join(running, ";")
	}
	// The bus of a login session is there even where the variable is not, as
	// under ssh, cron and sudo.
	dir := lookup(env, "XDG_RUNTIME_DIR")
	if dir == "" {
		dir = "/run/user/" + strconv.Itoa(os.Getuid())
	}
	path := filepath.Join(dir, "bus")
	if info, err := os.Stat(path); err != nil || info.Mode().Type() != fs.ModeSocket {
		return ""
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(path)
}

// lookup returns the value of a variable in env; of several, the last.
func lookup(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// serviceReachable reports whether a Secret Service is on the bus, or would be
// started by it. It connects as go-keyring does, and the connection is then
// go-keyring's too.
func serviceReachable() (bool, error) {
	// The parent found the address and put it there. Without one, or with
	// another, the library would launch a bus.
	if address := os.Getenv(busVar); address == "" || address != busAddress(os.Environ()) {
		return false, nil
	}
	conn, err := dbus.SessionBus()
	if err != nil {
		return false, err
	}
	var owned bool
	if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, serviceName).Store(&owned); err != nil || owned {
		return owned, err
	}
	var names []string
	err = conn.BusObject().Call("org.freedesktop.DBus.ListActivatableNames", 0).Store(&names)
	return slices.Contains(names, serviceName), err
}

func isLocked(err error) bool {
	e, ok := errors.AsType[dbus.Error](err)
	return ok && e.Name == lockedError
}
