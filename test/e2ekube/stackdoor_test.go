// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/backends"
)

// Paths of VMAuth: the design's section on names that are contracts.
const (
	metricsIn, metricsOut = "/vm/insert/0/prometheus/api/v1/write", "/vm/select/0/prometheus"
	logsIn, logsOut       = "/vli/insert/opentelemetry/v1/logs", "/vls"
	tracesIn, tracesOut   = "/jaeger/insert/v1/traces", "/jaeger"
)

// stores are the Services of kof-storage, by the signal that each has.
var stores = map[string]string{"metrics": "kof-storage-victoria-metrics", "logs": "kof-storage-victoria-logs", "traces": "kof-storage-jaeger"}

// door is VMAuth as one of its users sees it.
type door struct {
	user, password string
	url            *url.URL
	transport      *http.Transport
}

// doorOf takes user and password from the Secret that the chart has made for the user.
func (w *world) doorOf(t *testing.T, user string) *door {
	t.Helper()
	secret, err := w.cluster.Client.CoreV1().Secrets(stackNamespace).Get(t.Context(), "kof-storage-"+user, metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, user, string(secret.Data["username"]))
	return &door{user, string(secret.Data["password"]), w.serviceURL(t, "kof-storage-vmauth"), &http.Transport{
		DialContext: w.cluster.Dial, DisableKeepAlives: true,
	}}
}

// serviceURL returns the address of a Service's first port.
func (w *world) serviceURL(t *testing.T, name string) *url.URL {
	t.Helper()
	service, err := w.cluster.Client.CoreV1().Services(stackNamespace).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return &url.URL{Scheme: "http", Host: fmt.Sprintf("%s:%d", service.Spec.ClusterIP, service.Spec.Ports[0].Port)}
}

// server is what is behind a path of the door, for the clients of package backends. Flushing, which the door lets nobody do, goes to the
// store itself.
func (d *door) server(t *testing.T, path string, store *url.URL) *backends.Server {
	t.Helper()
	target := *d.url
	target.Path = path
	proxy := httptest.NewServer(&httputil.ReverseProxy{Transport: d.transport, Rewrite: func(r *httputil.ProxyRequest) {
		if r.In.URL.Path == "/internal/force_flush" {
			r.SetURL(store)
			return
		}
		r.SetURL(&target)
		r.Out.SetBasicAuth(d.user, d.password)
	}})
	t.Cleanup(proxy.Close)
	return &backends.Server{Name: d.user + " at " + path, URL: proxy.URL}
}

// read is the whole region as the door's user may read it.
func (d *door) read(t *testing.T, w *world) *region {
	t.Helper()
	return &region{Region: &backends.Region{
		Name: stackRegion, Metrics: d.server(t, metricsOut, w.serviceURL(t, stores["metrics"])), Logs: d.server(t, logsOut, w.serviceURL(t, stores["logs"])),
		Traces: d.server(t, tracesOut, nil),
	}}
}

// ask makes a request, and returns the answer's status and body.
func (d *door) ask(t *testing.T, method, path string, body []byte, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.url.String()+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.SetBasicAuth(d.user, d.password)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Client{Transport: d.transport, Timeout: 30 * time.Second}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func (d *door) post(t *testing.T, path string, body []byte, headers ...string) {
	t.Helper()
	code, text := d.ask(t, http.MethodPost, path, body, headers...)
	require.Equal(t, 2, code/100, "%s: %s", path, text)
}

// writeSample writes a sample of a series by remote write.
func (d *door) writeSample(t *testing.T, at time.Time, name string, labels ...string) {
	t.Helper()
	series := prompb.TimeSeries{
		Labels: []prompb.Label{{Name: "__name__", Value: name}}, Samples: []prompb.Sample{{Value: 1, Timestamp: at.UnixMilli()}},
	}
	for i := 0; i < len(labels); i += 2 {
		series.Labels = append(series.Labels, prompb.Label{Name: labels[i], Value: labels[i+1]})
	}
	raw, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}).Marshal()
	require.NoError(t, err)
	d.post(t, metricsIn, snappy.Encode(nil, raw), "Content-Encoding", "snappy")
}

// writeLine writes a record by OTLP.
func (d *door) writeLine(t *testing.T, at time.Time, line string, attributes ...string) {
	t.Helper()
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("k8s.cluster.name", "c")
	for i := 0; i < len(attributes); i += 2 {
		resource.Resource().Attributes().PutStr(attributes[i], attributes[i+1])
	}
	record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Body().SetStr(line)
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	d.post(t, logsIn, body, "Content-Type", "application/x-protobuf", "VL-Stream-Fields", "k8s.cluster.name")
}

// writeTraces writes n traces of one span each by OTLP.
func (d *door) writeTraces(t *testing.T, service string, n int) {
	t.Helper()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	for i := range n {
		span := spans.AppendEmpty()
		span.SetName("s")
		span.SetTraceID([16]byte{1, byte(i >> 8), byte(i)})
		span.SetSpanID([8]byte{1})
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		span.SetEndTimestamp(span.StartTimestamp())
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	require.NoError(t, err)
	d.post(t, tracesIn, body, "Content-Type", "application/x-protobuf")
}
