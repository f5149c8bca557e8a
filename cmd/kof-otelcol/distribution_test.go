// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/region"
)

func TestExampleDirectoryIsValid(t *testing.T) {
	directory, err := region.Load(distribution + "regions.yaml")
	require.NoError(t, err)
	env := strings.Join(unitEnvironment(t), "\n")
	_, home, _ := strings.Cut(env, "KOF_REGION=")
	home, _, _ = strings.Cut(home, "\n")
	require.Contains(t, directory.Regions, home, "kof-otelcol.env and regions.yaml are examples of one host")
}

func TestUnitIsValid(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("needs systemd-analyze")
	}
	unit, err := os.ReadFile(distribution + "kof-otelcol.service")
	require.NoError(t, err)
	// systemd-analyze wants the program to be there.
	installed := strings.ReplaceAll(string(unit), "/usr/bin/kof-otelcol", os.Args[0])
	file := filepath.Join(t.TempDir(), "kof-otelcol.service")
	require.NoError(t, os.WriteFile(file, []byte(installed), 0o600))
	out, err := exec.Command(analyze, "verify", "--man=no", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), file, "unknown keys and values are only warned of")
}
