package vault

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// systemClock is the Clock of this machine (proc_sys_kernel(5), clock_gettime(2)).
func systemClock() Clock {
	name := sync.OnceValue(func() string {
		b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	})
	return func() (string, time.Duration) {
		var ts unix.Timespec
		if name() == "" || unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
			return "", 0
		}
		return name(), time.Duration(ts.Nano())
	}
}
