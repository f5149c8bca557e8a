// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// traceStore is a real Jaeger with a rendered configuration.
type traceStore struct{ otlp, query string }

// startTraceStore runs Jaeger with the configuration of values; only its addresses and folder are other ones.
func startTraceStore(t *testing.T, values, dir string) traceStore {
	t.Helper()
	ports := freePorts(t, 5)
	store := traceStore{otlp: "http://" + loopback(ports[1]), query: "http://" + loopback(ports[3])}
	run(t, "http://"+loopback(ports[4])+"/status", "jaeger", jaegerEnv, "--config="+writer(t, t.TempDir())("config.yaml", traceConfig(t, values, dir, ports)))
	return store
}

var jaegerEnv = []string{"KOF_POD_IP=127.0.0.1", "OTEL_TRACES_SAMPLER=always_off"}

func traceConfig(t *testing.T, values, dir string, ports []int) string {
	t.Helper()
	all := objects(t, render(t, options{chart: "kof-storage", values: values}))
	text := mapAt(t, find(t, all, "ConfigMap", "kof-storage-jaeger").Object, "data")["config.yaml"].(string)
	for i, port := range []int{4317, 4318, 16685, 16686, 13133} {
		own := fmt.Sprintf("${env:KOF_POD_IP}:%d", port)
		require.Contains(t, text, own)
		text = strings.ReplaceAll(text, own, fmt.Sprintf("${env:KOF_POD_IP}:%d", ports[i]))
	}
	return strings.ReplaceAll(text, "/data/", dir+"/")
}

// export sends a trace of one span of a service.
func (s traceStore) export(t *testing.T, service string, id byte) {
	t.Helper()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	sp := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	sp.SetName("s")
	sp.SetTraceID([16]byte{id})
	sp.SetSpanID([8]byte{id})
	body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.otlp+"/v1/traces", strings.NewReader(string(body)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-protobuf")
	code, text := exchange(t, req)
	require.Equal(t, http.StatusOK, code, text)
}

// has says whether a trace is there.
func (s traceStore) has(t *testing.T, id byte) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/jaeger/api/traces/%02x%030d", s.query, id, 0), nil)
	require.NoError(t, err)
	code, _ := exchange(t, req)
	return code == http.StatusOK
}

// TestMaxTraces: the value has its effect in the real Jaeger.
func TestMaxTraces(t *testing.T) {
	store := startTraceStore(t, "jaeger: {storage: {type: memory, options: {memory: {max-traces: 2}}}}", t.TempDir())
	for id := byte(1); id <= 3; id++ {
		store.export(t, "shop", id)
		require.Eventually(t, func() bool { return store.has(t, id) }, 30*time.Second, 100*time.Millisecond)
	}
	require.False(t, store.has(t, 1), "the oldest is dropped")
	require.True(t, store.has(t, 2))
}

// TestBadgerKeeps: what is on the volume is there after the pod has been replaced.
func TestBadgerKeeps(t *testing.T) {
	dir := t.TempDir()
	const values = "jaeger: {storage: {type: badger}}"
	t.Run("before", func(t *testing.T) {
		store := startTraceStore(t, values, dir)
		store.export(t, "shop", 1)
		require.Eventually(t, func() bool { return store.has(t, 1) }, 30*time.Second, 100*time.Millisecond)
	})
	t.Run("after", func(t *testing.T) {
		store := startTraceStore(t, values, dir)
		require.Eventually(t, func() bool { return store.has(t, 1) }, 30*time.Second, 100*time.Millisecond)
	})
}

// TestOpenSearchConfig: the keys are those that Jaeger 2.0.0 documents for OpenSearch. The Jaeger that can be built here is of before that
// and has other ones for this storage.
func TestOpenSearchConfig(t *testing.T) {
	const values = `jaeger: {storage: {type: opensearch, options: {opensearch: {server-urls: ["https://os.example:9200"], secret: s, index-prefix: p}}}}`
	all := objects(t, render(t, options{chart: "kof-storage", values: values}))
	config := parse(t, []byte(mapAt(t, find(t, all, "ConfigMap", "kof-storage-jaeger").Object, "data")["config.yaml"].(string)))
	text, err := json.Marshal(mapAt(t, config, "extensions", "jaeger_storage", "backends", "traces", "opensearch"))
	require.NoError(t, err)
	var got struct {
		Servers []string `json:"server_urls"`
		Auth    struct {
			Basic struct{ Username, Password string } `json:"basic"`
		} `json:"auth"`
		Indices struct {
			Prefix string `json:"index_prefix"`
		} `json:"indices"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&got))
	require.Equal(t, []string{"https://os.example:9200"}, got.Servers)
	require.Equal(t, "${env:KOF_OPENSEARCH_PASSWORD}", got.Auth.Basic.Password)
	require.Equal(t, "p", got.Indices.Prefix)
}
