// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// asCollector makes the test binary be the collector, so that tests run the whole program without linking it once more.
const asCollector = "KOF_TEST_AS_COLLECTOR"

func TestMain(m *testing.M) {
	if os.Getenv(asCollector) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// collector returns a command that runs kof-otelcol with the arguments, and with these variables as its only environment.
func collector(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{asCollector + "=1"}, env...)
	return cmd
}

func TestVersion(t *testing.T) {
	out, err := collector(nil, "--version").CombinedOutput()
	require.NoError(t, err, "%s", out)
	// What the linker sets is checked on the binary that `make build` gives.
	require.Regexp(t, `^kof-otelcol version \d+\.\d+\.\d+`, string(out))
}
