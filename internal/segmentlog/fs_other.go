// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package segmentlog

import "os"

func writeVectors(f *os.File, buffers [][]byte, offset int64) error {
	for _, b := range buffers {
		n, err := f.WriteAt(b, offset)
		if err != nil {
			return err
		}
		offset += int64(n)
	}
	return nil
}

func syncFile(f *os.File) error { return f.Sync() }

// syncDir does nothing: folders can't be synced on every system that this builds for.
func syncDir(string) error { return nil }
