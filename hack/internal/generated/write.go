// SPDX-License-Identifier: Apache-2.0

// Package generated writes the files that programs of hack/ make, or checks that they are fresh.
package generated

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Remedy is what to do about a stale file.
const Remedy = "run `make generate` and commit what it changes"

// Write makes the files, by path, hold what they have to, and returns how many it changed. With check it changes nothing, and the error names each
// that is stale.
func Write(files map[string][]byte, check bool) (changed int, err error) {
	var errs []error
	for path, content := range files {
		before, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return changed, err
		}
		switch {
		case err == nil && bytes.Equal(before, content):
		case check:
			errs = append(errs, fmt.Errorf("%s is stale; %s", path, Remedy))
		default:
			changed++
			errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
		}
	}
	return changed, errors.Join(errs...)
}
