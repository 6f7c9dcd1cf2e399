//go:build amd64 || arm64

package faultrun

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// becomeVar names, in the environment of a process of this binary, the program
// that it is to become.
const becomeVar = "FAULTRUN_BECOME"

// Become makes of this process the program that somebody wants to watch, if that
// is what it was started for; otherwise it returns.
func Become() {
	exe := os.Getenv(becomeVar)
	if exe == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "faultrun:", become(exe))
	os.Exit(127)
}

// become does not return unless it fails. The filter is that of this thread, and
// so of the program.
func become(exe string) error {
	runtime.LockOSThread()
	listener, err := listen()
	if err != nil {
		return fmt.Errorf("asking to be watched: %w", err)
	}
	const watcher = 3 // the first of exec.Cmd.ExtraFiles
	if err := unix.Sendmsg(watcher, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("sending the descriptor: %w", err)
	}
	unix.CloseOnExec(watcher)
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, becomeVar+"=") {
			env = append(env, v)
		}
	}
	return syscall.Exec(exe, append([]string{exe}, os.Args[1:]...), env)
}

// listen installs the filter, and returns the descriptor on which the kernel asks.
func listen() (fd int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	prog := filter()
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	// With the second flag a signal, with which the Go runtime is generous, does
	// not have a call made twice that was already asked about.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	n, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Offsets in struct seccomp_data, seccomp(2).
const (
	dataCall = 0
	dataArch = 4
)

// filter is the program that has the kernel ask about the calls of interest, by
// the numbers that they have on this machine.
func filter() []unix.SockFilter {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	unless := func(k uint32, skip uint8) unix.SockFilter { // skip so many where it is another
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jf: skip}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	arch := uint32(unix.AUDIT_ARCH_X86_64)
	if runtime.GOARCH == "arm64" {
		arch = unix.AUDIT_ARCH_AARCH64
	}
	other := unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: arch, Jt: 1}
	prog := []unix.SockFilter{load(dataArch), other, answer(unix.SECCOMP_RET_ALLOW), load(dataCall)}
	for _, c := range interesting() {
		prog = append(prog, unless(uint32(c.number), 1), answer(unix.SECCOMP_RET_USER_NOTIF))
	}
	return append(prog, answer(unix.SECCOMP_RET_ALLOW))
}

// receive takes the descriptor that become sent.
func receive(conn *net.UnixConn) (fd int, err error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 1), oob)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("%d messages: %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, fmt.Errorf("%d descriptors: %w", len(fds), err)
	}
	return fds[0], nil
}
