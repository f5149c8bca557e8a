// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		runChild()
		return
	}
	goleak.VerifyTestMain(m)
}

// patience bounds waits; machines that run tests are busy.
const patience = 10 * time.Second

var storageID = component.MustNewID("file_storage")

type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// record is what a test looks at of a log record.
type record struct {
	container, stream, body string
	restart                 int64
	time                    time.Time
	severity                plog.SeverityNumber
	attributes              map[string]any
}

// sink is the end of a pipeline. It refuses as long as err is set.
type sink struct {
	mu       sync.Mutex
	records  []record
	batches  int
	err      error
	calls    int
	resource map[string]any // of the last batch's first resource
}

func (s *sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err != nil {
		return s.err
	}
	s.batches++
	for i := range logs.ResourceLogs().Len() {
		rl := logs.ResourceLogs().At(i)
		attrs := rl.Resource().Attributes().AsRaw()
		if i == 0 {
			s.resource = attrs
		}
		for _, r := range rl.ScopeLogs().At(0).LogRecords().All() {
			s.records = append(s.records, record{
				container: attrs[attrContainer].(string), stream: attrs[attrStream].(string), restart: attrs[attrRestart].(int64),
				body: r.Body().Str(), time: r.Timestamp().AsTime(), severity: r.SeverityNumber(), attributes: r.Attributes().AsRaw(),
			})
		}
	}
	return nil
}

func (s *sink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *sink) all() []record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]record(nil), s.records...)
}

func (s *sink) bodies() []string {
	var bodies []string
	for _, r := range s.all() {
		bodies = append(bodies, r.body)
	}
	return bodies
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records)
}

// awaitBodies waits until exactly these bodies came, in any order across streams.
func (s *sink) awaitBodies(t *testing.T, want ...string) {
	t.Helper()
	assert.Eventually(t, func() bool { return s.count() >= len(want) }, patience, 5*time.Millisecond)
	have := map[string]int{}
	for _, b := range s.bodies() {
		have[b]++
	}
	for _, b := range want {
		have[b]--
	}
	var problems []string
	for b, n := range have {
		if n != 0 {
			problems = append(problems, fmt.Sprintf("%+d %.60q", n, b))
		}
	}
	slices.Sort(problems)
	require.Empty(t, problems[:min(10, len(problems))], "%d bodies came too often or not at all", len(problems))
}

// node is a directory of pods' logs with a receiver that can be restarted.
type node struct {
	t        *testing.T
	root     string
	cfg      *Config
	sink     *sink
	tel      *componenttest.Telemetry
	receiver receiver.Logs
	storage  extension.Extension
	storeDir string
}

// newNode sets short times, so that tests are.
func newNode(t *testing.T) *node {
	n := &node{t: t, root: filepath.Join(t.TempDir(), "pods"), sink: &sink{}, storeDir: t.TempDir()}
	n.cfg = testConfig(n.root)
	t.Cleanup(n.stop)
	return n
}

func testConfig(root string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Directory, cfg.Storage = root, &storageID
	cfg.PollInterval = 10 * time.Millisecond
	cfg.RescanInterval = time.Second
	cfg.Batch.MaxDelay = 20 * time.Millisecond
	cfg.Retry = RetryConfig{InitialInterval: 10 * time.Millisecond, MaxInterval: 20 * time.Millisecond}
	cfg.IncompleteTimeout = 300 * time.Millisecond
	return cfg
}

func openStorage(ctx context.Context, dir string) (extension.Extension, error) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	set := extensiontest.NewNopSettings(factory.Type())
	set.ID = storageID
	e, err := factory.Create(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	return e, e.Start(ctx, componenttest.NewNopHost())
}

func (n *node) start() {
	n.t.Helper()
	require.NoError(n.t, n.cfg.Validate())
	var err error
	n.storage, err = openStorage(n.t.Context(), n.storeDir)
	require.NoError(n.t, err)
	n.tel = componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = n.tel.NewTelemetrySettings()
	n.receiver, err = NewFactory().CreateLogs(n.t.Context(), set, n.cfg, n.sink)
	require.NoError(n.t, err)
	require.NoError(n.t, n.receiver.Start(n.t.Context(), host{map[component.ID]component.Component{storageID: n.storage}}))
}

func (n *node) stop() {
	if n.receiver == nil {
		return
	}
	err := errors.Join(n.receiver.Shutdown(context.Background()), n.storage.Shutdown(context.Background()), n.tel.Shutdown(context.Background()))
	n.receiver = nil
	require.NoError(n.t, err)
}

// sum returns the sum of a metric over the attributes, of the run that is going on.
func (n *node) sum(name string) int64 {
	m, err := n.tel.GetMetric("otelcol_kof_pod_logs_" + name)
	if err != nil {
		return 0
	}
	var sum int64
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			sum += p.Value
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			sum += p.Value
		}
	}
	return sum
}

// logDir makes a container's directory.
func (n *node) logDir(container string) string {
	dir := filepath.Join(n.root, "shop_cart-0_11111111-2222-3333-4444-555555555555", container)
	require.NoError(n.t, os.MkdirAll(dir, 0o755))
	return dir
}

// Times of lines are distinct, as they are on a node.
var (
	lineTimeMu sync.Mutex
	lineTime   = time.Date(2026, 11, 23, 18, 50, 26, 123456789, time.UTC)
)

func nextTime() string {
	lineTimeMu.Lock()
	defer lineTimeMu.Unlock()
	lineTime = lineTime.Add(time.Microsecond)
	return lineTime.Format(time.RFC3339Nano)
}

func cri(body string) string        { return criLine("stdout", "F", body) }
func criPartial(body string) string { return criLine("stdout", "P", body) }

func criLine(stream, tag, body string) string {
	return fmt.Sprintf("%s %s %s %s\n", nextTime(), stream, tag, body)
}

func appendTo(t testing.TB, path string, lines ...string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	for _, line := range lines {
		_, err = f.WriteString(line)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
}

func numbered(prefix string, from, to int) (bodies, lines []string) {
	for i := from; i < to; i++ {
		body := fmt.Sprintf("%s %d", prefix, i)
		bodies = append(bodies, body)
		lines = append(lines, cri(body))
	}
	return bodies, lines
}
