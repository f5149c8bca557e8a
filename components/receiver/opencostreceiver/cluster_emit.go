// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/internal/cost"
)

type attributes = pcommon.Map

var (
	pvPrice     = description{name: "pv_hourly_cost", text: "Price of a GiB of the volume for an hour."}
	volumeCost  = description{name: "kof_volume_cost_total", text: "Cost of the volume since the counter's start, divided by the pods that mount it.", counter: true}
	lbPrice     = description{name: "kubecost_load_balancer_cost", text: "Price of the load balancer for an hour."}
	lbCost      = description{name: "kof_load_balancer_cost_total", text: "Cost of the load balancer since the counter's start.", counter: true}
	feePrice    = description{name: "kubecost_cluster_management_cost", text: "The platform's fee for the cluster for an hour."}
	feeCost     = description{name: "kof_cluster_management_cost_total", text: "The platform's fee since the counter's start.", counter: true}
	clusterInfo = description{name: "kubecost_cluster_info", text: "1; the labels describe the cluster."}
	nodeLabels  = description{name: "kube_node_labels", text: "1; the node's labels that the configuration names."}
	nsLabels    = description{name: "kube_namespace_labels", text: "1; the namespace's labels that the configuration names."}
	podLabels   = description{name: "kube_pod_labels", text: "1; the pod's labels that the configuration names."}

	egressZone     = description{name: "kubecost_network_zone_egress_cost", text: "Price of a GiB between zones."}
	egressRegion   = description{name: "kubecost_network_region_egress_cost", text: "Price of a GiB between regions."}
	egressInternet = description{name: "kubecost_network_internet_egress_cost", text: "Price of a GiB to the internet."}
	natEgress      = description{name: "kubecost_network_nat_gateway_egress_cost", text: "Price of a GiB out through a NAT gateway."}
	natIngress     = description{name: "kubecost_network_nat_gateway_ingress_cost", text: "Price of a GiB in through a NAT gateway."}
)

// batchPoints bounds a batch: a cluster of 100,000 pods is sent in ten.
const batchPoints = 10_000

// batcher collects points into batches.
type batcher struct {
	now      time.Time
	send     func(pmetric.Metrics)
	cluster  string
	currency string

	md     pmetric.Metrics
	to     pmetric.MetricSlice
	open   map[string]pmetric.NumberDataPointSlice
	points int
}

func (b *batcher) flush() {
	if b.points > 0 {
		b.send(b.md)
	}
	b.points, b.open = 0, nil
}

func (b *batcher) metric(d description) pmetric.NumberDataPointSlice {
	if b.points >= batchPoints {
		b.flush()
	}
	if b.open == nil {
		b.md, b.open = pmetric.NewMetrics(), map[string]pmetric.NumberDataPointSlice{}
		rm := b.md.ResourceMetrics().AppendEmpty()
		if b.cluster != "" {
			rm.Resource().Attributes().PutStr("k8s.cluster.name", b.cluster)
		}
		b.to = scope(rm)
	}
	dps, ok := b.open[d.name]
	if !ok {
		dps = points(b.to, d, 0)
		b.open[d.name] = dps
	}
	b.points++
	return dps
}

func (b *batcher) gauge(d description, v float64, n int) attributes {
	return point(b.metric(d), b.now, v, n)
}

func (b *batcher) count(d description, start time.Time, v float64, n int, fill func(attributes)) {
	count(b.metric(d), start, b.now, v, false, n, fill)
}

func (b *batcher) volume(t cost.Total[volumeKey]) {
	b.count(volumeCost, t.Start, t.Cost, 6, func(a attributes) {
		a.PutStr("persistentvolume", t.Key.volume)
		a.PutStr("persistentvolumeclaim", t.Key.claim)
		a.PutStr("namespace", t.Key.namespace)
		a.PutStr("pod", t.Key.pod)
		a.PutStr("storageclass", t.Key.class)
		a.PutStr("currency", b.currency)
	})
}

func (b *batcher) balancer(a attributes, k balancerKey) {
	a.PutStr("ingress_ip", k.address)
	a.PutStr("namespace", k.namespace)
	a.PutStr("service_name", k.service)
}

func (c *collection) emitCluster(b *batcher, r *cost.Resolver) {
	rate := c.config.Prices.Currency.PerUSD
	region, labels := c.anyNode()
	provisioner, fee := cost.ManagementFee(labels)
	if r.Compat { // the custom and CSV providers know no platform
		provisioner, fee = "", 0
	}
	if c.config.Prices.ManagementFee != nil {
		fee = *c.config.Prices.ManagementFee
	}
	b.gauge(feePrice, fee*rate, 1).PutStr("provisioner_name", provisioner)
	c.fee.Update(b.now, map[string]float64{provisioner: fee * rate}, func(t cost.Total[string]) {
		b.count(feeCost, t.Start, t.Cost, 2, func(a attributes) {
			a.PutStr("provisioner_name", t.Key)
			a.PutStr("currency", b.currency)
		})
	})
	d := r.Defaults
	for _, n := range []struct {
		description
		price float64
	}{
		{egressZone, d.ZoneEgress}, {egressRegion, d.RegionEgress}, {egressInternet, d.InternetEgress},
		{natEgress, d.NATEgress}, {natIngress, d.NATIngress},
	} {
		b.gauge(n.description, n.price*rate, 0)
	}
	a := b.gauge(clusterInfo, 1, 5)
	a.PutStr("id", c.config.Cluster)
	a.PutStr("name", c.config.Cluster)
	a.PutStr("provisioner", provisioner)
	a.PutStr("region", region)
	a.PutStr("currency", b.currency)
	b.gauge(priceBad, float64(c.pricer.problems.Load()), 0)
	b.gauge(collectionOK, 1, 0)
}

func (c *collection) emitLabels(b *batcher) {
	nodes, namespaces, pods := labelNames(c.config.Labels.Nodes), labelNames(c.config.Labels.Namespaces), labelNames(c.config.Labels.Pods)
	if len(nodes) > 0 {
		for _, obj := range c.objects.nodes.List() {
			if n, ok := obj.(*corev1.Node); ok {
				a := b.gauge(nodeLabels, 1, 1+len(nodes))
				a.PutStr("node", n.Name)
				nodes.put(a, n.Labels)
			}
		}
	}
	if len(namespaces) > 0 {
		for _, obj := range c.objects.namespaces.List() {
			if n, ok := obj.(*corev1.Namespace); ok {
				a := b.gauge(nsLabels, 1, 1+len(namespaces))
				a.PutStr("namespace", n.Name)
				namespaces.put(a, n.Labels)
			}
		}
	}
	if len(pods) > 0 {
		for _, obj := range c.objects.pods.List() {
			if p, ok := obj.(*corev1.Pod); ok && p.Status.Phase == corev1.PodRunning {
				a := b.gauge(podLabels, 1, 2+len(pods))
				a.PutStr("namespace", p.Namespace)
				a.PutStr("pod", p.Name)
				pods.put(a, p.Labels)
			}
		}
	}
}

// labelName is a label of an object and the label of the series that it becomes.
type labelName struct{ key, label string }

type labelList []labelName

// labelNames turns names as kube-state-metrics does: label_ and what Prometheus doesn't take replaced by _.
func labelNames(keys []string) labelList {
	var out labelList
	for _, k := range keys {
		out = append(out, labelName{k, "label_" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
				return r
			}
			return '_'
		}, k)})
	}
	return out
}

func (l labelList) put(a attributes, labels map[string]string) {
	for _, n := range l {
		if v, ok := labels[n.key]; ok {
			a.PutStr(n.label, v)
		}
	}
}
