package vault

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// systemClock is the Clock of this machine. CLOCK_MONOTONIC would follow the
// time of day where that is set; the raw one counts what the machine sleeps, too
// (clock_gettime(3)).
func systemClock() Clock {
	name := sync.OnceValue(func() string {
		id, err := unix.Sysctl("kern.bootsessionuuid")
		if err != nil {
			return ""
		}
		return id
	})
	return func() (string, time.Duration) {
		var ts unix.Timespec
		if name() == "" || unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &ts) != nil {
			return "", 0
		}
		return name(), time.Duration(ts.Nano())
	}
}
