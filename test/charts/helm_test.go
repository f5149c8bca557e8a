// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/k0rdent/kof/test/toolcache"
)

const (
	root       = "../.."
	chartsDir  = root + "/deploy/charts"
	collectors = chartsDir + "/kof-collectors"
	// kubeVersion is what examples are rendered for: that of the kube-apiserver that they are applied to.
	kubeVersion = "1.37.2"
	namespace   = "kof"
	release     = "kof-collectors"
)

var update = flag.Bool("update", false, "write the rendered examples anew")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// helm runs the real one, with nothing of the user's own settings.
func helm(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, err := toolcache.Binary(t.Context(), "helm", os.Stderr)
	require.NoError(t, err)
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_DATA_HOME=" + home,
		"KUBECONFIG=" + filepath.Join(home, "none"),
	}
	var out, errs bytes.Buffer
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// options of a rendering.
type options struct {
	chart                           string // name; "" is kof-collectors
	release, namespace, kubeVersion string
	files                           []string // of values
	values                          string   // YAML, after the files; on standard input
}

func (o options) args(t *testing.T, command string) []string {
	t.Helper()
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	chart := or(o.chart, filepath.Base(collectors))
	args := []string{
		command, or(o.release, chart), chartPath(t, chart), "--namespace", or(o.namespace, namespace), "--kube-version", or(o.kubeVersion, kubeVersion),
	}
	for _, f := range o.files {
		args = append(args, "--values", f)
	}
	if o.values != "" {
		args = append(args, "--values", "-")
	}
	return args
}

// render returns what helm renders.
func render(t *testing.T, o options) string {
	t.Helper()
	out, errs, err := helm(t, o.values, o.args(t, "template")...)
	require.NoError(t, err, errs)
	return out
}

// refused returns why helm doesn't render.
func refused(t *testing.T, values string) string {
	t.Helper()
	return refusedBy(t, filepath.Base(collectors), values)
}

func refusedBy(t *testing.T, chart, values string) string {
	t.Helper()
	out, errs, err := helm(t, values, options{chart: chart, values: values}.args(t, "template")...)
	require.Error(t, err, "rendered:\n%s", out)
	return errs
}

// objects parses what was rendered.
func objects(t *testing.T, rendered string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, document := range strings.Split("\n"+rendered, "\n---") {
		o := &unstructured.Unstructured{Object: parse(t, []byte(document))}
		if len(o.Object) > 0 {
			out = append(out, o)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// parse reads YAML with the types that JSON has. A key that is there twice is refused.
func parse(t *testing.T, document []byte) map[string]any {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal(document, &raw), "%s", document)
	text, err := json.Marshal(raw)
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, utiljson.Unmarshal(text, &out))
	return out
}

// find returns the one object of that kind and name.
func find(t *testing.T, all []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	var names []string
	for _, o := range all {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
		names = append(names, o.GetKind()+"/"+o.GetName())
	}
	require.Fail(t, fmt.Sprintf("no %s/%s among %v", kind, name, names))
	return nil
}

// charts returns the names of all charts.
func charts(t *testing.T) []string {
	t.Helper()
	return baseNames(t, filepath.Join(chartsDir, "*", "Chart.yaml"))
}

// examples returns the names of the examples of kof-collectors.
func examples(t *testing.T) []string {
	t.Helper()
	return examplesOf(t, filepath.Base(collectors))
}

func examplesOf(t *testing.T, chart string) []string {
	t.Helper()
	return baseNames(t, filepath.Join(chartsDir, chart, "examples", "*", "values.yaml"))
}

// baseNames returns the names of the folders that files are in.
func baseNames(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}

func example(name string) options { return exampleOf(filepath.Base(collectors), name) }

func exampleOf(chart, name string) options {
	return options{chart: chart, files: []string{filepath.Join(chartsDir, chart, "examples", name, "values.yaml")}}
}

// eachExample runs a test for each example of each chart.
func eachExample(t *testing.T, test func(t *testing.T, o options)) {
	t.Helper()
	for _, chart := range charts(t) {
		for _, name := range examplesOf(t, chart) {
			t.Run(chart+"/"+name, func(t *testing.T) { test(t, exampleOf(chart, name)) })
		}
	}
}

// mapAt returns the map at a path of keys, not a copy.
func mapAt(t *testing.T, o map[string]any, path ...string) map[string]any {
	t.Helper()
	field, found, err := unstructured.NestedFieldNoCopy(o, path...)
	require.NoError(t, err)
	require.True(t, found, "%v", path)
	require.IsType(t, map[string]any{}, field, "%v", path)
	return field.(map[string]any)
}
