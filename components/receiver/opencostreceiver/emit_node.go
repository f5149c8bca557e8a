// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/k0rdent/kof/internal/cost"
)

var (
	nodeCPU      = description{name: "node_cpu_hourly_cost", text: "Price of a core of the node for an hour."}
	nodeRAM      = description{name: "node_ram_hourly_cost", text: "Price of a GiB of the node's memory for an hour."}
	nodeGPU      = description{name: "node_gpu_hourly_cost", text: "Price of a GPU of the node for an hour."}
	nodeGPUs     = description{name: "node_gpu_count", text: "GPUs of the node."}
	nodeTotal    = description{name: "node_total_hourly_cost", text: "Price of the whole node for an hour, before discount."}
	nodeSpot     = description{name: "kubecost_node_is_spot", text: "1 for a spot or preemptible node."}
	nodeCost     = description{name: "kof_node_cost_total", text: "Cost of the node since the counter's start, by resource.", counter: true}
	nodeIdle     = description{name: "kof_node_idle_cost_total", text: "Part of the node's cost that no container was charged, by resource.", counter: true}
	priceInfo    = description{name: "kof_node_price_info", text: "1; the label source tells where the node's price comes from."}
	priceAge     = description{name: "kof_node_price_age_seconds", text: "How long ago the node's price was set or dated by its source."}
	priceBad     = description{name: "kof_price_problems", text: "Bad rows of the price files, unusable files and unusable overrides of the node."}
	collectionOK = description{name: "kof_cost_collection_success", text: "1 if the last collection succeeded, 0 if there is a gap."}
	unbilled     = description{name: "kof_cost_unbilled_seconds_total", text: "Time that no cost was charged for, since the gap was longer than max_gap.", counter: true}
)

// emitFailure is what a failed collection sends: that it failed, and the prices if they are known.
func (r *nodeReceiver) emitFailure() pmetric.Metrics {
	r.mu.Lock()
	defer r.mu.Unlock()
	md := pmetric.NewMetrics()
	now := r.now()
	to := r.nodeResource(md, 8)
	if r.node != nil {
		r.emitPrices(to, now)
	}
	point(points(to, collectionOK, 1), now, 0, 1).PutStr("node", r.config.Node)
	return md
}

// emit turns a collection into metrics: one resource for the node and one for each pod.
func (r *nodeReceiver) emit(now time.Time, charges []cost.Charge) pmetric.Metrics {
	md := pmetric.NewMetrics()
	md.ResourceMetrics().EnsureCapacity(len(charges) + 1)
	to := r.nodeResource(md, 13)
	r.emitPrices(to, now)
	point(points(to, collectionOK, 1), now, 1, 1).PutStr("node", r.config.Node)
	r.emitNodeCounters(to, now)
	for i := 0; i < len(r.samples); {
		n := i + 1
		for n < len(r.samples) && !r.samples[n-1].last {
			n++
		}
		r.emitPod(md, now, r.samples[i:n], r.buffer[i:n], charges[i:n])
		i = n
	}
	return md
}

func (r *nodeReceiver) nodeResource(md pmetric.Metrics, metrics int) pmetric.MetricSlice {
	rm := md.ResourceMetrics().AppendEmpty()
	r.commonAttributes(rm.Resource().Attributes())
	to := scope(rm)
	to.EnsureCapacity(metrics)
	return to
}

// commonAttributes are the attributes that all resources of the node have.
func (r *nodeReceiver) commonAttributes(a pcommon.Map) {
	a.EnsureCapacity(8)
	a.PutStr("k8s.node.name", r.config.Node)
	if r.config.Cluster != "" {
		a.PutStr("k8s.cluster.name", r.config.Cluster)
	}
	if r.node == nil {
		return
	}
	if region := r.node.Region(); region != "" {
		a.PutStr("cloud.region", region)
	}
}

// nodeLabels are OpenCost's labels of a node.
func (r *nodeReceiver) nodeLabels(a pcommon.Map) {
	a.PutStr("instance", r.node.Name)
	a.PutStr("node", r.node.Name)
	a.PutStr("instance_type", r.node.InstanceType())
	a.PutStr("region", r.node.Region())
	a.PutStr("provider_id", r.node.ProviderID)
	a.PutStr("arch", r.node.Arch())
	if r.config.PodUIDLabel {
		a.PutStr("uid", r.node.UID)
	}
}

func (r *nodeReceiver) emitPrices(to pmetric.MetricSlice, now time.Time) {
	p, f := &r.price, r.config.Prices.Currency.PerUSD
	cpu, ram, total := true, true, true
	if r.config.Compat == compatOpenCost {
		cpu, ram, total = r.guard.Admit(p.CPU, p.RAM)
	}
	spot := 0.0
	if p.Spot {
		spot = 1
	}
	for _, m := range []struct {
		description
		value float64
		send  bool
	}{
		{nodeCPU, p.CPU * f, cpu},
		{nodeRAM, p.RAM * f, ram},
		{nodeGPU, p.GPU * f, true},
		{nodeGPUs, p.GPUs.Physical, true},
		{nodeTotal, p.Total() * f, total},
		{nodeSpot, spot, true},
	} {
		if m.send {
			r.nodeLabels(point(points(to, m.description, 1), now, m.value, 7))
		}
	}
	a := point(points(to, priceInfo, 1), now, 1, 4)
	a.PutStr("node", r.node.Name)
	a.PutStr("source", string(p.Source))
	a.PutStr("instance_type", r.node.InstanceType())
	a.PutStr("currency", r.config.Prices.Currency.Code)
	a = point(points(to, priceAge, 1), now, max(0, now.Sub(p.AsOf).Seconds()), 2)
	a.PutStr("node", r.node.Name)
	a.PutStr("source", string(p.Source))
	point(points(to, priceBad, 1), now, float64(r.pricer.problems.Load())+float64(len(p.Problems)), 1).PutStr("node", r.node.Name)
}

func (r *nodeReceiver) emitNodeCounters(to pmetric.MetricSlice, now time.Time) {
	resources := r.meter.Resources()
	start := r.meter.Start()
	for _, m := range []struct {
		description
		values []float64
	}{{nodeCost, r.meter.Node()}, {nodeIdle, r.meter.Idle()}} {
		dps := points(to, m.description, len(resources))
		for i, v := range m.values {
			if v == 0 && i >= cost.GPU && r.price.GPUs.Physical == 0 {
				continue // a resource that the node has never had
			}
			count(dps, start, now, v, false, 3, func(a pcommon.Map) {
				a.PutStr("node", r.config.Node)
				a.PutStr("resource", resources[i])
				a.PutStr("currency", r.config.Prices.Currency.Code)
			})
		}
	}
	count(points(to, unbilled, 1), start, now, r.meter.Unbilled().Seconds(), false, 1, func(a pcommon.Map) {
		a.PutStr("node", r.config.Node)
	})
}
