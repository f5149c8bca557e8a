// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testTenantsWrite: what a tenant's user writes is the tenant's, whatever it says.
func (d *door) testTenantsWrite(t *testing.T) {
	for _, args := range []string{"", "?extra_label=tenant=umbrella", "?extra_label=tenant%3Dumbrella&extra_label=x%3Dy"} {
		code, body := d.ask(t, "acme-writer", http.MethodPost, metricsIn+args, series(t, "lie", "tenant", "umbrella"), "Content-Encoding", "snappy")
		require.Equal(t, http.StatusNoContent, code, body)
	}
	for _, args := range []string{"", "?extra_fields=kof.tenant=umbrella"} {
		code, body := d.ask(t, "acme-writer", http.MethodPost, logsIn+args, record(t, "line of acme", "umbrella"),
			append(slices.Clone(protobuf), "VL-Extra-Fields", "kof.tenant=umbrella", "AccountID", "7")...)
		require.Equal(t, http.StatusOK, code, body)
	}
	d.write(t, "umbrella", "truth")
	code, body := d.ask(t, "umbrella", http.MethodPost, logsIn, record(t, "line of umbrella", ""), protobuf...)
	require.Equal(t, http.StatusOK, code, body)
	d.flush(t)

	require.Eventually(t, func() bool {
		found, err := d.metrics.Export(t.Context(), `{__name__=~"lie|truth"}`)
		require.NoError(t, err)
		tenants := map[string]bool{}
		for _, s := range found {
			tenants[s.Labels["__name__"]+" "+s.Labels["tenant"]] = true
		}
		require.NotContains(t, tenants, "lie umbrella")
		return tenants["lie acme"] && tenants["truth umbrella"]
	}, 30*time.Second, 200*time.Millisecond)
	records, err := d.logs.LogsQuery(t.Context(), `"line of"`, 0)
	require.NoError(t, err)
	require.Len(t, records, 3)
	for _, r := range records {
		require.Equal(t, strings.TrimPrefix(r["_msg"], "line of "), r["kof.tenant"])
	}
}

// testTenantsRead: a tenant sees its own alone, whatever it asks.
func (d *door) testTenantsRead(t *testing.T) {
	// A sample can be seen some time after it was written; before, nothing of what follows would mean anything.
	for user, want := range map[string]string{"umbrella": `"__name__":"truth","tenant":"umbrella"`, "acme-reader": `"__name__":"lie","tenant":"acme"`} {
		require.Eventually(t, func() bool {
			_, body := d.ask(t, user, http.MethodGet, metricsOut+"/query?query="+url.QueryEscape(`{__name__=~"lie|truth"}`), nil)
			return strings.Contains(body, want)
		}, 30*time.Second, 200*time.Millisecond)
	}
	metrics := []string{
		"/query?query=" + url.QueryEscape(`{__name__=~"lie|own|truth"}`), "/query?query=" + url.QueryEscape(`{tenant="acme" or tenant="umbrella"}`),
		"/query?query=lie&extra_label=tenant=acme", "/query?query=lie&extra_label=", "/query?query=lie&extra_filters[]=" + url.QueryEscape(`{tenant="acme"}`),
		"/query?query=lie&extra_filters=" + url.QueryEscape(`{tenant="acme" or tenant="umbrella"}`),
		"/query_range?step=60&query=lie&start=-1h", "/series?match[]=lie", "/labels?match[]=lie", "/label/tenant/values", "/label/__name__/values",
		"/export?match[]=lie",
	}
	for _, q := range metrics {
		_, body := d.ask(t, "umbrella", http.MethodGet, metricsOut+q, nil)
		require.NotContains(t, body, `"lie"`, q)
		require.NotContains(t, body, "acme", q)
		form := strings.SplitN(q, "?", 2)
		if len(form) == 2 {
			_, body = d.ask(t, "umbrella", http.MethodPost, metricsOut+form[0], []byte(form[1]), "Content-Type", "application/x-www-form-urlencoded")
			require.NotContains(t, body, `"lie"`, q)
			require.NotContains(t, body, "acme", q)
		}
	}
	for _, q := range []string{
		"*", `"kof.tenant":=acme`, `* | union (*)`, `* | union ("kof.tenant":=acme)`, `_stream_id:in(* | fields _stream_id)`, `* or "kof.tenant":=acme`,
		`* | join by (_stream) (*)`, `options(ignore_global_time_filter=true) *`, `* | delete "kof.tenant"`,
	} {
		for _, more := range []string{"", `&extra_filters="kof.tenant":=acme`, `&extra_stream_filters={k8s.cluster.name="c"}`, "&tenant=acme"} {
			args := "query=" + url.QueryEscape(q) + strings.ReplaceAll(more, `"`, "%22")
			for _, path := range []string{"/query", "/facets", "/hits"} {
				_, body := d.ask(t, "umbrella", http.MethodGet, logsOut+path+"?"+args, nil, "AccountID", "7")
				require.NotContains(t, body, "acme", "%s %s", q, more)
				_, body = d.ask(t, "umbrella", http.MethodPost, logsOut+path, []byte(args), "Content-Type", "application/x-www-form-urlencoded")
				require.NotContains(t, body, "acme", "%s %s", q, more)
				require.NotContains(t, body, "own line", "%s %s", q, more)
			}
		}
	}
	_, body := d.ask(t, "umbrella", http.MethodGet, logsOut+"/query?query=*", nil)
	require.Contains(t, body, "line of umbrella")
	_, body = d.ask(t, "acme-reader", http.MethodGet, logsOut+"/query?query=*", nil)
	require.Contains(t, body, "line of acme")
}

// testNothingElse: no path of the stores but those of the routes.
func (d *door) testNothingElse(t *testing.T) {
	for _, path := range []string{
		"/vm/select/0/prometheus/api/v1/admin/tsdb/delete_series?match[]=own", "/vm/insert/0/prometheus/api/v1/import", "/internal/force_flush",
		"/vm/select/0/prometheus/internal/force_flush", "/vm/select/0/prometheus/api/v1/query/../../../../../../internal/force_flush",
		"/vm/select/0/prometheus/api/v1/query/../write", "/vls/select/tenant_ids", "/vls/delete/run_task?filter=*", "/vli/insert/jsonline", "/vm/select/1/prometheus/api/v1/query?query=own",
		"/jaeger/insert/v1/metrics", "/",
	} {
		for _, user := range []string{"writer", "reader", "acme-writer", "acme-reader", "umbrella"} {
			code, body := d.ask(t, user, http.MethodPost, path, nil)
			require.Equal(t, http.StatusBadRequest, code, "%s %s: %s", user, path, body)
			require.Contains(t, body, "missing route", "%s %s", user, path)
		}
	}
	for _, path := range []string{tracesIn, tracesOut, metricsOut + "/status/tsdb", metricsOut + "/metadata", "/vls/select/vmui/"} {
		code, _ := d.ask(t, "umbrella", http.MethodGet, path, nil)
		require.Equal(t, http.StatusBadRequest, code, fmt.Sprintf("a tenant at %s", path))
	}
}
