// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/kubelet"
	"github.com/k0rdent/kof/internal/cost"
)

var (
	cpuAllocation = description{name: "container_cpu_allocation", text: "Cores that the container is charged for: the larger of request and usage."}
	ramAllocation = description{name: "container_memory_allocation_bytes", text: "Bytes of memory that the container is charged for: the larger of request and working set."}
	gpuAllocation = description{name: "container_gpu_allocation", text: "GPUs that the container is charged for: its request."}
	pvcAllocation = description{name: "pod_pvc_allocation", text: "Bytes that the claim requests, divided by the pods that mount it."}
	containerCost = description{name: "kof_container_cost_total", text: "Cost of the container since the counter's start, by resource.", counter: true}
	requestedOf   = description{name: "kof_container_requested", text: "What the container requests: cores, bytes or units, by resource. Missing where it requests nothing."}
	usedOf        = description{name: "kof_container_used", text: "What the container uses: cores, bytes or units, by resource."}
)

// emitPod adds the resource of one pod; the slices hold its containers.
func (r *nodeReceiver) emitPod(md pmetric.Metrics, now time.Time, samples []sample, in []cost.Sample, charges []cost.Charge) {
	pod := samples[0].pod
	owner := workloadOf(pod)
	rm := md.ResourceMetrics().AppendEmpty()
	attrs := rm.Resource().Attributes()
	r.commonAttributes(attrs)
	attrs.PutStr("k8s.namespace.name", pod.Namespace)
	attrs.PutStr("k8s.pod.name", pod.Name)
	attrs.PutStr("k8s.pod.uid", pod.UID)
	if owner.kind != "pod" {
		attrs.PutStr("k8s."+owner.kind+".name", owner.name)
	}
	to := scope(rm)
	to.EnsureCapacity(7)
	r.emitAllocations(to, now, samples, in, charges)
	r.emitCosts(to, now, owner, samples, charges)
	r.emitEfficiency(to, now, samples, in, charges)
	r.emitClaims(to, now, pod)
	to.RemoveIf(func(m pmetric.Metric) bool {
		return m.Type() == pmetric.MetricTypeGauge && m.Gauge().DataPoints().Len() == 0
	})
}

// identityLabels is how many labels podLabels sets.
func (r *nodeReceiver) identityLabels() int {
	if r.config.PodUIDLabel {
		return 3
	}
	return 2
}

// podLabels are OpenCost's labels of a container, without the container.
func (r *nodeReceiver) podLabels(a pcommon.Map, pod *kubelet.Pod) {
	a.PutStr("namespace", pod.Namespace)
	a.PutStr("pod", pod.Name)
	if !r.config.PodUIDLabel {
		return
	}
	uid := pod.UID
	if r.config.Compat == compatOpenCost {
		uid = r.uids[pod.Name] // OpenCost keeps uids by name only: pods of the same name get that of the last
	}
	a.PutStr("uid", uid)
}

// allocations are the gauges of OpenCost, by resource, with what a unit of the meter is in the metric's.
var allocations = []struct {
	description
	unit float64
}{cost.CPU: {cpuAllocation, 1}, cost.RAM: {ramAllocation, cost.GiB}, cost.GPU: {gpuAllocation, 1}}

func (r *nodeReceiver) emitAllocations(to pmetric.MetricSlice, now time.Time, samples []sample, in []cost.Sample, charges []cost.Charge) {
	ids := r.identityLabels()
	for resource, m := range allocations {
		var dps pmetric.NumberDataPointSlice
		open := false
		for i, s := range samples {
			v := charges[i].Allocation[resource]
			if !in[i].To.IsZero() || resource == cost.GPU && v == 0 {
				continue // ended, or without a GPU
			}
			if !open {
				dps, open = points(to, m.description, len(samples)), true
			}
			a := point(dps, now, v*m.unit, 3+ids)
			r.podLabels(a, s.pod)
			a.PutStr("container", s.container.Name)
			a.PutStr("instance", r.config.Node)
			a.PutStr("node", r.config.Node)
		}
	}
}

func (r *nodeReceiver) emitCosts(to pmetric.MetricSlice, now time.Time, owner workload, samples []sample, charges []cost.Charge) {
	// The node is an attribute of the resource: on each of these many points it would cost more than all else.
	ids := r.identityLabels()
	dps := points(to, containerCost, 2*len(samples))
	resources := r.meter.Resources()
	for i, s := range samples {
		for k, v := range charges[i].Cost {
			if v == 0 && k >= cost.GPU {
				continue
			}
			count(dps, charges[i].Start, now, v, charges[i].New, 5+ids, func(a pcommon.Map) {
				r.podLabels(a, s.pod)
				a.PutStr("container", s.container.Name)
				a.PutStr("resource", resources[k])
				a.PutStr("workload_kind", owner.kind)
				a.PutStr("workload", owner.name)
				a.PutStr("currency", r.config.Prices.Currency.Code)
			})
		}
	}
}

func (r *nodeReceiver) emitEfficiency(to pmetric.MetricSlice, now time.Time, samples []sample, in []cost.Sample, charges []cost.Charge) {
	ids := r.identityLabels()
	requested := points(to, requestedOf, 2*len(samples))
	used := points(to, usedOf, 2*len(samples))
	resources := r.meter.Resources()
	for i, s := range samples {
		if !in[i].To.IsZero() {
			continue
		}
		for k, name := range resources {
			unit := 1.0
			if k == cost.RAM {
				unit = cost.GiB
			}
			labels := func(a pcommon.Map) {
				r.podLabels(a, s.pod)
				a.PutStr("container", s.container.Name)
				a.PutStr("resource", name)
			}
			if v := in[i].Request[k]; v > 0 {
				labels(point(requested, now, v*unit, 2+ids))
			}
			if k < cost.GPU {
				labels(point(used, now, charges[i].Used[k]*unit, 2+ids))
			}
		}
	}
}

// emitClaims reports the pod's claims that only this node can have mounted.
func (r *nodeReceiver) emitClaims(to pmetric.MetricSlice, now time.Time, pod *kubelet.Pod) {
	if pod.Phase != "Running" || len(pod.Claims) == 0 {
		return
	}
	var dps pmetric.NumberDataPointSlice
	open := false
	for _, name := range pod.Claims {
		c, ok := r.claims.get(claimKey{pod.Namespace, name}, now)
		if !ok || c.shared {
			continue
		}
		if !open {
			dps, open = points(to, pvcAllocation, len(pod.Claims)), true
		}
		a := point(dps, now, c.bytes/float64(max(1, r.claimants[claimKey{pod.Namespace, name}])), 5)
		r.podLabels(a, pod)
		a.PutStr("persistentvolumeclaim", name)
		a.PutStr("persistentvolume", c.volume)
	}
}
