// Package term is the terminal interface's hold on the terminal: what it can do
// ([Settings]), what comes from it ([Input]), what goes to it ([Output]), and
// that it is given back as it was, however the program ends ([Run]).
//
// Bubble Tea does most of that. This package is what it leaves open:
//
//   - It never asks the terminal anything. An answer would come as typed text;
//     answers to what others asked are dropped.
//   - What arrives in pieces, an arrow key, a letter, a paste, is put together
//     before Bubble Tea sees it, which takes every read for the end of a key.
//     What arrives together is taken apart: jjjj is four keys.
//   - A paste has an end, even if the terminal forgets to say so, and a limit.
//   - Signals end the program with the status that shells expect, also while the
//     terminal does not read, and a panic ends it without printing its value.
//
// The way through is in one piece: [Input] speaks to the wrapper that [Run]
// puts around the program's model by escape sequences of its own, so that the
// order of what was typed is never lost.
package term
