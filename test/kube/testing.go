// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"os"
	"testing"
)

// Env is the environment variable that says what becomes of tests that need a cluster, which takes a long build and root: unset, they
// are skipped; `try`, they run, and are skipped on a machine that can't run one; `1`, they run, and fail on such a machine.
const Env = "KOF_REQUIRE_KUBERNETES"

// StartT starts a cluster that ends with the test, as far as Env asks for it. When the test failed, the ends of the logs of the cluster's
// programs are shown.
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

// NeedT skips or fails a test as StartT does, before it makes anything else ready.
func NeedT(t testing.TB) {
	t.Helper()
	switch want := os.Getenv(Env); want {
	case "":
		t.Skip("needs a Kubernetes: `make e2e-kubernetes` runs it")
	case "try":
		if err := Supported(); err != nil {
			t.Skip(err)
		}
	case "1":
		if err := Supported(); err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatalf("%s: found %q; allowed: try, 1, or unset", Env, want)
	}
}
