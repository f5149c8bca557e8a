// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package podlogsreceiver

import "os"

func sizeOf(f *os.File) (size, changed int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	return info.Size(), info.ModTime().UnixNano(), nil
}
