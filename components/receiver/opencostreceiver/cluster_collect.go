// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/internal/cost"
)

// unmounted is OpenCost's name of the pod that volumes without a pod are reported for.
const unmounted = "unmounted-pvs"

// volumeKey names the part of a volume's cost that one pod is charged.
type volumeKey struct{ namespace, pod, claim, volume, class string }

type balancerKey struct{ address, namespace, service string }

// collection computes what exists once per cluster, cycle by cycle.
type collection struct {
	config  *Config
	pricer  *pricer
	objects *objects

	volumes   cost.CounterSet[volumeKey]
	balancers cost.CounterSet[balancerKey]
	fee       cost.CounterSet[string]
}

func newCollection(c *Config, p *pricer, o *objects) *collection {
	return &collection{
		config: c, pricer: p, objects: o, volumes: cost.CounterSet[volumeKey]{MaxGap: c.MaxGap},
		balancers: cost.CounterSet[balancerKey]{MaxGap: c.MaxGap}, fee: cost.CounterSet[string]{MaxGap: c.MaxGap},
	}
}

// emit sends everything of one cycle in batches of bounded size.
func (c *collection) emit(now time.Time, send func(pmetric.Metrics)) {
	b := &batcher{now: now, send: send, cluster: c.config.Cluster, currency: c.config.Prices.Currency.Code}
	r := c.pricer.resolver.Load()
	mounts := c.mounts()
	c.emitVolumes(b, r, mounts)
	c.emitBalancers(b, r)
	c.emitCluster(b, r)
	c.emitLabels(b)
	b.flush()
}

// mounts lists the running pods of every claim.
func (c *collection) mounts() map[claimKey][]string {
	out := map[claimKey][]string{}
	for _, obj := range c.objects.pods.List() {
		p, ok := obj.(*corev1.Pod)
		if !ok || p.Status.Phase != corev1.PodRunning {
			continue
		}
		for _, name := range podClaims(p) {
			k := claimKey{p.Namespace, name}
			out[k] = append(out[k], p.Name)
		}
	}
	return out
}

func (c *collection) emitVolumes(b *batcher, r *cost.Resolver, mounts map[claimKey][]string) {
	rate := c.config.Prices.Currency.PerUSD
	prices := map[volumeKey]float64{}
	region := c.region()
	for _, obj := range c.objects.volumes.List() {
		v, ok := obj.(*corev1.PersistentVolume)
		if !ok || v.Status.Phase == corev1.VolumeFailed {
			continue
		}
		storage := v.Spec.Capacity[corev1.ResourceStorage]
		price, source, _ := r.Volume(&cost.Volume{
			Name: v.Name, StorageClass: v.Spec.StorageClassName, Capacity: storage.String(),
			Region: volumeRegion(v, region), Labels: v.Labels, Annotations: v.Annotations,
		})
		a := b.gauge(pvPrice, price*rate, 4)
		a.PutStr("volumename", v.Name)
		a.PutStr("persistentvolume", v.Name)
		a.PutStr("provider_id", volumeID(v))
		a.PutStr("source", string(source))
		if r.Compat && v.Spec.StorageClassName == "" {
			continue // OpenCost's allocations leave such volumes out
		}
		key := volumeKey{volume: v.Name, class: v.Spec.StorageClassName, pod: unmounted}
		var pods []string
		if ref := v.Spec.ClaimRef; ref != nil {
			key.namespace, key.claim = ref.Namespace, ref.Name
			pods = mounts[claimKey{ref.Namespace, ref.Name}]
		}
		hourly := cost.VolumeCost(price, storage.AsApproximateFloat64()/cost.GiB, 1) * rate
		if len(pods) == 0 {
			prices[key] = hourly
		}
		for _, pod := range pods {
			key.pod = pod
			prices[key] = hourly / float64(len(pods))
		}
	}
	c.volumes.Update(b.now, prices, func(t cost.Total[volumeKey]) { b.volume(t) })
	c.emitClaims(b, mounts)
}

// emitClaims reports the claims that no node can: those that several nodes may mount, and those that none does.
func (c *collection) emitClaims(b *batcher, mounts map[claimKey][]string) {
	for _, obj := range c.objects.claims.List() {
		pvc, ok := obj.(*corev1.PersistentVolumeClaim)
		if !ok || pvc.Spec.VolumeName == "" {
			continue
		}
		info := costClaim(pvc)
		pods := mounts[claimKey{pvc.Namespace, pvc.Name}]
		if len(pods) > 0 && !info.shared {
			continue
		}
		if len(pods) == 0 {
			pods = []string{unmounted}
		}
		for _, pod := range pods {
			a := b.gauge(pvcAllocation, info.bytes/float64(len(pods)), 4)
			a.PutStr("namespace", pvc.Namespace)
			a.PutStr("pod", pod)
			a.PutStr("persistentvolumeclaim", pvc.Name)
			a.PutStr("persistentvolume", info.volume)
		}
	}
}

// emitBalancers prices the load balancers that the cloud has made. With compat there are none: OpenCost's custom and CSV
// providers fail on a price that their configuration lacks.
func (c *collection) emitBalancers(b *batcher, r *cost.Resolver) {
	_, set := c.config.Prices.Unit["load_balancer"]
	silent := r.Compat && !set
	price := r.Defaults.LoadBalancer * c.config.Prices.Currency.PerUSD
	prices := map[balancerKey]float64{}
	for _, obj := range c.objects.services.List() {
		s, ok := obj.(*corev1.Service)
		if !ok || s.Spec.Type != corev1.ServiceTypeLoadBalancer || silent {
			continue
		}
		address := ""
		for _, in := range s.Status.LoadBalancer.Ingress {
			if address = in.IP; address == "" && !r.Compat {
				address = in.Hostname // AWS gives names only, which OpenCost takes for nothing to charge
			}
			if address != "" {
				break
			}
		}
		if address == "" {
			continue
		}
		k := balancerKey{address, s.Namespace, s.Name}
		prices[k] = price
		b.balancer(b.gauge(lbPrice, price, 3), k)
	}
	c.balancers.Update(b.now, prices, func(t cost.Total[balancerKey]) {
		b.count(lbCost, t.Start, t.Cost, 4, func(a attributes) {
			b.balancer(a, t.Key)
			a.PutStr("currency", b.currency)
		})
	})
}

// region is the region of any node, for volumes that don't tell theirs.
func (c *collection) region() string {
	region, _ := c.anyNode()
	return region
}

// anyNode returns region and labels of the first node by name: the platform is the same for all.
func (c *collection) anyNode() (region string, labels map[string]string) {
	name := ""
	for _, obj := range c.objects.nodes.List() {
		if n, ok := obj.(*corev1.Node); ok && (name == "" || n.Name < name) {
			name, labels = n.Name, n.Labels
		}
	}
	return (&cost.Node{Labels: labels}).Region(), labels
}

func volumeRegion(v *corev1.PersistentVolume, otherwise string) string {
	if region := (&cost.Node{Labels: v.Labels}).Region(); region != "" {
		return region
	}
	return otherwise
}

// volumeID is the cloud's name of a volume.
func volumeID(v *corev1.PersistentVolume) string {
	switch s := v.Spec.PersistentVolumeSource; {
	case s.CSI != nil:
		return s.CSI.VolumeHandle
	case s.AWSElasticBlockStore != nil:
		return s.AWSElasticBlockStore.VolumeID
	case s.GCEPersistentDisk != nil:
		return s.GCEPersistentDisk.PDName
	case s.AzureDisk != nil:
		return s.AzureDisk.DiskName
	}
	return v.Name
}
