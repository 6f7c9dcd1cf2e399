package audit_test

import "testing"

// BenchmarkMillion is a log of 1,000,000 events: from a key to the frame that
// shows what it asked for.
//
// Checklist 61.
func BenchmarkMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("filling a long log takes a while")
	}
	d := newDriver(b, func(d *driver) { d.many(1_000_000) })
	press := func(names ...string) {
		for _, n := range names {
			d.press(named(n))
		}
		d.timers = nil
		d.page.View(d.w, d.h)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			d.show()
			d.page.View(d.w, d.h)
		}
	})
	b.Run("G-and-g", func(b *testing.B) {
		for b.Loop() {
			press("G")
			press("g")
		}
	})
	b.Run("pgdown", func(b *testing.B) {
		press("g")
		for b.Loop() {
			press("pgdown")
		}
	})
	b.Run("j", func(b *testing.B) {
		press("g")
		for b.Loop() {
			press("j")
		}
	})
	b.Run("new-event", func(b *testing.B) {
		press("g")
		for b.Loop() {
			d.do(d.page.Load())
			d.page.View(d.w, d.h)
		}
	})
}

// A log is as quick however long it is: what is held of it is bounded.
//
// Checklist 61.
func TestLongLog(t *testing.T) {
	t.Parallel()
	d := newDriver(t, func(d *driver) { d.many(12_000) })
	newest := d.page.Say()
	d.want("12,0", "secret.attach")
	d.keys("G").say("vault.init ok").want("event 1 of 12,0")
	for range 60 {
		d.keys("pgup")
	}
	d.want("event 1,9")
	d.keys("g")
	if got := d.page.Say(); got != newest {
		t.Errorf("after g it says %q, not %q", got, newest)
	}
	for range 400 {
		d.keys("pgdown")
	}
	d.say("vault.init ok").want("event 1 of 12,0")
	for range 400 {
		d.keys("pgup")
	}
	if got := d.page.Say(); got != newest {
		t.Errorf("after scrolling to the end and back it says %q, not %q", got, newest)
	}
}
