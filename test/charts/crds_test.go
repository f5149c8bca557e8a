// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/k0rdent/kof/test/toolcache"
)

// crdSources are whose CRDs rendered objects are checked against: modules that ship them, by the folder and a pattern of their names, and
// modules with Go types alone, from which the tool that their authors use makes them.
var crdSources = []struct{ module, files, types string }{
	{module: operator, files: "config/crd/bases/*.yaml"},
	{module: "github.com/grafana/grafana-operator/v5@v5.24.0", files: "config/crd/bases/*.yaml"},
	{module: "github.com/cert-manager/cert-manager@v1.18.2", files: "deploy/crds/crd-*.yaml"},
	{module: "github.com/K0rdent/kcm@v1.10.0", files: "templates/provider/kcm/templates/crds/*_{multiclusterservices,servicetemplates,clusterdeployments}.yaml"},
	{module: "github.com/VictoriaMetrics/operator/api@v0.73.1", types: "./operator/v1beta1;./operator/v1"},
	{module: "github.com/fluxcd/source-controller/api@v1.9.3", types: "./v1"},
	{module: "github.com/fluxcd/helm-controller/api@v1.6.0", types: "./v2"},
}

// installCRDs makes all kinds known that examples use.
func (a *api) installCRDs(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(root + "/deploy/crds/*.yaml")
	require.NoError(t, err)
	for _, s := range crdSources {
		files = append(files, crdFiles(t, s.module, s.files, s.types)...)
	}
	var kinds []schema.GroupVersionKind
	for _, f := range files {
		for _, crd := range documents(t, f) {
			group, _, _ := unstructured.NestedString(crd, "spec", "group")
			kind, _, _ := unstructured.NestedString(crd, "spec", "names", "kind")
			versions, _, _ := unstructured.NestedSlice(crd, "spec", "versions")
			// The authors' webhooks convert old versions, and aren't there.
			unstructured.RemoveNestedField(crd, "spec", "conversion")
			// Labels and annotations of some are templates of their authors' charts.
			unstructured.RemoveNestedField(crd, "metadata", "labels")
			unstructured.RemoveNestedField(crd, "metadata", "annotations")
			require.NoError(t, a.create(t, crd, false), f)
			kinds = append(kinds, schema.GroupVersionKind{Group: group, Kind: kind, Version: versions[0].(map[string]any)["name"].(string)})
		}
	}
	require.Eventually(t, func() bool {
		a.mapper.Reset()
		for _, k := range kinds {
			if _, err := a.mapper.RESTMapping(k.GroupKind(), k.Version); err != nil {
				return false
			}
		}
		return true
	}, 2*time.Minute, 500*time.Millisecond)
}

// crdFiles returns the paths of a module's CRDs.
func crdFiles(t *testing.T, module, files, types string) []string {
	t.Helper()
	dir := moduleDir(t, module)
	patterns := []string{files}
	if types != "" {
		dir, patterns = generated(t, dir, module, types), []string{"*.yaml"}
	} else if before, rest, found := strings.Cut(files, "{"); found {
		patterns = nil
		names, after, _ := strings.Cut(rest, "}")
		for name := range strings.SplitSeq(names, ",") {
			patterns = append(patterns, before+name+after)
		}
	}
	var out []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, p))
		require.NoError(t, err)
		require.NotEmpty(t, found, "%s: %s", module, p)
		out = append(out, found...)
	}
	return out
}

// generated returns a folder in the user's cache with the CRDs made of a module's types, which takes half a minute the first time.
func generated(t *testing.T, dir, module, types string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	out := filepath.Join(cache, "kof", "crds", strings.ReplaceAll(module, "/", "_"))
	if _, err := os.Stat(out); err == nil {
		return out
	}
	binary, err := toolcache.Binary(t.Context(), "controller-gen", os.Stderr)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(out), 0o755))
	temp, err := os.MkdirTemp(filepath.Dir(out), "new")
	require.NoError(t, err)
	defer os.RemoveAll(temp)
	// Without descriptions, with which some are larger than etcd takes.
	args := []string{"crd:maxDescLen=0", "output:crd:dir=" + temp}
	for p := range strings.SplitSeq(types, ";") {
		args = append(args, "paths="+p)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = dir
	// The types' own requirements, not KOF's settings.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	if err := os.Rename(temp, out); err != nil {
		// Another run was faster.
		_, err = os.Stat(out)
		require.NoError(t, err)
	}
	return out
}

// documents returns the objects of a file.
func documents(t *testing.T, file string) []map[string]any {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var out []map[string]any
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		var o map[string]any
		err := decoder.Decode(&o)
		if err == io.EOF {
			return out
		}
		require.NoError(t, err, file)
		if len(o) > 0 {
			out = append(out, o)
		}
	}
}
