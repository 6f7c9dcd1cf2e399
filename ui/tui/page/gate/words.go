package gate

import (
	"fmt"
	"time"

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

// slow is after what time a keyring is taken to be asking somebody.
const slow = time.Second

// card returns what there is to say.
func (g *Gate) card() card {
	switch g.state {
	case looking:
		return g.waiting()
	case stopped:
		return card{head: "Stopped", say: []string{"The vault is not open."}, next: []string{"r tries again", "q quits"}}
	case absent:
		return g.welcome()
	case creating:
		return card{head: "Making the vault", say: []string{"Its key goes into " + place(g.first) + "."}}
	case asking:
		return card{head: "Locked", say: []string{"This vault opens with a passphrase. Nothing that you type is shown."}, next: []string{"enter unlocks", "ctrl+c leaves"}}
	case opening:
		return card{head: "Unlocking", say: []string{"Making the key from the passphrase takes a moment, on purpose: so guessing is slow."}}
	}
	return failure(g.err)
}

func (g *Gate) waiting() card {
	c := card{head: "Opening the vault"}
	took := g.host.Now().Sub(g.since)
	if took >= slow {
		c.say = []string{"Waiting for the key. The keyring may be asking for its password, in a window of its own."}
		c.next = []string{"esc stops waiting"}
	}
	return c
}

func (g *Gate) welcome() card {
	return card{
		head: "Welcome to aivault",
		say: []string{
			"aivault keeps API keys, and makes the calls that need them: code that you need not trust asks for a call and never sees a key.",
			"There is no vault yet. Its own key will be kept in " + place(g.first) + ".",
		},
		next:    []string{"enter makes the vault"},
		command: "aivault init",
	}
}

// place says where a key lives.
func place(c keys.Config) string {
	switch c.Kind {
	case keys.KindKeyring:
		return "the keyring of your system"
	case keys.KindFile:
		return "the file " + c.Path + ", which only you can read"
	case keys.KindEnv:
		return "the variable " + c.Var
	}
	return "a passphrase that you know"
}

// failure says what is in the way.
func failure(err error) card {
	c := card{head: "The vault cannot be opened", bad: true, say: []string{sentence(err)}}
	next := fault.HintOf(err)
	switch fault.CodeOf(err) {
	case fault.VaultBusy:
		c.head, c.bad = "Another aivault is using the vault", false
		c.say = []string{"It is tried again every two seconds."}
		c.next = []string{"esc stops trying"}
		return c
	case fault.KeyUnavailable:
		c.head = "The key of the vault is not to be had"
		c.say = append(c.say, "Your secrets are in the vault, unharmed: only what opens it is missing.")
	case fault.WrongKey:
		c.head = "This is not the key of this vault"
	case fault.VaultCorrupt:
		c.head = "The vault is damaged"
		c.say = append(c.say, "aivault changes nothing here until that is put right.")
		c.command = "aivault doctor"
	case fault.VaultRollback:
		c.head, c.command = "The vault is older than it was", "aivault doctor"
	case fault.VaultNewer:
		c.head = "The vault was written by a newer aivault"
	case fault.AuditBroken:
		c.head, c.command = "The audit log does not verify", "aivault audit verify"
	case fault.DiskFull:
		c.head = "The disk is full"
	case fault.IO, fault.OutcomeUnknown:
		c.head, c.command = "The disk does not do what it should", "aivault status"
	}
	if next != "" {
		c.next = append(c.next, next)
	}
	c.next = append(c.next, "r tries again")
	return c
}

// sentence is an error as a sentence.
func sentence(err error) string {
	s := fmt.Sprint(err)
	if s == "" {
		return s
	}
	return string(upper(s[0])) + s[1:] + "."
}

func upper(b byte) byte {
	if b >= 'a' && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}
