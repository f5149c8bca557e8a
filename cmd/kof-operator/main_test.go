// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBadFlags(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nowhere")
	for want, args := range map[string][]string{
		"flag provided but not defined: -x":    {"-x"},
		`found the argument "x"`:               {"x"},
		"--workers: found 0":                   {"-workers=0"},
		"--rotation-interval: found 1m0s":      {"-rotation-interval=1m"},
		`--webhook-bind-address: found "9443"`: {"-webhook-bind-address=9443"},
		`--webhook-bind-address: found ":x"`:   {"-webhook-bind-address=:x"},
		"no configuration has been provided":   nil,
	} {
		require.ErrorContains(t, run(t.Context(), args), want)
	}
	require.NoError(t, run(t.Context(), []string{"-version"}))
}
