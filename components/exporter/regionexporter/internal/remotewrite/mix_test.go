// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"math"
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// nodeAgentMix makes one scrape round of a node agent: a resource per target, each with about 1,000 series of 5 to 8
// labels, the shapes being those of cadvisor, node_exporter and an instrumented service in turn.
func nodeAgentMix(targets int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rng := rand.New(rand.NewPCG(1, 2))
	for t := range targets {
		rm := md.ResourceMetrics().AppendEmpty()
		port := 9100 + t
		putAll(rm.Resource().Attributes(),
			"service.name", []string{"cadvisor", "node-exporter", "checkout"}[t%3],
			"service.instance.id", fmt.Sprintf("10.42.3.%d:%d", 7+t, port),
			"server.address", fmt.Sprintf("10.42.3.%d", 7+t),
			"server.port", fmt.Sprint(port),
			"url.scheme", "https",
			"k8s.cluster.name", "eu-prod-7",
			"kof.cluster.namespace", "kcm-system",
			"kof.tenant", "acme",
			"k8s.node.name", "ip-10-42-3-17.eu-west-1.compute.internal",
		)
		g := mixTarget{
			metrics: rm.ScopeMetrics().AppendEmpty().Metrics(), rng: rng,
			at: pcommon.Timestamp(1_790_000_000_000+rng.Int64N(30_000)) * 1_000_000,
		}
		switch t % 3 {
		case 0:
			g.cadvisor()
		case 1:
			g.node()
		case 2:
			g.service()
		}
	}
	return md
}

func putAll(m pcommon.Map, kvs ...string) {
	for i := 0; i < len(kvs); i += 2 {
		m.PutStr(kvs[i], kvs[i+1])
	}
}

type mixTarget struct {
	metrics pmetric.MetricSlice
	rng     *rand.Rand
	at      pcommon.Timestamp
}

func (g *mixTarget) points(name string, counter bool) pmetric.NumberDataPointSlice {
	m := g.metrics.AppendEmpty()
	m.SetName(name)
	if !counter {
		return m.SetEmptyGauge().DataPoints()
	}
	s := m.SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return s.DataPoints()
}

// value draws the kinds of numbers that nodes report: many zeros, counts, bytes in whole pages, seconds.
func (g *mixTarget) value(kind int) float64 {
	if g.rng.IntN(4) == 0 {
		return 0
	}
	switch kind % 3 {
	case 0:
		return float64(g.rng.IntN(1_000_000))
	case 1:
		return float64(g.rng.IntN(1<<20)) * 4096
	default:
		return math.Round(g.rng.Float64()*1e8) / 1e3
	}
}

// cadvisor: 50 containers with 20 metrics each.
func (g *mixTarget) cadvisor() {
	var pods [50][]string
	for i := range pods {
		name := []string{"api", "worker", "cache", "proxy", "sync"}[i%5]
		pods[i] = []string{
			"container", name,
			"id", fmt.Sprintf("/kubepods.slice/kubepods-pod%016x_%08x.slice/cri-containerd-%016x%016x.scope",
				g.rng.Uint64(), g.rng.Uint32(), g.rng.Uint64(), g.rng.Uint64()),
			"image", "registry.example/team/" + name + ":v1.27.3",
			"name", fmt.Sprintf("%016x%016x%016x%016x", g.rng.Uint64(), g.rng.Uint64(), g.rng.Uint64(), g.rng.Uint64()),
			"namespace", fmt.Sprintf("team-%d", i%7),
			"pod", fmt.Sprintf("%s-%08x-%05x", name, g.rng.Uint32(), g.rng.Uint32()&0xfffff),
		}
	}
	for k := range 20 {
		counter := k%2 == 0
		dps := g.points(fmt.Sprintf("container_resource_%d_%s", k, []string{"seconds_total", "bytes"}[k%2]), counter)
		for i := range pods {
			dp := dps.AppendEmpty()
			dp.SetTimestamp(g.at)
			dp.SetDoubleValue(g.value(k))
			putAll(dp.Attributes(), pods[i]...)
		}
	}
}

// node: 250 metrics of 4 series: by CPU and mode, device, or nothing.
func (g *mixTarget) node() {
	for k := range 250 {
		counter := k%3 == 0
		suffix := "_info"
		if counter {
			suffix = "_total"
		}
		dps := g.points(fmt.Sprintf("node_subsystem%d_reading_%d%s", k%17, k, suffix), counter)
		for i := range 4 {
			dp := dps.AppendEmpty()
			dp.SetTimestamp(g.at)
			dp.SetDoubleValue(g.value(k))
			switch k % 3 {
			case 0:
				putAll(dp.Attributes(), "cpu", fmt.Sprint(i), "mode", []string{"idle", "user", "system", "iowait"}[i])
			case 1:
				putAll(dp.Attributes(), "device", fmt.Sprintf("nvme%dn1", i), "fstype", "ext4", "mountpoint", "/var/lib/volume")
			case 2:
				putAll(dp.Attributes(), "zone", []string{"DMA", "DMA32", "Normal", "Movable"}[i])
			}
		}
	}
}

// service: 33 histograms of 2 points with 15 series each.
func (g *mixTarget) service() {
	bounds := []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10}
	for k := range 33 {
		m := g.metrics.AppendEmpty()
		m.SetName(fmt.Sprintf("http_stage_%d_duration_seconds", k))
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for i := range 2 {
			dp := h.DataPoints().AppendEmpty()
			dp.SetTimestamp(g.at)
			putAll(dp.Attributes(), "code", []string{"200", "503"}[i], "method", "GET", "route", "/api/v1/orders/{id}")
			dp.ExplicitBounds().FromRaw(bounds)
			counts := make([]uint64, len(bounds)+1)
			total := uint64(0)
			for b := range counts {
				counts[b] = uint64(g.rng.IntN(5000 >> b))
				total += counts[b]
			}
			dp.BucketCounts().FromRaw(counts)
			dp.SetCount(total)
			dp.SetSum(math.Round(g.rng.Float64()*1e9) / 1e6)
		}
	}
}
