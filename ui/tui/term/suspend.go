package term

import (
	"errors"
	"io"

	tea "github.com/charmbracelet/bubbletea"
)

// Suspended is sent when the program goes on after [Settings.Suspend].
type Suspended struct {
	Worked bool // false: there is no shell that could have continued it
}

// errNobody is the error of a suspension that did not happen.
var errNobody = errors.New("nobody could continue it")

// Suspend gives the terminal back to the shell, until that continues the
// program. Where no shell would, as in a container, the program goes on.
func (s Settings) Suspend() tea.Cmd {
	return s.Exec(suspension{}, func(err error) tea.Msg { return Suspended{Worked: err == nil} })
}

// Exec gives the terminal to another program, as [tea.Exec] does, and then
// takes the mouse back, which that forgets.
func (s Settings) Exec(c tea.ExecCommand, done tea.ExecCallback) tea.Cmd {
	return tea.Exec(c, func(err error) tea.Msg {
		msg := done(err) // here, where Run sees a panic
		batch := tea.BatchMsg{func() tea.Msg { return msg }}
		if s.Mouse {
			batch = append(batch, tea.EnableMouseCellMotion)
		}
		return batch
	})
}

// A suspension is what happens while the terminal is the shell's.
type suspension struct{}

func (suspension) SetStdin(io.Reader)  {}
func (suspension) SetStdout(io.Writer) {}
func (suspension) SetStderr(io.Writer) {}
