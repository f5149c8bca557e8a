// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/test/backends"
)

const (
	metricsIn  = "/vm/insert/0/prometheus/api/v1/write"
	metricsOut = "/vm/select/0/prometheus/api/v1"
	logsIn     = "/vli/insert/opentelemetry/v1/logs"
	logsOut    = "/vls/select/logsql"
	tracesIn   = "/jaeger/insert/v1/traces"
	tracesOut  = "/jaeger/api/services"
)

const doorValues = `
users:
  writer: {access: write, secret: w}
  reader: {access: read, secret: r}
tenants:
  acme: {users: {acme-writer: {access: write, secret: aw}, acme-reader: {access: read, secret: ar}}}
  umbrella: {users: {umbrella: {access: all, secret: u}}}
`

// door is a real vmauth with a rendered configuration before real stores.
type door struct {
	url           string
	metrics, logs *backends.Server
}

// TestDoor has users at real stores behind the real vmauth, with the chart's own configuration and with the one that the VMUsers say.
func TestDoor(t *testing.T) {
	for form, config := range map[string]func(*testing.T, []*unstructured.Unstructured) (string, []string){
		"standalone": standaloneConfig, "single": operatorConfig,
	} {
		t.Run(form, func(t *testing.T) {
			text, env := config(t, objects(t, render(t, options{chart: "kof-storage", values: "form: " + form + doorValues})))
			d := openDoor(t, text, env)
			t.Run("anonymous", d.testAnonymous)
			t.Run("own", d.testOwn)
			t.Run("tenants write as themselves", d.testTenantsWrite)
			t.Run("tenants read their own", d.testTenantsRead)
			t.Run("nothing else", d.testNothingElse)
		})
	}
}

// standaloneConfig returns the configuration and environment of the chart's own vmauth.
func standaloneConfig(t *testing.T, all []*unstructured.Unstructured) (string, []string) {
	text := mapAt(t, find(t, all, "ConfigMap", "kof-storage-vmauth").Object, "data")["auth.yaml"].(string)
	pod := mapAt(t, find(t, all, "Deployment", "kof-storage-vmauth").Object, "spec", "template", "spec")
	var env []string
	for _, e := range pod["containers"].([]any)[0].(map[string]any)["env"].([]any) {
		v := e.(map[string]any)
		env = append(env, v["name"].(string)+"=secret-"+mapAt(t, v, "valueFrom", "secretKeyRef")["name"].(string))
	}
	return text, env
}

// operatorConfig returns what the VMUsers say in vmauth's own format: the operator's fields have the names of vmauth's.
func operatorConfig(t *testing.T, all []*unstructured.Unstructured) (string, []string) {
	var users []any
	for _, o := range all {
		if o.GetKind() != "VMUser" {
			continue
		}
		spec := mapAt(t, o.Object, "spec")
		var urls []any
		for _, r := range spec["targetRefs"].([]any) {
			ref := r.(map[string]any)
			args := url.Values{}
			refArgs, _ := ref["query_args"].([]any)
			for _, a := range refArgs {
				args[a.(map[string]any)["name"].(string)] = []string{a.(map[string]any)["values"].([]any)[0].(string)}
			}
			urls = append(urls, map[string]any{
				"src_paths": ref["paths"], "url_prefix": mapAt(t, ref, "static")["url"].(string) + "?" + args.Encode(),
				"drop_src_path_prefix_parts": ref["drop_src_path_prefix_parts"], "headers": ref["headers"],
			})
		}
		users = append(users, map[string]any{
			"username": spec["username"], "password": "secret-" + mapAt(t, spec, "passwordRef")["name"].(string), "url_map": urls,
		})
	}
	text, err := json.Marshal(map[string]any{"users": users})
	require.NoError(t, err)
	return string(text), nil
}

func openDoor(t *testing.T, config string, env []string) *door {
	t.Helper()
	d := &door{
		metrics: backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{}), logs: backends.StartT(t, backends.StartVictoriaLogs, backends.Options{}),
	}
	traces := startTraceStore(t, "", t.TempDir())
	config = strings.NewReplacer(
		"http://kof-storage-victoria-metrics.kof.svc:8428", d.metrics.URL, "http://vmsingle-kof-storage.kof.svc:8428", d.metrics.URL,
		"http://kof-storage-victoria-logs.kof.svc:9428", d.logs.URL, "http://vlsingle-kof-storage.kof.svc:9428", d.logs.URL,
		"http://kof-storage-jaeger.kof.svc:4318", traces.otlp, "http://kof-storage-jaeger.kof.svc:16686", traces.query,
	).Replace(config)
	require.NotContains(t, config, ".svc")
	ports := freePorts(t, 2)
	d.url = "http://" + loopback(ports[0])
	run(t, "http://"+loopback(ports[1])+"/health", "vmauth", env, "-auth.config="+writer(t, t.TempDir())("auth.yaml", config),
		"-httpListenAddr="+loopback(ports[0]), "-httpInternalListenAddr="+loopback(ports[1]))
	return d
}

// ask makes a request as a user; "" is nobody.
func (d *door) ask(t *testing.T, user, method, path string, body []byte, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.url+path, strings.NewReader(string(body)))
	require.NoError(t, err)
	if user != "" {
		req.SetBasicAuth(user, "secret-"+map[string]string{
			"writer": "w", "reader": "r", "acme-writer": "aw", "acme-reader": "ar", "umbrella": "u",
		}[user])
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return exchange(t, req)
}

func (d *door) flush(t *testing.T) {
	t.Helper()
	require.NoError(t, d.metrics.Flush(t.Context()))
	require.NoError(t, d.logs.Flush(t.Context()))
}

func series(t *testing.T, name string, labels ...string) []byte {
	t.Helper()
	s := prompb.TimeSeries{
		Labels:  []prompb.Label{{Name: "__name__", Value: name}},
		Samples: []prompb.Sample{{Value: 1, Timestamp: time.Now().UnixMilli()}},
	}
	for i := 0; i < len(labels); i += 2 {
		s.Labels = append(s.Labels, prompb.Label{Name: labels[i], Value: labels[i+1]})
	}
	w := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{s}}
	raw, err := w.Marshal()
	require.NoError(t, err)
	return snappy.Encode(nil, raw)
}

func record(t *testing.T, body, tenant string) []byte {
	t.Helper()
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("k8s.cluster.name", "c")
	if tenant != "" {
		resource.Resource().Attributes().PutStr("kof.tenant", tenant)
	}
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.Body().SetStr(body)
	r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	out, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	return out
}

func span(t *testing.T) []byte {
	t.Helper()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	s := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("s")
	s.SetTraceID([16]byte{1})
	s.SetSpanID([8]byte{1})
	out, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	require.NoError(t, err)
	return out
}

var protobuf = []string{"Content-Type", "application/x-protobuf", "VL-Stream-Fields", "k8s.cluster.name"}

func (d *door) testAnonymous(t *testing.T) {
	for _, path := range []string{metricsIn, metricsOut + "/query?query=1", logsIn, logsOut + "/query?query=*", tracesIn, tracesOut, "/", "/metrics"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			code, body := d.ask(t, "", method, path, nil)
			require.Equal(t, http.StatusUnauthorized, code, "%s %s: %s", method, path, body)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+metricsOut+"/query?query=1", nil)
	require.NoError(t, err)
	req.SetBasicAuth("reader", "secret-w")
	code, _ := exchange(t, req)
	require.Equal(t, http.StatusUnauthorized, code, "another user's password")
}

func (d *door) write(t *testing.T, user, name string, labels ...string) {
	t.Helper()
	code, body := d.ask(t, user, http.MethodPost, metricsIn, series(t, name, labels...), "Content-Encoding", "snappy")
	require.Equal(t, http.StatusNoContent, code, body)
}

// testOwn: who writes can't read, who reads can't write, and what is written can be read.
func (d *door) testOwn(t *testing.T) {
	d.write(t, "writer", "own")
	code, body := d.ask(t, "writer", http.MethodPost, logsIn, record(t, "own line", ""), protobuf...)
	require.Equal(t, http.StatusOK, code, body)
	code, body = d.ask(t, "writer", http.MethodPost, tracesIn, span(t), protobuf[:2]...)
	require.Equal(t, http.StatusOK, code, body)
	d.flush(t)
	require.Eventually(t, func() bool {
		_, body := d.ask(t, "reader", http.MethodGet, metricsOut+"/query?query=own", nil)
		return strings.Contains(body, `"__name__":"own"`)
	}, 30*time.Second, 200*time.Millisecond)
	_, body = d.ask(t, "reader", http.MethodGet, logsOut+"/query?query=*", nil)
	require.Contains(t, body, "own line")
	require.Eventually(t, func() bool {
		_, body := d.ask(t, "reader", http.MethodGet, tracesOut, nil)
		return strings.Contains(body, "shop")
	}, 30*time.Second, 200*time.Millisecond)

	for _, path := range []string{metricsOut + "/query?query=own", logsOut + "/query?query=*", tracesOut} {
		code, _ := d.ask(t, "writer", http.MethodGet, path, nil)
		require.Equal(t, http.StatusBadRequest, code, "a writer reads %s", path)
	}
	for _, path := range []string{metricsIn, logsIn, tracesIn} {
		code, _ := d.ask(t, "reader", http.MethodPost, path, nil)
		require.Equal(t, http.StatusBadRequest, code, "a reader writes %s", path)
	}
}
