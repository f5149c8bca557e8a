// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExamplesAreWhatIsRendered(t *testing.T) {
	eachExample(t, func(t *testing.T, o options) {
		got := render(t, o)
		file := filepath.Join(filepath.Dir(o.files[0]), "rendered.yaml")
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "`go test ./test/charts -update` writes the examples anew")
	})
}

func TestLint(t *testing.T) {
	for _, chart := range charts(t) {
		for _, name := range append(examplesOf(t, chart), "") {
			t.Run(chart+"/"+name, func(t *testing.T) {
				args := []string{"lint", "--strict", chartPath(t, chart), "--kube-version", kubeVersion}
				if name != "" {
					args = append(args, "--values", exampleOf(chart, name).files[0])
				}
				out, errs, err := helm(t, "", args...)
				require.NoError(t, err, "%s%s", out, errs)
			})
		}
	}
}

// The command of the seed, but for the cluster that it needs.
func TestSeedCommandRenders(t *testing.T) {
	out, errs, err := helm(t, "", "template", "kof-collectors", collectors, "--set", "kof.instrumentation.enabled=true", "-n", "kof")
	require.NoError(t, err, errs)
	all := objects(t, out)
	find(t, all, "DaemonSet", "kof-collectors-agent")
	find(t, all, "Instrumentation", "kof-collectors")
}
