// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// releasesOf renders the charts of all HelmReleases with the values that they give, as Flux would.
func releasesOf(t *testing.T, all []*unstructured.Unstructured) map[string][]*unstructured.Unstructured {
	t.Helper()
	out := map[string][]*unstructured.Unstructured{}
	for _, o := range all {
		if o.GetKind() != "HelmRelease" {
			continue
		}
		spec := mapAt(t, o.Object, "spec")
		chart := mapAt(t, spec, "chart", "spec")["chart"].(string)
		values, err := yaml.Marshal(spec["values"])
		require.NoError(t, err)
		out[chart] = objects(t, render(t, options{chart: chart, release: spec["releaseName"].(string), values: string(values)}))
	}
	return out
}

func TestUmbrella(t *testing.T) {
	for name, charts := range map[string][]string{
		"regional":   {"kof-operators", "kof-storage", "kof-mothership", "kof-dashboards", "kof-regional", "kof-child", "kof-collectors"},
		"regionless": {"kof-operators", "kof-storage", "kof-mothership", "kof-dashboards", "kof-child", "kof-collectors"},
	} {
		t.Run(name, func(t *testing.T) {
			releases := releasesOf(t, objects(t, render(t, exampleOf("kof", name))))
			for _, chart := range charts {
				require.Contains(t, releases, chart)
			}
			require.Len(t, releases, len(charts))
			// The templates that the operator is told of are those that the charts make.
			args := mapAt(t, find(t, releases["kof-mothership"], "Deployment", "kof-mothership-operator").Object, "spec", "template", "spec")["containers"].([]any)[0].(map[string]any)["args"]
			require.Contains(t, args, "--collectors-template="+find(t, releases["kof-child"], "ServiceTemplate", "kof-collectors-0-1-0").GetName())
			if name == "regional" {
				require.Contains(t, args, "--storage-template="+find(t, releases["kof-regional"], "ServiceTemplate", "kof-storage-0-1-0").GetName())
			} else {
				require.Contains(t, args, "--storage-template=")
				require.Equal(t, true, mapAt(t, find(t, releases["kof-mothership"], "Region", "management").Object, "spec")["fallback"])
				find(t, releases["kof-storage"], "Ingress", "kof-storage-vmauth")
			}
			// Agents have a user that the stores know, at the door that is there.
			find(t, releases["kof-storage"], "VMUser", "kof-storage-writer")
		})
	}
}

// inCluster evaluates the values of a service for a cluster, with helm's functions, which have the names and results of Sveltos'.
func inCluster(t *testing.T, all []*unstructured.Unstructured, service string, cluster map[string]any) string {
	t.Helper()
	for _, o := range all {
		if o.GetKind() != "MultiClusterService" {
			continue
		}
		for _, s := range mapAt(t, o.Object, "spec", "serviceSpec")["services"].([]any) {
			if s.(map[string]any)["name"] == service {
				write := writer(t, filepath.Join(t.TempDir(), "values"))
				write("Chart.yaml", "apiVersion: v2\nname: values\nversion: 0.1.0\n")
				path := write("templates/values.yaml", `{{ tpl .Values.text (dict "Cluster" .Values.cluster "Template" .Template) }}`)
				values, err := json.Marshal(map[string]any{"text": s.(map[string]any)["values"], "cluster": cluster})
				require.NoError(t, err)
				out, errs, err := helm(t, string(values), "template", "values", filepath.Dir(filepath.Dir(path)), "--values", "-")
				require.NoError(t, err, errs)
				return out
			}
		}
	}
	require.Fail(t, "no service "+service)
	return ""
}

// TestAnnotationsOverDefaults: what a ClusterDeployment's annotations say goes over the defaults, and the chart takes the result.
func TestAnnotationsOverDefaults(t *testing.T) {
	cluster := func(annotations map[string]any) map[string]any {
		return map[string]any{"metadata": map[string]any{
			"name": "c1", "namespace": "kcm-system", "annotations": annotations, "labels": map[string]any{"k0rdent.mirantis.com/kof-tenant-id": "acme"},
		}}
	}
	t.Run("storage", func(t *testing.T) {
		all := objects(t, render(t, exampleOf("kof-regional", "standalone")))
		spec := func(annotations map[string]any) map[string]any {
			values := inCluster(t, all, "kof-storage", cluster(annotations))
			stored := objects(t, render(t, options{chart: "kof-storage", values: values}))
			if annotations != nil {
				require.Equal(t, "vmauth.eu.example", find(t, stored, "Ingress", "kof-storage-vmauth").Object["spec"].(map[string]any)["rules"].([]any)[0].(map[string]any)["host"])
			}
			return mapAt(t, find(t, stored, "VMSingle", "kof-storage").Object, "spec")
		}
		require.Equal(t, "60d", spec(nil)["retentionPeriod"], "the default")
		got := spec(map[string]any{
			"k0rdent.mirantis.com/kof-storage-class": "fast", "k0rdent.mirantis.com/kof-regional-domain": "eu.example", "k0rdent.mirantis.com/kof-cert-email": "a@b.example",
			"k0rdent.mirantis.com/kof-storage-values": "victoriametrics: {vmcluster: {spec: {retentionPeriod: 2y}}}",
		})
		require.Equal(t, "2y", got["retentionPeriod"])
		require.Equal(t, "fast", mapAt(t, got, "storage")["storageClassName"])
	})
	t.Run("collectors", func(t *testing.T) {
		all := objects(t, render(t, exampleOf("kof-child", "standalone")))
		values := inCluster(t, all, "kof-collectors", cluster(map[string]any{"k0rdent.mirantis.com/kof-collectors-values": "scrapeInterval: 15s"}))
		env := collectorOf(t, objects(t, render(t, options{values: values})))["env"]
		for name, want := range map[string]string{"KOF_CLUSTER_NAME": "c1", "KOF_CLUSTER_NAMESPACE": "kcm-system", "KOF_TENANT": "acme", "KOF_SCRAPE_INTERVAL": "15s", "KOF_REGION": "eu-west-1"} {
			require.Contains(t, env, map[string]any{"name": name, "value": want})
		}
	})
}

// TestOperatorsWithoutDependencies: helm would install the chart with nothing in it.
func TestOperatorsWithoutDependencies(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kof-operators")
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(chartsDir, "kof-operators"))))
	_, errs, err := helm(t, "", "template", "kof-operators", dir)
	require.Error(t, err)
	require.Contains(t, errs, "cert-manager")
}
