// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/toolcache"
)

const root = "../.."

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rule of a file in Prometheus' format, as far as the tests look at it.
type rule struct {
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

type group struct {
	Name  string
	Rules []rule
}

type rulesFile struct{ Groups []group }

// run gives what a program of the tool cache says on standard output and error.
func run(t *testing.T, dir, tool string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, err := toolcache.Binary(t.Context(), tool, os.Stderr)
	require.NoError(t, err)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// render returns the rules that a chart gives to vmalert, some of them by way of kof-operator, as one file in Prometheus' format.
func render(t *testing.T, chart string, set ...string) string {
	t.Helper()
	args := []string{"template", chart, filepath.Join(root, "deploy", "charts", chart)}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	stdout, stderr, err := run(t, "", "helm", args...)
	require.NoError(t, err, stderr)
	type file struct {
		Groups []map[string]any `yaml:"groups"`
	}
	var all file
	for _, document := range strings.Split("\n"+stdout, "\n---\n") {
		var object struct {
			Kind string
			Data map[string]string
		}
		require.NoError(t, yaml.Unmarshal([]byte(document), &object))
		for _, text := range object.Data {
			if object.Kind == "ConfigMap" && strings.HasPrefix(text, "groups:") {
				var one file
				require.NoError(t, yaml.Unmarshal([]byte(text), &one))
				all.Groups = append(all.Groups, one.Groups...)
			}
		}
	}
	require.NotEmpty(t, all.Groups, chart)
	text, err := yaml.Marshal(all)
	require.NoError(t, err)
	return string(text)
}

// alerts of the management cluster, without the addresses of their pages, which would only make the tests longer.
func alerts(t *testing.T) string {
	t.Helper()
	return once(t, "alerts", func() string {
		return render(t, "kof-mothership", "alerting.runbooks=")
	})
}

// recorded rules of a region.
func recorded(t *testing.T) string {
	t.Helper()
	return once(t, "recorded", func() string {
		return render(t, "kof-storage", "form=standalone")
	})
}

// rendered holds what Helm has rendered already, as each run takes a second.
var rendered = map[string]string{}

func once(t *testing.T, what string, render func() string) string {
	t.Helper()
	if rendered[what] == "" {
		rendered[what] = render()
	}
	return rendered[what]
}

func parse(t *testing.T, text string) rulesFile {
	t.Helper()
	var out rulesFile
	require.NoError(t, yaml.Unmarshal([]byte(text), &out))
	require.NotEmpty(t, out.Groups)
	return out
}

// writeGroups writes each group into a file of its own, so that a test computes no other rules than it is about, and without its interval, so that
// the test says how often.
func writeGroups(t *testing.T, dir, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	var raw struct{ Groups []map[string]any }
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	for _, g := range raw.Groups {
		delete(g, "interval")
		content, err := yaml.Marshal(map[string]any{"groups": []any{g}})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, g["name"].(string)+".yaml"), content, 0o644))
	}
}
