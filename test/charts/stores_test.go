// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
)

// argsOf returns the flags of a container, with what replacements say.
func argsOf(t *testing.T, all string, kind, name string, replace ...string) []string {
	t.Helper()
	pod := mapAt(t, find(t, objects(t, all), kind, name).Object, "spec", "template", "spec")
	var out []string
	for _, a := range pod["containers"].([]any)[0].(map[string]any)["args"].([]any) {
		out = append(out, strings.NewReplacer(replace...).Replace(a.(string)))
	}
	return out
}

// startStore runs a store with the flags of its StatefulSet.
func startStore(t *testing.T, rendered, name, port, dir string) string {
	t.Helper()
	address := loopback(freePorts(t, 1)[0])
	run(t, "http://"+address+"/health", name, nil, argsOf(t, rendered, "StatefulSet", "kof-storage-"+name, ":"+port, address, "/data", dir)...)
	return "http://" + address
}

// TestRetention: the values of the cluster form have their effect in the real stores of form standalone: what is older isn't there, what is
// younger is, also after the pod has been replaced.
func TestRetention(t *testing.T) {
	rendered := render(t, options{chart: "kof-storage", values: `
form: standalone
victoriametrics: {vmcluster: {spec: {retentionPeriod: 2d}}}
victoria-logs-cluster: {vlstorage: {extraArgs: {retentionPeriod: 2d}}}
`})
	now := time.Now()
	metrics, logs := t.TempDir(), t.TempDir()
	t.Run("before", func(t *testing.T) {
		base := startStore(t, rendered, "victoria-metrics", "8428", metrics)
		post(t, base+"/api/v1/import/prometheus", fmt.Sprintf("young 1 %d\nold 1 %d\n", now.Add(-time.Hour).UnixMilli(), now.Add(-96*time.Hour).UnixMilli()))
		get(t, base+"/internal/force_flush")
		base = startStore(t, rendered, "victoria-logs", "9428", logs)
		for name, age := range map[string]time.Duration{"young": time.Hour, "old": 96 * time.Hour} {
			post(t, base+"/insert/jsonline?_stream_fields=s", fmt.Sprintf(`{"_msg":%q,"s":"s","_time":%q}`, name, now.Add(-age).Format(time.RFC3339)))
		}
		get(t, base+"/internal/force_flush")
	})
	t.Run("after", func(t *testing.T) {
		base := startStore(t, rendered, "victoria-metrics", "8428", metrics)
		var found string
		require.Eventually(t, func() bool {
			found = get(t, base+"/api/v1/export?match[]="+url.QueryEscape(`{__name__=~"young|old"}`))
			return strings.Contains(found, "young")
		}, 30*time.Second, 200*time.Millisecond)
		require.NotContains(t, found, "old")
		base = startStore(t, rendered, "victoria-logs", "9428", logs)
		found = get(t, base+"/select/logsql/query?query=*")
		require.Contains(t, found, "young")
		require.NotContains(t, found, "old")
	})
}

// TestRecordingRules has the real vmalert compute the rules of the values at a real store.
func TestRecordingRules(t *testing.T) {
	rendered := render(t, options{chart: "kof-storage", values: `
form: standalone
rules:
  interval: 1s
  groups:
    kof-record-workloads: {enabled: false}
    own: {rules: {"cluster:up:sum": {expr: sum by (cluster) (up), labels: {team: platform}}}}
`})
	store := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	rules := mapAt(t, find(t, objects(t, rendered), "ConfigMap", "kof-storage-vmalert").Object, "data")["rules.yaml"].(string)
	require.NotContains(t, rules, "kof-record-workloads", "a group that is switched off")
	require.NotContains(t, rules, "alert:", "alerts are the management cluster's")
	address := loopback(freePorts(t, 1)[0])
	run(t, "http://"+address+"/health", "vmalert", nil, append(argsOf(t, rendered, "Deployment", "kof-storage-vmalert",
		"http://kof-storage-victoria-metrics.kof.svc:8428", store.URL, "/etc/vmalert/rules.yaml", writer(t, t.TempDir())("rules.yaml", rules), ":8880", address,
	), "-datasource.queryStep=1m")...)
	require.Eventually(t, func() bool {
		now := time.Now().UnixMilli()
		post(t, store.URL+"/api/v1/import/prometheus", fmt.Sprintf("up{cluster=\"c\",i=\"1\"} 1 %d\nup{cluster=\"c\",i=\"2\"} 1 %d\n", now, now))
		found, err := store.Query(t.Context(), "cluster:up:sum")
		return err == nil && len(found) == 1 && found[0].Value == 2 && found[0].Labels["cluster"] == "c" && found[0].Labels["team"] == "platform"
	}, 90*time.Second, 500*time.Millisecond)
	// The chart's own group is one that vmalert takes.
	require.Contains(t, get(t, "http://"+address+"/api/v1/rules"), "kof-record-nodes")
}

func post(t *testing.T, address, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	require.NoError(t, err)
	code, text := exchange(t, req)
	require.Equal(t, 2, code/100, text)
}

func get(t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	code, text := exchange(t, req)
	require.Equal(t, 2, code/100, text)
	return text
}
