// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"testing"
)

// StartT starts one server by the given function, such as StartJaeger, and stops
// it when the test ends; the end of its log is shown when the test failed.
func StartT(t testing.TB, start func(context.Context, Options) (*Server, error), options Options) *Server {
	t.Helper()
	s, err := start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, s)
	return s
}

// StartRegionT starts a region and stops it when the test ends; the ends of the
// servers' logs are shown when the test failed.
func StartRegionT(t testing.TB, name string) *Region {
	t.Helper()
	r, err := StartRegion(t.Context(), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, r.Servers()...)
	return r
}

func stopAtEnd(t testing.TB, servers ...*Server) {
	t.Cleanup(func() {
		if t.Failed() {
			for _, s := range servers {
				t.Logf("log of %s ends with:\n%s", s.Name, s.LogTail())
			}
		}
		if err := (together(stops(servers)...)); err != nil {
			t.Error(err)
		}
	})
}

func stops(servers []*Server) []func() error {
	all := make([]func() error, len(servers))
	for i, s := range servers {
		all[i] = s.Stop
	}
	return all
}
