// Package setup makes a machine ready for shared mode, in which another user
// than the vault's owner may call through a daemon of the owner's.
//
// # The wall
//
// Agents run as a user of their own, who can read neither the vault nor the
// memory of the daemon. All that they reach is its socket, and there they may
// invoke, in the contexts that were granted to them.
//
//	/run/aivault                  2750 OWNER aivault, made at each boot
//	/run/aivault/aivaultd.sock    0660 OWNER aivault, made by the daemon
//
// Who is in group aivault may look into the directory and connect. Only the
// owner may put something there, so nobody can stand in for the daemon. The
// directory has the set-group-id bit, by which the socket gets the group.
//
// # Plans
//
// What has to be so is a [Plan]: steps in the order in which they are taken, each
// a command or a file, and each with whether it is so already. Whoever makes a
// plan changes nothing, and needs no rights but to look; [Host.Take] takes a step. So
// a dry run shows what would be done, and what is run twice does nothing the
// second time.
//
// Most of this is done as root, with names that somebody typed. No shell is
// involved, programs are looked for in the directories of the system only, and a
// file that aivault did not write is not replaced.
package setup
