package attack_test

import "errors"

// workFull is for systems that can limit the size of a file.
func workFull(*process) error { return errors.ErrUnsupported }
