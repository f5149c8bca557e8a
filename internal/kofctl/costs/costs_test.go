// SPDX-License-Identifier: Apache-2.0

package costs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/internal/finops"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	root := &cobra.Command{Use: "kofctl", SilenceErrors: true, SilenceUsage: true}
	root.SetOut(&o)
	root.SetErr(&e)
	env := command.NewEnv(&o, &e, root.PersistentFlags())
	root.AddCommand(New(env), NewRightsizing(env), NewTelemetry(env))
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return o.String(), err
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args, want string
	}{
		{"costs", "--metrics-url: not set; set it to Promxy, or to VictoriaMetrics of each region"},
		{"costs --metrics-url http://h -o yaml", `--output: found "yaml"; allowed: table, csv, json, focus`},
		{"costs --metrics-url http://h --by node", `--by: found "node"; allowed: cluster,`},
		{"costs --metrics-url http://h --window 5m", `--window: found "5m"; allowed: a duration from 1h to 366d`},
		{"costs --metrics-url http://h --end yesterday", `--end: found "yesterday"; allowed: as 2026-11-01T00:00:00Z or 2026-11-01`},
		{"costs --metrics-url http://h --match shop", `--match: found "shop"; allowed: LABEL=VALUE`},
		{"costs --metrics-url http://h --share-idle even", `--share-idle: found "even"; allowed: none, proportional`},
		{"costs --metrics-url http://h --top -1", "--top: found -1"},
		{"costs --metrics-url http://h --provider=", "--provider, --billing-account: found an empty name"},
		{"costs --metrics-url http://h shop", `kofctl costs: found the arguments ["shop"]; allowed: flags only`},
		{"costs --metrics-url http://h -n shop", `--namespace: found "shop", but it is that of the management cluster; set --match namespace=shop`},
		{"rightsizing", "--metrics-url: not set"},
		{"rightsizing --metrics-url http://h -o csv", `--output: found "csv"; allowed: table, json`},
		{"rightsizing --metrics-url http://h --cpu-percentile 0 --memory-percentile 101 --headroom -1", "--cpu-percentile: found 0; allowed: more than 0, up to 100\n--memory-percentile: found 101"},
		{"telemetry --metrics-url http://h --egress-price -1 --top -1", "--egress-price: found -1; allowed: 0 and more\n--top: found -1"},
	} {
		out, err := run(t, strings.Fields(c.args)...)
		require.ErrorContains(t, err, c.want, c.args)
		require.Equal(t, command.BadUsage, command.Code(err, &bytes.Buffer{}), c.args)
		require.Empty(t, out)
	}
}

// A cluster with two namespaces, of which one costs 2 and one 1 dollar an hour, for a day.
func TestCommands(t *testing.T) {
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	end := time.Now().UTC().Truncate(time.Minute)
	var text strings.Builder
	for at := end.Add(-24 * time.Hour); !at.After(end); at = at.Add(5 * time.Minute) {
		hours := 24 - end.Sub(at).Hours()
		for namespace, rate := range map[string]float64{"shop": 2, "tools": 1} {
			labels := fmt.Sprintf(`cluster="prod",node="n1",namespace=%q,pod="%s-1",container="app"`, namespace, namespace)
			fmt.Fprintf(&text, "kof_container_cost_total{%s,workload_kind=\"deployment\",workload=%q,resource=\"cpu\",currency=\"USD\"} %v %d\n", labels, namespace, rate*hours, at.UnixMilli())
			fmt.Fprintf(&text, "kof_container_requested{%s,resource=\"cpu\"} 2 %d\nkof_container_used{%s,resource=\"cpu\"} 0.5 %d\n", labels, at.UnixMilli(), labels, at.UnixMilli())
		}
		for metric, rate := range map[string]float64{"namespace_items": 100, "namespace_bytes": 1 << 30, "wire_bytes": 1 << 28} {
			fmt.Fprintf(&text, "otelcol_kof_region_%s_total{cluster=\"prod\",region=\"eu\",signal=\"logs\",namespace=\"shop\"} %v %d\n", metric, rate*hours, at.UnixMilli())
		}
		fmt.Fprintf(&text, "node_cpu_hourly_cost{cluster=\"prod\",node=\"n1\"} 1 %d\nkof_node_price_info{cluster=\"prod\",node=\"n1\",currency=\"USD\"} 1 %d\n", at.UnixMilli(), at.UnixMilli())
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(vm.URL+"/api/v1/import/prometheus", "text/plain", strings.NewReader(text.String()))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, vm.Flush(t.Context()))
	ask := func(args ...string) string {
		t.Helper()
		out, err := run(t, append(args, "--metrics-url", vm.URL, "--end", end.Format(time.RFC3339))...)
		require.NoError(t, err)
		return out
	}

	table := ask("costs", "--window", "10h")
	title := end.Add(-10*time.Hour).Format(time.DateTime) + " to " + end.Format(time.DateTime) + " (UTC)\n"
	require.Equal(t, title+`CLUSTER  NAMESPACE  CURRENCY  CPU    TOTAL  EFFICIENCY
prod     shop       USD       20.00  20.00  25 %
prod     tools      USD       10.00  10.00  25 %
TOTAL    -          USD       30.00  30.00  -
`, table)
	require.Equal(t, title+`CLUSTER   NAMESPACE  CURRENCY  CPU    TOTAL
prod      shop       USD       20.00  20.00
1 others  -          USD       10.00  10.00
TOTAL     -          USD       30.00  30.00
`, ask("costs", "--window", "10h", "--top", "1", "--efficiency=false"))
	require.Equal(t, `cluster,currency,cpu,ram,gpu,other,volume,load_balancer,management,idle,shared,total,efficiency,month_to_date,month_end
prod,USD,30,0,0,0,0,0,0,0,0,30,0.25,,
`, ask("costs", "--window", "10h", "--by", "cluster", "-o", "csv"))
	var asJSON struct {
		Start, End time.Time
		Rows       []struct {
			Keys      map[string]string
			Currency  string
			CPU       float64
			Total     float64
			Month_end *float64 //nolint:revive // the key in JSON
		}
	}
	require.NoError(t, json.Unmarshal([]byte(ask("costs", "--window", "10h", "-o", "json", "--forecast")), &asJSON))
	require.Equal(t, map[string]string{"cluster": "prod", "namespace": "shop"}, asJSON.Rows[0].Keys)
	require.InDelta(t, 20, asJSON.Rows[0].Total, 1e-9)
	require.Greater(t, *asJSON.Rows[0].Month_end, 0.0)
	require.Equal(t, end, asJSON.End)

	focus := ask("costs", "--window", "24h", "-o", "focus", "--provider", "Example Inc")
	require.True(t, strings.HasPrefix(focus, strings.Join(finops.FocusColumns, ",")+"\n"), focus)
	require.Contains(t, focus, ",Example Inc,")

	require.Contains(t, ask("rightsizing", "--window", "10h", "--top", "1"), `
CLUSTER  NAMESPACE  KIND        WORKLOAD  CONTAINER  RESOURCE  PODS  REQUESTED  USED  ADVISED  SAVING PER MONTH  CURRENCY
prod     shop       deployment  shop      app        cpu       1     2000m      500m  575m     1040.25           USD
All 2 pieces of advice together save 2080.50 USD a month; negative is more than is requested now.
`)
	var advice struct{ Advice []finops.Advice }
	require.NoError(t, json.Unmarshal([]byte(ask("rightsizing", "--window", "10h", "-o", "json")), &advice))
	require.Len(t, advice.Advice, 2)
	require.InDelta(t, 1040.25, advice.Advice[0].Saving, 1e-6)

	require.Equal(t, title+`CLUSTER  NAMESPACE  SIGNAL  ITEMS  BYTES   ON THE WIRE  EGRESS COST
prod     shop       logs    1000   10 GiB  2.5 GiB      0.22
TOTAL    -          -       -      10 GiB  2.5 GiB      0.22
`, ask("telemetry", "--window", "10h", "--egress-price", "0.09"))

	_, err = run(t, "costs", "--metrics-url", vm.URL, "--match", "cluster=none")
	require.ErrorIs(t, err, finops.ErrNone)
	require.Equal(t, command.Failed, command.Code(err, &bytes.Buffer{}))
}
