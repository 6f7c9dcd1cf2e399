// Package faultrun runs a program, and decides on each of its system calls that
// touch the files of one directory: to let it happen, to have it fail, or to kill
// the program just before it. That is how the tests of this directory kill every
// command at every call, have every call fail, and know in which order what
// reached the disk.
//
// The kernel asks ([seccomp user notification], Linux 5.9): a thread that makes
// one of the calls stands still until the answer. Calls are so counted over all
// threads. `strace --inject` counts them for each thread, and a Go program moves
// between threads as it likes: what is the third call of one thread today is the
// first of another tomorrow, and some are never the N-th of any.
//
// The program is started by the test binary itself, as a process that asks to be
// watched and then becomes the program: TestMain calls [Become] first.
//
// [seccomp user notification]: https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html
package faultrun
