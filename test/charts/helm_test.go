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
	collectors = root + "/deploy/charts/kof-collectors"
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
	release, namespace, kubeVersion string
	files                           []string // of values
	values                          string   // YAML, after the files; on standard input
}

func (o options) args(command string) []string {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	args := []string{
		command, or(o.release, release), collectors, "--namespace", or(o.namespace, namespace), "--kube-version", or(o.kubeVersion, kubeVersion),
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
	out, errs, err := helm(t, o.values, o.args("template")...)
	require.NoError(t, err, errs)
	return out
}

// refused returns why helm doesn't render.
func refused(t *testing.T, values string) string {
	t.Helper()
	out, errs, err := helm(t, values, options{values: values}.args("template")...)
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

// examples returns the names of the chart's examples.
func examples(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(collectors, "examples", "*", "values.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	var names []string
	for _, d := range dirs {
		names = append(names, filepath.Base(filepath.Dir(d)))
	}
	return names
}

func example(name string) options {
	return options{files: []string{filepath.Join(collectors, "examples", name, "values.yaml")}}
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
