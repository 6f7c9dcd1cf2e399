package setup

// SocketName is the name of a daemon's socket in its directory.
const SocketName = "aivaultd.sock"

// Group is the group whose members reach the shared socket.
const Group = "aivault"

// Where the shared socket is. On Linux, /var/run is a link to /run, and both are
// empty after a boot.
const (
	linuxDir    = "/run/aivault"
	linuxSocket = "/var/run/aivault/" + SocketName
	macBase     = "/Users/Shared/aivault"
	macDir      = macBase + "/run"
)

// dirMode is the mode of the directory of the shared socket, as install(1)
// takes it.
const dirMode = "2750"

// SharedSocket returns the path of the shared socket on a system (as
// runtime.GOOS).
func SharedSocket(goos string) string {
	if goos == "darwin" {
		return macDir + "/" + SocketName
	}
	return linuxSocket
}
