// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/metadata"
)

// residencyRecordsEnv is how many records TestResidency drives through the exporter; by default enough for a quick look.
const residencyRecordsEnv = "KOF_RESIDENCY_RECORDS"

// wantZone is the attribute by which each record says which zone it may be stored in, as an oracle of the test decided.
const wantZone = "want_zone"

// TestResidency drives random resources through the real exporter while directories change at random, endpoints fail at random and
// regions stand in for each other, and asserts at each endpoint that every record that arrives was decided for its zone. In the end all
// faults are mended, and everything that was accepted has to arrive.
func TestResidency(t *testing.T) {
	records := 100_000
	if v := os.Getenv(residencyRecordsEnv); v != "" {
		n, err := strconv.ParseFloat(v, 64)
		require.NoError(t, err)
		records = int(n)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d records, seed %d", records, seed)
	w := newResidencyWorld(t, rand.New(rand.NewPCG(seed, 1)))
	const perBatch = 1000
	// Chance alone may bring no outage that lasts for long enough.
	w.endpoints["eu-0"].status.Store(http.StatusServiceUnavailable)
	for began := time.Now(); w.failovers() == 0; w.consume(perBatch) {
		require.Less(t, time.Since(began), 10*time.Second, "nothing fails over")
	}
	for sent := 0; sent < records; sent += perBatch {
		if w.reloads == 0 || w.rng.IntN(20) == 0 {
			w.reload()
		}
		if w.rng.IntN(10) == 0 {
			w.breakOrMend()
		}
		w.consume(perBatch)
		w.failovers()
		if sent%(100*perBatch) == 0 {
			require.Zero(t, w.astray.Load(), "records in the wrong zone")
			t.Logf("%d sent; arrived %d, reloads %d, refused %d, failovers %d, rejected attempts %d", sent, w.arrived.Load(), w.reloads, w.refusedReloads, w.failovers(), w.faults.Load())
		}
	}
	w.finish()
	require.Zero(t, w.astray.Load(), "records in the wrong zone")
	require.Positive(t, w.reloads)
	require.Positive(t, w.refusedReloads, "no forbidden directory was tried")
	require.Positive(t, w.failovers(), "nothing failed over")
	require.Positive(t, w.faults.Load(), "no endpoint failed")
}

// regionsPerZone and the zones are fixed: a name belongs to one zone for ever, which is what the oracle knows.
var residencyZones = []string{"eu", "us", "ap"}

const regionsPerZone = 4

func zoneOf(regionName string) string { zone, _, _ := strings.Cut(regionName, "-"); return zone }

type residencyWorld struct {
	t         *testing.T
	rng       *rand.Rand
	exporter  *regionExporter
	file      string
	endpoints map[string]*zoneEndpoint // by region

	inForce        map[string]bool // the regions of the directory in force
	tenants        map[string]string
	reloads        int
	refusedReloads int

	accepted, arrived, astray, faults, seenFailovers atomic.Int64
}

// zoneEndpoint takes what is sent to one region.
type zoneEndpoint struct {
	zone   string
	server *httptest.Server
	status atomic.Int64 // 0: takes everything
}

func newResidencyWorld(t *testing.T, rng *rand.Rand) *residencyWorld {
	w := &residencyWorld{t: t, rng: rng, endpoints: map[string]*zoneEndpoint{}, file: filepath.Join(t.TempDir(), "regions.yaml")}
	for _, zone := range residencyZones {
		for i := range regionsPerZone {
			e := &zoneEndpoint{zone: zone}
			e.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.serve(e, rw, r) }))
			t.Cleanup(e.server.Close)
			w.endpoints[fmt.Sprintf("%s-%d", zone, i)] = e
		}
	}
	w.choose(slices.Sorted(maps.Keys(w.endpoints)))
	require.NoError(t, os.WriteFile(w.file, []byte(w.directory("")), 0o600))

	cfg := createDefaultConfig().(*Config)
	id := component.MustNewID("memory")
	cfg.Directory.File, cfg.Directory.DrainTimeout, cfg.HomeRegion, cfg.Storage = w.file, 20*time.Millisecond, "eu-0", &id
	cfg.Batch.MaxDelay, cfg.Metrics.MaxDelay = time.Millisecond, time.Millisecond
	cfg.Retry = RetryConfig{InitialInterval: time.Millisecond, MaxInterval: 20 * time.Millisecond}
	cfg.Failover = FailoverConfig{After: 20 * time.Millisecond, ReturnAfter: 20 * time.Millisecond, ProbeInterval: 10 * time.Millisecond}
	e, err := newRegionExporter(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	e.signals = []signal{signalMetrics, signalLogs, signalTraces}
	require.NoError(t, e.start(t.Context(), memoryHost{id: &memoryStorage{}}))
	// The directory changes when the oracle knows of it: a watch beside it could put one in force that is older.
	e.watch.stop()
	e.watch = nil
	w.exporter = e
	t.Cleanup(func() { require.NoError(t, e.shutdown(context.Background())) })
	return w
}

// choose makes these regions, with tenants spread over them, those of the directory in force.
func (w *residencyWorld) choose(regions []string) {
	w.inForce, w.tenants = map[string]bool{}, map[string]string{}
	for _, name := range regions {
		w.inForce[name] = true
	}
	for i := range 5 {
		w.tenants[fmt.Sprintf("tenant%d", i)] = regions[w.rng.IntN(len(regions))]
	}
}

// directory returns the text of the chosen directory; moved names a region that it puts into a wrong zone.
func (w *residencyWorld) directory(moved string) string {
	var b strings.Builder
	b.WriteString("regions:\n")
	for _, name := range slices.Sorted(maps.Keys(w.inForce)) {
		zone := zoneOf(name)
		if name == moved {
			zone += "x"
		}
		url := w.endpoints[name].server.URL
		fmt.Fprintf(&b, "  %s:\n    zone: %s\n    metrics: {endpoint: %s/metrics, compression: snappy}\n    logs: {endpoint: %s/logs, compression: none}\n    traces: {endpoint: %s/traces, compression: none}\n",
			name, zone, url, url, url)
		var others []string
		for other := range w.inForce {
			if other != name && zoneOf(other) == zone {
				others = append(others, other)
			}
		}
		if len(others) > 0 {
			slices.Sort(others)
			fmt.Fprintf(&b, "    failover: [%s]\n", strings.Join(others, ", "))
		}
	}
	b.WriteString("tenants:\n")
	for _, tenant := range slices.Sorted(maps.Keys(w.tenants)) {
		fmt.Fprintf(&b, "  %s: {region: %s}\n", tenant, w.tenants[tenant])
	}
	return b.String()
}

// reload puts another random directory in force, sometimes trying a forbidden one first.
func (w *residencyWorld) reload() {
	source := &fileSource{path: w.file}
	if w.refusedReloads == 0 || w.rng.IntN(3) == 0 {
		name := slices.Sorted(maps.Keys(w.inForce))[w.rng.IntN(len(w.inForce))]
		before := w.exporter.routing.Load()
		require.NoError(w.t, os.WriteFile(w.file, []byte(w.directory(name)), 0o600))
		w.exporter.reload(w.t.Context(), source, &reloading{})
		require.Same(w.t, before, w.exporter.routing.Load(), "a directory that moves a region to another zone was not refused")
		w.refusedReloads++
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(w.endpoints)), func(name string) bool { return name != "eu-0" && w.rng.IntN(3) == 0 })
	w.choose(names)
	require.NoError(w.t, os.WriteFile(w.file, []byte(w.directory("")), 0o600))
	before := w.exporter.routing.Load()
	w.exporter.reload(w.t.Context(), source, &reloading{})
	require.NotSame(w.t, before, w.exporter.routing.Load(), "a right directory was refused")
	w.reloads++
}

func (w *residencyWorld) breakOrMend() {
	names := slices.Sorted(maps.Keys(w.endpoints))
	e := w.endpoints[names[w.rng.IntN(len(names))]]
	e.status.Store([]int64{0, 0, 0, 401, 404, 429, 500, 503, 302, 400}[w.rng.IntN(10)])
}

func (w *residencyWorld) failovers() int {
	n := 0
	for _, l := range *w.exporter.visible.Load() {
		if _, active := l.route.snapshot(); active > 0 {
			n++
		}
	}
	w.seenFailovers.Store(max(w.seenFailovers.Load(), int64(n)))
	return int(w.seenFailovers.Load())
}

// resource sets random attributes and returns the zone that the oracle allows for it.
func (w *residencyWorld) resource(attrs pcommon.Map) string {
	any := func() string { return fmt.Sprintf("%s-%d", residencyZones[w.rng.IntN(3)], w.rng.IntN(regionsPerZone)) }
	regionName := "eu-0"
	if w.rng.IntN(2) == 0 {
		name := any()
		attrs.PutStr(attrCloudRegion, name)
		if w.inForce[name] {
			regionName = name
		}
	}
	if w.rng.IntN(3) == 0 {
		tenant := fmt.Sprintf("tenant%d", w.rng.IntN(7))
		attrs.PutStr(attrTenant, tenant)
		if name, ok := w.tenants[tenant]; ok {
			regionName = name
		}
	}
	if w.rng.IntN(4) == 0 {
		regionName = any()
		attrs.PutStr(attrRegion, regionName)
	}
	return zoneOf(regionName)
}

func (w *residencyWorld) consume(n int) {
	switch w.rng.IntN(3) {
	case 0:
		md := pmetric.NewMetrics()
		for range n {
			rm := md.ResourceMetrics().AppendEmpty()
			m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
			m.SetName("m")
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetIntValue(1)
			dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
			dp.Attributes().PutStr(wantZone, w.resource(rm.Resource().Attributes()))
		}
		offer(w, signalMetrics, metrics{md}, n)
	case 1:
		ld := plog.NewLogs()
		for range n {
			rl := ld.ResourceLogs().AppendEmpty()
			rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutStr(wantZone, w.resource(rl.Resource().Attributes()))
		}
		offer(w, signalLogs, logs{ld}, n)
	default:
		td := ptrace.NewTraces()
		for range n {
			rs := td.ResourceSpans().AppendEmpty()
			rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr(wantZone, w.resource(rs.Resource().Attributes()))
		}
		offer(w, signalTraces, traces{td}, n)
	}
}

// offer gives a batch to the exporter until all of it is taken, as a receiver that can wait does.
func offer[T interface {
	payload[T]
	batch
}](w *residencyWorld, s signal, data T, n int) {
	for {
		rest, err := consume(w.t.Context(), w.exporter, s, data)
		if err == nil {
			break
		}
		data = rest
		time.Sleep(time.Millisecond)
	}
	w.accepted.Add(int64(n))
}

// serve is an endpoint: it judges each record that arrives, also those that it then claims not to have taken.
func (w *residencyWorld) serve(e *zoneEndpoint, rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	count := 0
	judge := func(zone string) {
		count++
		if zone != e.zone {
			w.astray.Add(1)
		}
	}
	if err := eachZone(r.URL.Path, body, judge); err != nil {
		w.t.Errorf("%s: %v", r.URL.Path, err)
	}
	if status := e.status.Load(); status != 0 {
		w.faults.Add(1)
		if status == 302 {
			rw.Header().Set("Location", w.endpoints["us-0"].server.URL+r.URL.Path)
		}
		rw.WriteHeader(int(status))
		return
	}
	w.arrived.Add(int64(count))
}

func eachZone(path string, body []byte, judge func(string)) error {
	switch path {
	case "/metrics":
		raw, err := snappy.Decode(nil, body)
		if err != nil {
			return err
		}
		var req prompb.WriteRequest
		if err := req.Unmarshal(raw); err != nil {
			return err
		}
		for _, ts := range req.Timeseries {
			for _, l := range ts.Labels {
				if l.Name == wantZone {
					judge(l.Value)
				}
			}
		}
	case "/logs":
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(body)
		if err != nil {
			return err
		}
		for _, rl := range ld.ResourceLogs().All() {
			zone, _ := rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().Get(wantZone)
			judge(zone.Str())
		}
	default:
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
		if err != nil {
			return err
		}
		for _, rs := range td.ResourceSpans().All() {
			zone, _ := rs.ScopeSpans().At(0).Spans().At(0).Attributes().Get(wantZone)
			judge(zone.Str())
		}
	}
	return nil
}

// finish mends everything and waits until nothing is held.
func (w *residencyWorld) finish() {
	for _, e := range w.endpoints {
		e.status.Store(0)
	}
	w.choose(slices.Sorted(maps.Keys(w.endpoints)))
	require.NoError(w.t, os.WriteFile(w.file, []byte(w.directory("")), 0o600))
	w.exporter.reload(w.t.Context(), &fileSource{path: w.file}, &reloading{})
	require.EventuallyWithT(w.t, func(c *assert.CollectT) {
		for _, l := range *w.exporter.visible.Load() {
			totals := l.queue.Totals()
			require.Zero(c, totals.HeldItems, "%s %s", l.region, l.signal)
		}
	}, 2*time.Minute, 10*time.Millisecond)
	var accepted, released, dropped int64
	for _, l := range *w.exporter.visible.Load() {
		totals := l.queue.Totals()
		require.Zero(w.t, totals.Residual(), "%s %s", l.region, l.signal)
		accepted += totals.AcceptedItems
		released += totals.ReleasedItems
		dropped += totals.DroppedItems.Sum()
	}
	require.Equal(w.t, w.accepted.Load(), accepted-released)
	require.Zero(w.t, dropped)
	require.GreaterOrEqual(w.t, w.arrived.Load(), w.accepted.Load())
}

// memoryStorage is a storage extension without a disk: this test is about where records go, and of many.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc
	mu      sync.Mutex
	clients map[string]*memoryClient
}

type memoryHost map[component.ID]component.Component

func (h memoryHost) GetExtensions() map[component.ID]component.Component { return h }

func (s *memoryStorage) GetClient(_ context.Context, _ component.Kind, id component.ID, name string) (storage.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil {
		s.clients = map[string]*memoryClient{}
	}
	key := id.String() + "/" + name
	if s.clients[key] == nil {
		s.clients[key] = &memoryClient{values: map[string][]byte{}}
	}
	return s.clients[key], nil
}

type memoryClient struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (c *memoryClient) Get(_ context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.values[key], nil
}

func (c *memoryClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *memoryClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *memoryClient) Batch(_ context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = c.values[op.Key]
		case storage.Set:
			c.values[op.Key] = op.Value
		case storage.Delete:
			delete(c.values, op.Key)
		}
	}
	return nil
}

func (c *memoryClient) Close(context.Context) error { return nil }

var _ component.Host = memoryHost{}
