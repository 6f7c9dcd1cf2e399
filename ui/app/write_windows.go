package app

import (
	"context"
	"io"
)

// WriteUntil writes b to an output. Here it waits as long as that does.
func WriteUntil(_ context.Context, out io.Writer, b []byte) error {
	_, err := out.Write(b)
	return err
}
