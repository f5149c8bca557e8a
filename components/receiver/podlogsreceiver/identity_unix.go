// SPDX-License-Identifier: Apache-2.0

//go:build unix

package podlogsreceiver

import (
	"os"
	"syscall"
)

// fileID is what a file is known by as long as it exists. The numbers of a deleted file are given to new ones.
type fileID struct{ dev, ino uint64 }

func idOf(info os.FileInfo) (id fileID, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return id, false
	}
	return fileID{uint64(st.Dev), uint64(st.Ino)}, true // their types differ between systems
}
