// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// chartPath returns where a chart is. One whose dependencies are charts of others is a copy with stand-ins for them: what they render isn't
// KOF's, and their archives aren't in the repository.
func chartPath(t *testing.T, chart string) string {
	t.Helper()
	dir := filepath.Join(chartsDir, chart)
	text, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
	require.NoError(t, err)
	dependencies, _ := parse(t, text)["dependencies"].([]any)
	if len(dependencies) == 0 {
		return dir
	}
	copied := filepath.Join(t.TempDir(), chart)
	require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
	for _, d := range dependencies {
		standIn(t, copied, d.(map[string]any))
	}
	return copied
}

// standIn makes a chart that renders the values that it is given.
func standIn(t *testing.T, parent string, dependency map[string]any) {
	t.Helper()
	name := dependency["name"].(string)
	write := writer(t, filepath.Join(parent, "charts", name))
	write("Chart.yaml", fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, dependency["version"]))
	write("templates/values.yaml", `apiVersion: v1
kind: ConfigMap
metadata:
  name: values-of-{{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
data:
  values: {{ omit .Values "global" | toJson | quote }}
`)
}
