package gate

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aivault/keys"
	"aivault/keys/fault"
)

// A card is what a screen says.
type card struct {
	head    string
	say     []string // paragraphs
	next    []string // what can be done, one sentence each
	command string   // a command line that helps
	bad     bool     // something is wrong, as opposed to waited for
}

// slow is after what time it is said what may hold the key up.
const slow = time.Second

// again is how to go on after something was put right.
const again = "r tries again, q quits"

// card returns what there is to say.
func (g *Gate) card() card {
	switch g.state {
	case looking:
		if fault.CodeOf(g.err) != fault.VaultBusy {
			return g.waiting()
		}
	case stopped:
		return card{head: "Stopped", say: []string{"The vault is not open. Nothing was changed."}, next: []string{again}}
	case absent:
		return g.welcome()
	case creating:
		return card{head: "Making the vault", say: []string{"Its key goes into " + g.place() + "."}}
	case asking:
		return g.question()
	case opening:
		c := card{head: "Unlocking", next: []string{"esc stops"}}
		if g.status.Typed().Passphrase {
			c.say = []string{"Making the key from the passphrase takes a moment, on purpose: so guessing is slow."}
		}
		return c
	case failed:
	}
	// Also while a busy vault is tried again.
	return failure(g.err, g.status.Provider)
}

// question is what there is to say while somebody is asked.
func (g *Gate) question() card {
	typed := g.status.Typed().String()
	if g.reason == nil {
		return card{
			head: "The vault is locked", say: []string{"It opens with a " + typed + ". Nothing that you type is shown."},
			next: []string{"enter unlocks, esc clears, ctrl+c leaves"},
		}
	}
	c := card{
		head: "The vault is locked", say: []string{"The " + typed + " opens the vault too. Nothing that you type is shown."},
		next: []string{"enter unlocks, esc tries the key again, ctrl+c leaves"},
	}
	switch fault.CodeOf(g.reason) {
	case fault.Canceled: // by whoever is asked now
	case fault.KeyUnavailable:
		c.head, c.command = missing(g.status.Provider), "aivault key add"
		c.say = append(c.say, sentence(g.reason))
	default:
		c.say = append(c.say, sentence(g.reason))
	}
	return c
}

// wrong says what was wrong with what was typed.
func wrong(typed keys.Typed, err error) string {
	switch {
	case typed.Passphrase && typed.Recovery:
		return "neither a passphrase nor a recovery key of this vault; type it again"
	case typed.Recovery:
		return err.Error()
	}
	return "this passphrase does not open the vault; type it again"
}

func (g *Gate) waiting() card {
	c := card{head: "Opening the vault"}
	if g.host.Now().Sub(g.since) >= slow {
		c.say = []string{
			"This takes longer than it should. The keyring may be asking for its password in a window of its own, or another aivault is at work on the vault.",
		}
		c.next = []string{"esc stops waiting"}
	}
	return c
}

func (g *Gate) welcome() card {
	c := card{
		head: "Welcome to aivault",
		say: []string{
			"aivault keeps API keys, and makes the calls that need them: code that you need not trust asks for a call and never sees a key.",
			"There is no vault yet. The key that opens it will be kept in " + g.place() + ".",
		},
		next:    []string{"n or enter makes the vault, q quits"},
		command: "aivault init",
	}
	if g.first.Kind == keys.KindKeyring {
		c.say = append(c.say, "For the day when that is lost, aivault key add --recovery, on a command line, makes a key to keep on paper.")
	}
	return c
}

// place says where the key of a new vault will live.
func (g *Gate) place() string {
	switch c := g.first; c.Kind {
	case keys.KindKeyring:
		return "the keyring of your system"
	case keys.KindFile:
		why := ""
		if filepath.Dir(c.Path) != g.status.Root { // beside the vault it is for one that was named
			why = ", as this session has no keyring"
		}
		return "the file " + c.Path + ", which only you can read" + why
	case keys.KindEnv:
		return "the variable " + c.Var
	case keys.KindPassphrase, keys.KindRecovery:
	}
	return "a passphrase that you know"
}

// failure says what is in the way.
func failure(err error, kind keys.Kind) card {
	c := card{head: "The vault cannot be opened", bad: true, say: []string{sentence(err)}}
	switch fault.CodeOf(err) {
	case fault.VaultBusy:
		return card{
			head: "Another aivault is using the vault",
			say:  []string{sentence(err), "It is tried again every two seconds."},
			next: []string{"esc stops trying", fault.HintOf(err)},
		}
	case fault.KeyUnavailable:
		c.head = missing(kind)
		c.say = append(c.say, "Your secrets are in the vault, unharmed: only what opens it is missing.")
	case fault.WrongKey:
		c.head = "This is not the key of this vault"
	case fault.VaultCorrupt:
		c.head, c.command = "The vault is damaged", "aivault doctor"
		c.say = append(c.say, "Nothing was changed, and a new vault is never made over it.")
	case fault.VaultRollback:
		c.head, c.command = "The vault is older than it was", "aivault doctor"
	case fault.VaultNewer:
		c.head = "The vault was written by a newer aivault"
		c.say = append(c.say, "Nothing was changed.")
		c.command = "aivault --version"
	case fault.AuditBroken:
		c.head, c.command = "The audit log does not verify", "aivault audit verify"
	case fault.DiskFull:
		c.head = "The disk is full"
	case fault.IO, fault.OutcomeUnknown:
		c.head, c.command = "The vault cannot be read or written", "aivault status"
	}
	if hint := fault.HintOf(err); hint != "" {
		c.next = append(c.next, hint)
	}
	c.next = append(c.next, again)
	return c
}

// missing says which key is not to be had.
func missing(kind keys.Kind) string {
	switch kind {
	case keys.KindKeyring:
		return "The keyring does not give the key"
	case keys.KindFile:
		return "The key file does not give the key"
	case keys.KindEnv:
		return "The environment does not have the key"
	case keys.KindPassphrase, keys.KindRecovery:
	}
	return "The key cannot be fetched"
}

// sentence makes a sentence of an error or a hint.
func sentence(what any) string {
	s := sentenceCase(fmt.Sprint(what))
	if s == "" {
		return s
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// sentenceCase is s as a sentence begins.
func sentenceCase(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
