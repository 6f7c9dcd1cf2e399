package vault_test

import (
	"context"
	"errors"
	"io"

	"aivault/vault"
)

// workFull is for systems that can limit the size of a file.
func workFull(context.Context, *vault.Local, []string, io.Writer) error {
	return errors.ErrUnsupported
}

func workCramped(context.Context, *vault.Local, []string, io.Writer) error {
	return errors.ErrUnsupported
}

func workSpoiled(context.Context, *vault.Local, []string, io.Writer) error {
	return errors.ErrUnsupported
}

func workShort(context.Context, *vault.Local, []string, io.Writer) error {
	return errors.ErrUnsupported
}

func workNarrow(context.Context, *vault.Local, []string, io.Writer) error {
	return errors.ErrUnsupported
}
