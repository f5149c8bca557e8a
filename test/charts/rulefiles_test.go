// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/operator/budget"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/rules"
	"github.com/k0rdent/kof/test/backends"
)

// configMapVolume writes a ConfigMap's keys as the kubelet does: into a folder of their own that "..data" leads to, so that all change at once.
func configMapVolume(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	version := fmt.Sprintf("..%d", time.Now().UnixNano())
	require.NoError(t, os.MkdirAll(filepath.Join(dir, version), 0o755))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, name), []byte(text), 0o644))
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			require.ErrorIs(t, err, os.ErrExist)
		}
	}
	next := filepath.Join(dir, "..data_tmp")
	require.NoError(t, os.Symlink(version, next))
	require.NoError(t, os.Rename(next, filepath.Join(dir, "..data")))
}

// TestOperatorRulesReachVMAlert: the real vmalert, with the chart's flags, evaluates the chart's rules from its start, those of kof-operator once
// there are some, and what changes in them, without a restart.
func TestOperatorRulesReachVMAlert(t *testing.T) {
	rendered := render(t, options{chart: "kof-mothership"})
	all := objects(t, rendered)
	pod := mapAt(t, find(t, all, "Deployment", "kof-mothership-vmalert").Object, "spec", "template", "spec")
	require.Contains(t, pod["volumes"], map[string]any{"name": "operator-rules", "configMap": map[string]any{"name": "kof-rules", "optional": true}})
	require.Contains(t, pod["containers"].([]any)[0].(map[string]any)["volumeMounts"],
		map[string]any{"name": "operator-rules", "mountPath": "/etc/kof-rules", "readOnly": true})
	withoutOperator := objects(t, render(t, options{chart: "kof-mothership", values: "operator: {enabled: false}\npromxy: {serverGroups: {here: {targets: {\"vmauth:8427\": true}}}}"}))
	require.NotContains(t, fmt.Sprint(find(t, withoutOperator, "Deployment", "kof-mothership-vmalert").Object), "kof-rules")

	dir := t.TempDir()
	chart, operator := filepath.Join(dir, "chart"), filepath.Join(dir, "operator")
	configMapVolume(t, filepath.Join(chart, "kof"), map[string]string{"rules.yaml": mapAt(t, find(t, all, "ConfigMap", "kof-mothership-vmalert").Object, "data")["rules.yaml"].(string)})
	configMapVolume(t, operator, nil) // optional, and not there

	store := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	address := loopback(freePorts(t, 1)[0])
	run(t, "http://"+address+"/health", "vmalert", nil, argsOf(t, rendered, "Deployment", "kof-mothership-vmalert",
		"/etc/vmalert/", chart+"/", "/etc/kof-rules/", operator+"/", "-configCheckInterval=30s", "-configCheckInterval=1s",
		"http://kof-mothership-promxy.kof.svc:8082", store.URL, "-notifier.url=http://kof-mothership-alertmanager.kof.svc:9093", "-notifier.blackhole",
		"-evaluationInterval=1m", "-evaluationInterval=1s", ":8880", address)...)
	found := func(text string) bool { return strings.Contains(get(t, "http://"+address+"/api/v1/rules"), text) }
	require.True(t, found("Watchdog"), "of the chart, without the operator")
	require.False(t, found("OfOperator"))
	alerts := find(t, all, "ConfigMap", "kof-mothership-alerts")
	require.Contains(t, alerts.GetLabels(), controller.LabelRules)
	files := map[string]string{}
	for name, text := range mapAt(t, alerts.Object, "data") {
		files[name] = text.(string)
	}

	// Without remote write, as here, one recording rule would stop vmalert.
	require.Contains(t, rendered, "--recording-rules=false")
	budgets, err := budget.Parse("shop: {amount: 5, scope: {cluster: shop}}")
	require.NoError(t, err)
	ofBudgets, err := budget.Rules(budgets, budget.MonthOf(time.Now()), budget.Options{})
	require.NoError(t, err)

	merged := func(threshold int) map[string]string {
		got := rules.Merge([]rules.Source{
			{Name: alerts.GetName(), Files: files},
			{Name: "budgets", Files: map[string]string{"b.budgets.yaml": ofBudgets}, AlertsOnly: true},
			{Name: "all", Files: map[string]string{"any-name": fmt.Sprintf("groups: [{name: own, interval: 1s, rules: [{alert: OfOperator, expr: 'queue_length > %d'}]}]", threshold)}},
			{Name: "shop", Cluster: "shop", Files: map[string]string{"rules.yaml": "groups: [{name: own, interval: 1s, rules: [{alert: OfOperator, expr: queue_length > 1}]}]"}},
		}, nil)
		require.Empty(t, got.Problems)
		return got.Files
	}
	configMapVolume(t, operator, merged(100))
	require.Eventually(t, func() bool {
		now := time.Now().UnixMilli()
		post(t, store.URL+"/api/v1/import/prometheus", fmt.Sprintf("queue_length{cluster=\"shop\"} 5 %d\nqueue_length{cluster=\"other\"} 50 %d\n", now, now))
		return firing(t, address, "shop") && !firing(t, address, "other")
	}, time.Minute, 200*time.Millisecond, "for one cluster")
	require.True(t, found("NodeNotReady"), "of the chart, by the operator")
	require.True(t, found(budget.AlertSpent), "of a budget")
	require.True(t, found("Watchdog"), "the chart's own stay")
	configMapVolume(t, operator, merged(10))
	require.Eventually(t, func() bool { return firing(t, address, "other") }, time.Minute, 200*time.Millisecond, "a change is read")
}

func firing(t *testing.T, address, cluster string) bool {
	t.Helper()
	text := get(t, "http://"+address+"/api/v1/alerts")
	return strings.Contains(text, `"alertname":"OfOperator"`) && strings.Contains(text, fmt.Sprintf(`"cluster":%q`, cluster))
}
