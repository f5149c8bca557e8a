// SPDX-License-Identifier: Apache-2.0

package region

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// FuzzParse checks that Parse never panics, that what it refuses has its reasons, and what every directory that it
// returns upholds.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.*"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			require.Nil(t, d)
			for _, p := range problemsOf(t, err) {
				require.NotEmpty(t, p.path)
				require.NotEmpty(t, p.text)
			}
			return
		}
		requireInvariants(t, d)

		// What it returns, written as YAML, is the same directory.
		again, err := yaml.Marshal(d)
		require.NoError(t, err)
		d2, err := Parse(again)
		require.NoError(t, err, "%s", again)
		require.Equal(t, d, d2)
	})
}

func requireInvariants(t *testing.T, d *Directory) {
	require.NotEmpty(t, d.Regions)
	zoneOf := make(map[string]string)
	for name, r := range d.Regions {
		require.Equal(t, name, r.Name)
		require.Regexp(t, validName, name)
		require.Regexp(t, validName, r.Zone)
		require.NotEmpty(t, r.Metrics.URL+r.Logs.URL+r.Traces.URL)
		for _, e := range []Endpoint{r.Metrics, r.Logs, r.Traces} {
			if e.URL == "" {
				require.Zero(t, e)
				continue
			}
			require.NotEmpty(t, e.Protocol)
			require.NotContains(t, e.URL, "#")
			if zone, known := zoneOf[e.URL]; known {
				require.Equal(t, zone, r.Zone, e.URL)
			}
			zoneOf[e.URL] = r.Zone
			for name := range e.Headers {
				require.NotEqual(t, "authorization", name)
			}
		}
		require.NotEqual(t, RemoteWrite, r.Logs.Protocol)
		require.NotEqual(t, RemoteWrite, r.Traces.Protocol)
		require.False(t, r.Auth.Basic != nil && r.Auth.Bearer != nil)
		require.Equal(t, r.TLS.CertFile == "", r.TLS.KeyFile == "")
		require.Contains(t, []string{"1.2", "1.3"}, r.TLS.MinVersion)

		seen := map[string]bool{name: true}
		for _, to := range r.Failover {
			require.False(t, seen[to], "%s fails over to itself or twice to %s", name, to)
			seen[to] = true
			require.True(t, d.SameZone(name, to), "%s fails over to %s", name, to)
		}
	}
	for _, tenant := range d.Tenants {
		require.Contains(t, d.Regions, tenant.Region)
	}
}
