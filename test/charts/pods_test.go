// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podOf returns the pod of the agent.
func podOf(t *testing.T, all []*unstructured.Unstructured) map[string]any {
	t.Helper()
	for _, o := range all {
		if o.GetKind() == "DaemonSet" {
			return mapAt(t, o.Object, "spec", "template", "spec")
		}
	}
	require.Fail(t, "no DaemonSet")
	return nil
}

func collectorOf(t *testing.T, all []*unstructured.Unstructured) map[string]any {
	t.Helper()
	return podOf(t, all)["containers"].([]any)[0].(map[string]any)
}

// credentials returns the paths of files that the agent's pod has from Secrets.
func credentials(t *testing.T, all []*unstructured.Unstructured) []string {
	t.Helper()
	var out []string
	for _, v := range podOf(t, all)["volumes"].([]any) {
		projected, ok := v.(map[string]any)["projected"].(map[string]any)
		if !ok {
			continue
		}
		for _, s := range projected["sources"].([]any) {
			for _, source := range s.(map[string]any) {
				for _, item := range source.(map[string]any)["items"].([]any) {
					out = append(out, "/etc/kof/credentials/"+item.(map[string]any)["path"].(string))
				}
			}
		}
	}
	return out
}

func TestGoMemLimit(t *testing.T) {
	for limit, want := range map[string]string{
		"400Mi": "335544320", "1Gi": "858993459", "0.5Gi": "429496729", "500M": "400000000", "1G": "800000000", "524288000": "419430400", "512000Ki": "419430400",
	} {
		t.Run(limit, func(t *testing.T) {
			all := objects(t, render(t, options{values: "agent: {resources: {limits: {memory: " + limit + "}}}"}))
			require.Contains(t, collectorOf(t, all)["env"], map[string]any{"name": "GOMEMLIMIT", "value": want})
		})
	}
}

// Someone's own variables are beside the default ones.
func TestGarbageCollection(t *testing.T) {
	for values, want := range map[string]string{"agent: {env: {A: b}}": "30", "agent: {env: {GOGC: 100}}": "100"} {
		all := objects(t, render(t, options{values: values}))
		require.Contains(t, collectorOf(t, all)["env"], map[string]any{"name": "GOGC", "value": want})
	}
}

// Numbers stay numbers, however large.
func TestEnvironmentOfValues(t *testing.T) {
	all := objects(t, render(t, options{values: "agent: {env: {A: 30000000, B: 0.25, C: true, D: \"007\"}}"}))
	for name, want := range map[string]string{"A": "30000000", "B": "0.25", "C": "true", "D": "007"} {
		require.Contains(t, collectorOf(t, all)["env"], map[string]any{"name": name, "value": want})
	}
}

// Two releases, in two namespaces or in one, share nothing but the cluster.
func TestReleasesDoNotClash(t *testing.T) {
	keys := func(o options) map[string]bool {
		o.files = example("everything").files
		o.values = "fullnameOverride: \"\"\nkof: {instrumentation: {enabled: false}}"
		out := map[string]bool{}
		for _, obj := range objects(t, render(t, o)) {
			out[obj.GetKind()+" "+obj.GetNamespace()+"/"+obj.GetName()] = true
			if obj.GetKind() == "DaemonSet" {
				for _, v := range mapAt(t, obj.Object, "spec", "template", "spec")["volumes"].([]any) {
					if v.(map[string]any)["name"] == "state" {
						out[v.(map[string]any)["hostPath"].(map[string]any)["path"].(string)] = true
					}
				}
			}
		}
		return out
	}
	first := keys(options{release: "a", namespace: "b-c"})
	require.Contains(t, first, "/var/lib/kof-otelcol/b-c_a")
	require.Contains(t, first, "ClusterRole /a-kof-collectors-agent.b-c")
	for name, other := range map[string]options{
		"namespace": {release: "a", namespace: "d"},
		"release":   {release: "a2", namespace: "b-c"},
		// The same letters with the border elsewhere.
		"border": {release: "a-b", namespace: "c"},
	} {
		for k := range keys(other) {
			require.NotContains(t, first, k, name)
		}
	}
}

func TestPortsAndTLS(t *testing.T) {
	ports := func(values string) []any {
		return collectorOf(t, objects(t, render(t, options{values: values})))["ports"].([]any)
	}
	require.Contains(t, ports(""), map[string]any{"name": "otlp-grpc", "containerPort": int64(4317), "hostPort": int64(4317), "protocol": "TCP"})
	require.Contains(t, ports("otlp: {hostPort: {grpc: 14317}}"),
		map[string]any{"name": "otlp-grpc", "containerPort": int64(4317), "hostPort": int64(14317), "protocol": "TCP"})
	require.Contains(t, ports("otlp: {hostPort: {enabled: false}}"), map[string]any{"name": "otlp-grpc", "containerPort": int64(4317), "protocol": "TCP"})
	require.Len(t, ports("otlp: {enabled: false}"), 1)

	config := configOf(t, "agent", "otlp: {tls: {secretName: s, requireClientCertificate: true}}")
	for _, protocol := range []string{"grpc", "http"} {
		tls := mapAt(t, config, "receivers", "otlp", "protocols", protocol, "tls")
		require.Equal(t, "/etc/kof/otlp-tls/tls.crt", tls["cert_file"])
		require.Equal(t, "/etc/kof/otlp-tls/ca.crt", tls["client_ca_file"])
	}
}

// Only the kubelet's finer rights where kubelets know them.
func TestKubeletRights(t *testing.T) {
	rights := func(version string) string {
		return render(t, options{kubeVersion: version})
	}
	require.NotContains(t, rights("1.33.0"), "nodes/proxy")
	require.Contains(t, rights("1.32.5"), "nodes/proxy")
	require.Contains(t, rights("1.32.5-eks-1"), "nodes/proxy")
}

// What becomes of OTLP of unknown senders: refused where it could be a tenant's or belong to another zone.
func TestUnknownSenders(t *testing.T) {
	const twoZones = tworegions + "region: eu\n"
	oneZone := strings.ReplaceAll(twoZones, "zone: us", "zone: eu")
	for values, want := range map[string]string{
		"":       "accept",
		oneZone:  "accept",
		twoZones: "refuse",
		oneZone + "tenants: {acme: {region: eu}}":                                      "refuse",
		"cluster: {name: c}\nregion: eu\nregionDirectory: {configMap: from-elsewhere}": "refuse",
		twoZones + "otlp: {unattributed: accept}":                                      "accept",
		"otlp: {unattributed: refuse}":                                                 "refuse",
		// Whoever is believed may be passing on what belongs to no pod.
		twoZones + "otlp: {trustAttributes: true}":                       "accept",
		twoZones + "otlp: {trustAttributes: true, unattributed: refuse}": "refuse",
	} {
		t.Run(values, func(t *testing.T) {
			rendered, _, err := helm(t, values, "install", release, collectors, "-n", namespace, "--dry-run=client", "--values=-")
			require.NoError(t, err)
			all := objects(t, render(t, options{values: values}))
			require.Contains(t, collectorOf(t, all)["env"], map[string]any{"name": "KOF_UNATTRIBUTED", "value": want})
			require.Equal(t, want == "refuse", strings.Contains(rendered, "OTLP is refused from addresses"), "the notes say so")
		})
	}
}

// With a volume each, the cluster's collectors are StatefulSets, whose new pods take over what the old ones held.
func TestPersistence(t *testing.T) {
	for _, name := range []string{release + "-cluster", release + "-state"} {
		without := mapAt(t, find(t, objects(t, render(t, options{})), "Deployment", name).Object, "spec")
		require.Contains(t, mapAt(t, without, "template", "spec")["volumes"], map[string]any{"name": "state", "emptyDir": map[string]any{"sizeLimit": "2Gi"}})

		queue := func(values string) map[string]any {
			return mapAt(t, configIn(t, render(t, options{values: values}), name), "exporters", "region", "queue")
		}
		require.Equal(t, "50s", queue("")["drain_at_shutdown"], "what is held would go with the pod")
		require.Equal(t, "0s", queue("clusterCollector: {terminationGracePeriodSeconds: 5}")["drain_at_shutdown"])
		require.NotContains(t, queue("clusterCollector: {persistence: {enabled: true}}"), "drain_at_shutdown")

		with := mapAt(t, find(t, objects(t, render(t, options{
			values: "clusterCollector: {queueSize: 5Gi, persistence: {enabled: true, storageClassName: fast}}",
		})), "StatefulSet", name).Object, "spec")
		require.NotContains(t, with, "strategy")
		claim := with["volumeClaimTemplates"].([]any)[0].(map[string]any)
		require.Equal(t, "state", mapAt(t, claim, "metadata")["name"])
		require.Equal(t, "kof", mapAt(t, claim, "metadata", "labels")["app.kubernetes.io/part-of"], "by which docs/uninstall.md finds the volumes")
		require.Equal(t, map[string]any{
			"accessModes": []any{"ReadWriteOnce"}, "storageClassName": "fast", "resources": map[string]any{"requests": map[string]any{"storage": "5Gi"}},
		}, claim["spec"])
		for _, v := range mapAt(t, with, "template", "spec")["volumes"].([]any) {
			require.NotEqual(t, "state", v.(map[string]any)["name"])
		}
		require.NotContains(t, render(t, options{values: "clusterCollector: {persistence: {enabled: true}}"}), "storageClassName", "the default class")
	}
}
