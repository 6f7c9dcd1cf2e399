package text

import (
	"fmt"
	"strconv"
	"time"
)

// Number is a number with a comma every three digits.
func Number(n int) string {
	s := strconv.Itoa(n)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes is a size for people: "312 B", "3.2 KB", in units of 1,024.
func Bytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, units := float64(n)/1024, "KMGT"
	for f >= 1000 && len(units) > 1 {
		f, units = f/1024, units[1:]
	}
	if f < 10 {
		return fmt.Sprintf("%.1f %cB", f, units[0])
	}
	return fmt.Sprintf("%.0f %cB", f, units[0])
}

// Age is how long ago t was, in one unit: "now", "2m", "3d"; a dash for never.
func Age(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	const day = 24 * time.Hour
	switch d := now.Sub(t); {
	case d < 5*time.Second:
		return "now"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < day:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d < 1000*day:
		return strconv.Itoa(int(d/day)) + "d"
	default:
		return strconv.Itoa(int(d/(365*day))) + "y"
	}
}

// Moment is a time for people, in their own zone; "never" for none.
func Moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// Duration is how long something took, to about three digits.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
}
