//go:build !unix

package term

// Run does nothing: Windows has no job control.
func (suspension) Run() error { return errNobody }
