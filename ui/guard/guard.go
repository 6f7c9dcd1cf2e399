// Package guard makes the environment harmless, and the process one that others
// cannot look into, before anything else of the program runs. Whoever starts
// aivault chooses its environment, and some variables would turn the program
// against its vault: GODEBUG=http2debug=2 has net/http print the Authorization
// header, SSL_CERT_FILE has crypto/x509 trust a certificate authority of the
// caller's, and a proxy variable diverts the connection.
//
// The work is done in init, as packages read such variables in theirs: from
// main it would be too late. Packages are initialised once what they import is,
// in the order of their paths. So this package imports os and syscall only, by
// which it comes before net/http, crypto/x509 and everything that is built on
// them. A further import here would undo that; a test looks after it.
//
// One variable is changed for a while only. Bubble Tea asks the terminal for
// its background in an init, and waits 5 s for the answer while it swallows what
// was typed ahead: in every command, as they are one binary. A dumb terminal is
// not asked. Package release puts TERM back once that init has run.
//
// Who has the same user id, and is not root, may read the environment of a
// process (AIVAULT_KEY), its memory and its files, or attach to it as a debugger
// does. From the guard on, Linux refuses all of that; macOS and Windows have
// rules of their own. There are no core files. To debug aivault, or to profile
// it with perf, build it with -tags aivault_dumpable, which leaves the process
// open.
package guard

import "os"

func init() {
	if !isTest() {
		hide() // first, as there are secrets in the environment from the start
	}
	again := forRuntime(os.Getenv)
	for _, name := range harmful() {
		_ = os.Unsetenv(name) // fails for malformed names only
	}
	if again && !isTest() {
		restart() // with the TERM of the person, which is changed below
	}
	term, hasTerm = os.LookupEnv("TERM")
	_ = os.Setenv("TERM", "dumb")
}

// What TERM was. This state is the package's purpose, written in init only.
var (
	term    string
	hasTerm bool
)

// GiveBackTerm makes TERM what it was when the process started. It is for
// package release, which calls it from its init.
func GiveBackTerm() {
	if hasTerm {
		_ = os.Setenv("TERM", term)
		return
	}
	_ = os.Unsetenv("TERM")
}

// harmful returns the variables that are taken out of the environment.
func harmful() []string {
	return []string{
		"GODEBUG", "GOTRACEBACK", // what the runtime and the standard library print and accept
		"SSL_CERT_FILE", "SSL_CERT_DIR", // whom crypto/x509 trusts
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", // where connections go
		"http_proxy", "https_proxy", "all_proxy", "no_proxy",
		"SSLKEYLOGFILE", // by convention, where keys of TLS sessions are written
	}
}

// forRuntime reports whether a variable is set that the runtime reads before
// any init runs, so that taking it away is not enough.
func forRuntime(getenv func(string) string) bool {
	return getenv("GODEBUG") != "" || getenv("GOTRACEBACK") != ""
}

// isTest reports whether this is the test of a package that imports this one:
// its developer may have reasons for a GODEBUG. The name of the file tells, as
// a caller can choose arguments but not that.
func isTest() bool {
	exe, err := os.Executable()
	return err == nil && (hasSuffix(exe, ".test") || hasSuffix(exe, ".test.exe"))
}

func hasSuffix(s, suffix string) bool {
	return len(s) >= len(suffix) && s[len(s)-len(suffix):] == suffix
}
