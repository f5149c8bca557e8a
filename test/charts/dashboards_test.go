// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/test/guide"
	"github.com/k0rdent/kof/test/kubeapi"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	dashboardsChart = "kof-dashboards"
	dashboardFiles  = chartsDir + "/" + dashboardsChart + "/files/dashboards"
	// maxRelease bounds what Helm keeps of the chart: Kubernetes takes 1 MiB in a Secret, the rest is for files of users.
	maxRelease = 400 << 10
)

// Each file becomes a dashboard that says in Grafana what it says in the file, in the folder of its folder.
func TestEveryFileIsADashboard(t *testing.T) {
	all := objects(t, render(t, options{chart: dashboardsChart}))
	found := 0
	require.NoError(t, filepath.WalkDir(dashboardFiles, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		below, err := filepath.Rel(dashboardFiles, path)
		require.NoError(t, err)
		folder, file := filepath.Split(below)
		folder = strings.TrimSuffix(folder, "/")
		o := find(t, all, "GrafanaDashboard", "kof-dashboards-"+folder+"-"+strings.TrimSuffix(file, ".yaml"))
		require.Equal(t, parse(t, content), modelOf(t, o), path)
		ref := mapAt(t, o.Object, "spec")["folderRef"].(string)
		require.Equal(t, "kof-dashboards-"+folder, ref)
		find(t, all, "GrafanaFolder", ref)
		found++
		return nil
	}))
	require.Positive(t, found)
	dashboards := 0
	for _, o := range all {
		if o.GetKind() == "GrafanaDashboard" {
			dashboards++
		}
	}
	require.Equal(t, found, dashboards)
}

// modelOf is what Grafana is given.
func modelOf(t *testing.T, o *unstructured.Unstructured) map[string]any {
	t.Helper()
	return parse(t, []byte(mapAt(t, o.Object, "spec")["json"].(string)))
}

func TestOwnDashboards(t *testing.T) {
	all := objects(t, render(t, exampleOf(dashboardsChart, "own")))
	require.Len(t, all, 5, "two folders, three dashboards")
	folder := func(name string) map[string]any { return mapAt(t, find(t, all, "GrafanaFolder", name).Object, "spec") }
	require.Equal(t, "The team's own", folder("boards-team")["title"])
	require.Equal(t, "Shops", folder("boards-team-shops")["title"])
	require.Equal(t, "boards-team", folder("boards-team-shops")["parentFolderRef"])

	// Braces of a plain file are Grafana's, those of a template Helm's.
	target := func(name string) map[string]any {
		panel := modelOf(t, find(t, all, "GrafanaDashboard", name))["panels"].([]any)[0].(map[string]any)
		return panel["targets"].([]any)[0].(map[string]any)
	}
	require.Equal(t, "{{job}}", target("boards-team-plain")["legendFormat"])
	require.NotContains(t, modelOf(t, find(t, all, "GrafanaDashboard", "boards-team-plain")), "id")
	require.Equal(t, "{{job}}", target("boards-team-shops-evaluated")["legendFormat"])
	require.Equal(t, `up{namespace="kof"}`, target("boards-team-shops-evaluated")["expr"])
	require.NotContains(t, mapAt(t, find(t, all, "GrafanaDashboard", "boards-general").Object, "spec"), "folderRef")
}

func TestCurrencyOfDashboards(t *testing.T) {
	costs := func(values string) string {
		all := objects(t, render(t, options{chart: dashboardsChart, values: values}))
		return mapAt(t, find(t, all, "GrafanaDashboard", "kof-dashboards-finops-clusters").Object, "spec")["json"].(string)
	}
	require.Contains(t, costs(""), `"unit":"currencyUSD"`)
	euros := costs("currency: EUR")
	require.Contains(t, euros, `"unit":"currencyEUR"`)
	require.NotContains(t, euros, "currencyUSD")
}

// Long paths that differ at their ends alone still get names of their own, of what Kubernetes takes.
func TestLongNamesOfDashboards(t *testing.T) {
	long := strings.Repeat("very-long-folder-", 4)
	values := fmt.Sprintf(`{fullnameOverride: %s, files: {"%s/a.json": '{"title": "a"}', "%s/b.json": '{"title": "b"}'}}`, strings.Repeat("n", 40), long, long)
	titles := map[string]bool{}
	for _, o := range objects(t, render(t, options{chart: dashboardsChart, values: values})) {
		require.LessOrEqual(t, len(o.GetName()), 63)
		if o.GetKind() == "GrafanaDashboard" {
			titles[modelOf(t, o)["title"].(string)] = true
		}
	}
	require.Contains(t, titles, "a")
	require.Contains(t, titles, "b")
}

// TestDashboardsPage runs the commands of the page on dashboards in a copy of the charts, at a real control plane that knows the Grafana
// operator's kinds: adding a file adds its dashboard, deleting it deletes that.
func TestDashboardsPage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	plane := kubeapi.StartT(t)
	api := newAPI(t, plane)
	api.installCRDs(t)
	require.NoError(t, api.create(t, parse(t, []byte("{apiVersion: v1, kind: Namespace, metadata: {name: kof}}")), false))
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "deploy", "charts", dashboardsChart), os.DirFS(filepath.Join(chartsDir, dashboardsChart))))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overview.json"), []byte(`{"title": "Overview", "panels": [{"type": "text"}]}`), 0o600))
	binary, err := toolcache.Binary(t.Context(), "helm", os.Stderr)
	require.NoError(t, err)
	run := func(commands string) {
		t.Helper()
		require.NotEmpty(t, commands)
		cmd := exec.CommandContext(t.Context(), "bash", "-euc", commands)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + filepath.Dir(binary) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "KUBECONFIG=" + plane.Kubeconfig}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", commands, out)
	}
	there := func() map[string]bool {
		t.Helper()
		out := map[string]bool{}
		for _, kind := range []string{"GrafanaDashboard", "GrafanaFolder"} {
			for _, o := range api.list(t, "grafana.integreatly.org", "v1beta1", kind, "kof") {
				out[kind+"/"+o.GetName()] = true
			}
		}
		return out
	}
	page := guide.ReadT(t, root, "dashboards.md")
	run("helm upgrade --install kof-dashboards ./deploy/charts/kof-dashboards -n kof")
	requireFits(t, plane)
	before := there()
	require.NotContains(t, before, "GrafanaDashboard/kof-dashboards-team-overview")

	add, remove := page["Add one"], page["Delete one"]
	// By a file first, then by a value: each block is one way.
	byFile, byValue, found := strings.Cut(add, "helm upgrade --install kof-dashboards ./deploy/charts/kof-dashboards -n kof --set-file")
	require.True(t, found)
	byValue = "helm upgrade --install kof-dashboards ./deploy/charts/kof-dashboards -n kof --set-file" + byValue
	run(byFile)
	require.Contains(t, there(), "GrafanaDashboard/kof-dashboards-team-overview")
	require.Contains(t, there(), "GrafanaFolder/kof-dashboards-team")
	deleteFile, leaveOut, found := strings.Cut(remove, "-n kof\n")
	require.True(t, found)
	run(deleteFile + "-n kof\n")
	require.Equal(t, before, there())
	run(byValue)
	require.Contains(t, there(), "GrafanaDashboard/kof-dashboards-team-overview")
	for line := range strings.Lines(leaveOut) {
		run(line)
		if strings.Contains(line, "regions") {
			require.NotContains(t, there(), "GrafanaDashboard/kof-dashboards-kof-regions")
		}
	}
	require.NotContains(t, there(), "GrafanaFolder/kof-dashboards-service-mesh")
	require.Contains(t, there(), "GrafanaDashboard/kof-dashboards-kof-regions")
}

// requireFits measures the Secret that Helm keeps of the release.
func requireFits(t *testing.T, plane *kubeapi.ControlPlane) {
	t.Helper()
	secrets, err := clientOf(t, plane).CoreV1().Secrets("kof").List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	require.NoError(t, err)
	require.Len(t, secrets.Items, 1)
	text, err := json.Marshal(secrets.Items[0])
	require.NoError(t, err)
	size := len(secrets.Items[0].Data["release"])
	t.Logf("Helm keeps %d KiB of the release, %d KiB as Kubernetes stores it; Kubernetes takes 1024 KiB", size>>10, len(text)>>10)
	require.LessOrEqual(t, size, maxRelease)
}
