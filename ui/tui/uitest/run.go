package uitest

import (
	"reflect"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/task"
)

// How long a step may take, and how long a command may hold up those that
// began after it: a call that waits for its upstream holds up nothing.
const (
	patience = 20 * time.Second
	grace    = 30 * time.Millisecond
	// atOnce is the longest time that passes by itself after a key: that of
	// what waits only for somebody to stop moving.
	atOnce = 300 * time.Millisecond
)

// send gives a message to the program.
func (d *Driver) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.run(cmd)
		}
		return
	case tea.QuitMsg:
		d.quit = true
		return
	case task.Timer:
		d.hold(msg)
		return
	}
	switch v := reflect.ValueOf(msg); {
	case v.Type().PkgPath() == reflect.TypeFor[tea.BatchMsg]().PkgPath() && v.Type().Name() == "execMsg":
		d.shells++
		return
	case v.Type().ConvertibleTo(reflect.TypeFor[[]tea.Cmd]()): // tea.Sequence has no name here
		d.sequence(v.Convert(reflect.TypeFor[[]tea.Cmd]()).Interface().([]tea.Cmd))
		return
	}
	_, cmd := d.program.Update(msg)
	d.run(cmd)
}

func (d *Driver) sequence(cmds []tea.Cmd) {
	if len(cmds) == 0 {
		return
	}
	d.run(func() tea.Msg {
		first := tea.BatchMsg{}
		for _, cmd := range cmds {
			msg := cmd()
			first = append(first, func() tea.Msg { return msg })
		}
		return first
	})
}

// hold keeps a timer until it is due.
func (d *Driver) hold(t task.Timer) {
	h := &held{at: d.Clock.Now().Add(t.After), fire: t.Fire}
	i := slices.IndexFunc(d.held, func(o *held) bool { return o.at.After(h.at) })
	if i < 0 {
		i = len(d.held)
	}
	d.held = slices.Insert(d.held, i, h)
}

// run starts a command.
func (d *Driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	j := &job{step: d.step, done: make(chan tea.Msg, 1)}
	d.jobs = append(d.jobs, j)
	go func() { j.done <- cmd() }()
}

// settle brings the results of commands back until none is left that began with
// this step or later, and nothing that waits for a moment's rest only. What
// sets such a timer again and again, as a spinner does, is served some rounds.
func (d *Driver) settle(from int) {
	d.Helper()
	deadline := time.Now().Add(patience)
	for rounds := 5; ; rounds-- {
		for d.pump(from) {
			if time.Now().After(deadline) {
				d.Fatalf("it does not come to rest\n%s", d.said())
			}
		}
		if rounds == 0 || !d.rest() {
			return
		}
	}
}

// pump brings one result back: that of the oldest command, unless that takes its
// time. It reports whether there is more to come.
func (d *Driver) pump(from int) bool {
	waiting := slices.IndexFunc(d.jobs, func(j *job) bool { return j.step >= from })
	if waiting < 0 {
		d.anyDone()
		return slices.ContainsFunc(d.jobs, func(j *job) bool { return j.step >= from })
	}
	select {
	case msg := <-d.jobs[waiting].done:
		d.took(waiting, msg)
	case <-time.After(grace):
		d.anyDone()
	}
	return true
}

// anyDone brings the first result back that is there.
func (d *Driver) anyDone() {
	for i, j := range d.jobs {
		select {
		case msg := <-j.done:
			d.took(i, msg)
			return
		default:
		}
	}
}

// took ends a command. What follows from it belongs to the same step.
func (d *Driver) took(i int, msg tea.Msg) {
	j := d.jobs[i]
	d.jobs = slices.Delete(d.jobs, i, i+1)
	now := d.step
	d.step = j.step
	d.send(msg)
	d.step = now
}

// rest fires the timers that wait for a moment's rest, without moving the clock.
// It reports whether there were any.
func (d *Driver) rest() bool {
	until := d.Clock.Now().Add(atOnce)
	n := 0
	for n < len(d.held) && !d.held[n].at.After(until) {
		n++
	}
	for _, h := range slices.Clone(d.held[:n]) {
		d.held = slices.DeleteFunc(d.held, func(o *held) bool { return o == h })
		d.send(h.fire)
	}
	return n > 0
}

// fire fires the timer that is due first.
func (d *Driver) fire() {
	t := d.held[0]
	d.held = d.held[1:]
	d.send(t.fire)
}

// Settle waits for all that is under way.
func (d *Driver) Settle() *Driver {
	d.Helper()
	d.settle(0)
	d.Check()
	return d
}

// settled ends a step.
func (d *Driver) settled() {
	d.Helper()
	d.settle(d.step)
	d.step++
	d.Check()
}

// Advance lets time pass: what is due in it happens in its order.
func (d *Driver) Advance(dur time.Duration) *Driver {
	d.Helper()
	end := d.Clock.Now().Add(dur)
	for len(d.held) > 0 && !d.held[0].at.After(end) {
		d.Clock.Move(max(d.held[0].at.Sub(d.Clock.Now()), 0))
		d.fire()
		d.settle(d.step)
		d.step++
	}
	d.Clock.Move(max(end.Sub(d.Clock.Now()), 0))
	d.Check()
	return d
}

// Await brings results back until the screen shows a text.
func (d *Driver) Await(text string) *Driver {
	d.Helper()
	deadline := time.Now().Add(patience)
	for !d.Has(text) {
		if time.Now().After(deadline) {
			d.Fatalf("%q never shows\n%s", text, d.said())
		}
		if !d.pump(0) {
			d.rest()
			time.Sleep(time.Millisecond)
		}
	}
	d.Check()
	return d
}
