// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxBinary is how large the stripped binary may get, in bytes: every node of every cluster downloads and keeps it.
const maxBinary = 110_000_000

// TestBinary checks the binary that users get, so it is built as they get it, by `make build`.
func TestBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("links the whole collector")
	}
	dir := t.TempDir()
	make := exec.Command("make", "-C", "../..", "build", "BIN="+dir, "VERSION=v1.2.3", "COMMIT=0123456789ab")
	make.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=")
	})
	out, err := make.CombinedOutput()
	require.NoError(t, err, "%s", out)
	path := filepath.Join(dir, "kof-otelcol")

	info, err := os.Stat(path)
	require.NoError(t, err)
	t.Logf("%d bytes of at most %d", info.Size(), maxBinary)
	require.LessOrEqual(t, info.Size(), int64(maxBinary))

	version, err := exec.Command(path, "--version").Output()
	require.NoError(t, err)
	require.Equal(t, "kof-otelcol version 1.2.3+0123456789ab\n", string(version))

	binary, err := elf.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, binary.Close()) }()
	require.Nil(t, binary.Section(".interp"), "the binary is not static: it names a dynamic linker")
	libraries, err := binary.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries, "the binary is not static")
	_, err = binary.Symbols()
	require.ErrorIs(t, err, elf.ErrNoSymbols, "the binary is not stripped")
	require.Nil(t, binary.Section(".debug_info"), "the binary is not stripped")
}
