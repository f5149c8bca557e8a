// SPDX-License-Identifier: Apache-2.0

package toolcache

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDebianPackages(t *testing.T) {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("not a Debian machine: ", err)
		}
	}
	if _, err := planPackages(t.Context(), []string{"base-files"}); err != nil {
		t.Skip("apt has no list of packages: ", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var progress bytes.Buffer
	root, err := DebianPackages(t.Context(), []string{"base-files"}, &progress) // small, and installed everywhere
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "usr", "share", "base-files", "motd"))
	require.Contains(t, progress.String(), "base-files=")

	progress.Reset()
	again, err := DebianPackages(t.Context(), []string{"base-files"}, &progress)
	require.NoError(t, err)
	require.Equal(t, root, again)
	require.Empty(t, progress.String(), "nothing to tell about packages that are there")

	_, err = planPackages(t.Context(), []string{"kof-no-such-package"})
	require.ErrorContains(t, err, "Unable to locate package kof-no-such-package")
}
