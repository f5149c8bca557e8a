// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package queuestorageextension

import (
	"errors"
	"os"
)

func lockDirectory(string) (*os.File, error) {
	return nil, errors.New("queue_storage is not supported on this operating system")
}
