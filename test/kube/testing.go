// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"os"
	"testing"
)

// RequireEnv is the environment variable that, set to 1, makes a test fail that would be skipped on this machine.
const RequireEnv = "KOF_REQUIRE_KUBERNETES"

// StartT starts a cluster that ends with the test. On a machine that can't run one the test is skipped with the reason,
// or fails if RequireEnv is set. When the test failed, the ends of the logs of the cluster's programs are shown.
func StartT(t testing.TB, options Options) *Cluster {
	t.Helper()
	NeedT(t)
	c, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.Logs())
		}
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// NeedT skips or fails a test on a machine that can't run a cluster, as StartT does, before it makes anything else ready.
func NeedT(t testing.TB) {
	t.Helper()
	err := Supported()
	if errors.Is(err, ErrUnsupported) && os.Getenv(RequireEnv) != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
