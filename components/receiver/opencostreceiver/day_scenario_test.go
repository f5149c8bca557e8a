// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/internal/cost"
)

// dayPod is a pod of the simulated day with one container.
type dayPod struct {
	namespace, name   string
	node              string
	kind, owner, hash string // of its controller
	from, to          time.Duration
	cores, gib        float64                     // requested
	used              func(time.Duration) float64 // cores
	usedGiB           float64
}

func steady(cores float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return cores }
}

// simulatedDay has two nodes of 4 cores and 16 GiB. node-2 is lost in the afternoon, the price of node-1 changes in the
// morning, the agent of node-1 is restarted three times, and Jobs come and go between two collections.
type simulatedDay struct {
	start   time.Time
	pods    []dayPod
	loss    time.Duration      // of node-2
	change  time.Duration      // of the price
	downs   [][2]time.Duration // when the agent of node-1 is down
	before  float64            // $/h of node-1 before the change
	after   float64
	other   float64 // $/h of node-2
	storage bool
}

const day = 24 * time.Hour

func newDay(start time.Time) *simulatedDay {
	d := &simulatedDay{
		start: start, loss: 15*time.Hour + 30*time.Minute + 20*time.Second, change: 9*time.Hour + 17*time.Minute + 31*time.Second,
		before: 0.20, after: 0.35, other: 0.25, storage: true,
		downs: [][2]time.Duration{
			{2*time.Hour + 10*time.Second, 2*time.Hour + 25*time.Second},
			{11*time.Hour + 5*time.Minute + 1*time.Second, 11*time.Hour + 12*time.Minute + 43*time.Second},
			{20 * time.Hour, 20*time.Hour + 40*time.Minute},
		},
	}
	wave := func(t time.Duration) float64 { return 0.5 + 0.5*float64(int(t.Hours())%4) }
	d.pods = []dayPod{
		{"shop", "web-aa-1", "node-1", "ReplicaSet", "web-aa", "aa", 0, day, 0.5, 1, wave, 0.5},
		{"shop", "web-aa-2", "node-2", "ReplicaSet", "web-aa", "aa", 0, d.loss, 0.5, 1, steady(0.2), 1.5},
		{"shop", "web-aa-3", "node-1", "ReplicaSet", "web-aa", "aa", d.loss + 30*time.Second, day, 0.5, 1, steady(0.2), 1.5},
		{"data", "db-0", "node-1", "StatefulSet", "db", "", 0, day, 1, 4, steady(0.9), 3},
		{"data", "cache-0", "node-2", "StatefulSet", "cache", "", 3 * time.Hour, d.loss, 0, 0, steady(0.1), 6},
		{"kube-system", "agent-x", "node-1", "DaemonSet", "agent", "", 0, day, 0.1, 0.25, steady(0.05), 0.2},
		{"kube-system", "agent-y", "node-2", "DaemonSet", "agent", "", 0, d.loss, 0.1, 0.25, steady(0.05), 0.2},
	}
	for h := range 24 { // 20 seconds each: between two collections
		at := time.Duration(h)*time.Hour + 30*time.Minute + 11*time.Second
		d.pods = append(d.pods, dayPod{"batch", fmt.Sprintf("report-%d-x", 29000000+h*60), "node-1", "Job", fmt.Sprintf("report-%d", 29000000+h*60), "", at, at + 20*time.Second, 1, 1, steady(0), 0})
	}
	return d
}

func (d *simulatedDay) node(name string) *cost.Node {
	n := testNode()
	n.Name = name
	return n
}

// price is the hourly price of a node.
func (d *simulatedDay) price(node string, t time.Duration) float64 {
	switch {
	case node == "node-2":
		return d.other
	case t < d.change:
		return d.before
	}
	return d.after
}

// byResource is a cost by resource.
type byResource map[string]float64

func (b byResource) total() float64 { return b["cpu"] + b["ram"] }

// truth integrates the day second by second: the cost of every pod, and of every node.
func (d *simulatedDay) truth() (pods, nodes map[string]byResource) {
	pods, nodes = map[string]byResource{}, map[string]byResource{"node-1": {}, "node-2": {}}
	for _, p := range d.pods {
		pods[p.name] = byResource{}
	}
	const second = 1.0 / 3600
	weight := 4*cpuPrice + 16*ramPrice // the split that the default prices give
	for s := range int(day / time.Second) {
		t := time.Duration(s) * time.Second
		for _, n := range []string{"node-1", "node-2"} {
			if n == "node-1" || t < d.loss {
				f := d.price(n, t) / weight * second
				nodes[n]["cpu"] += 4 * cpuPrice * f
				nodes[n]["ram"] += 16 * ramPrice * f
			}
		}
		for _, p := range d.pods {
			if t < p.from || t >= p.to || d.unseen(p) {
				continue
			}
			f := d.price(p.node, t) / weight * second
			pods[p.name]["cpu"] += max(p.cores, p.used(t)) * cpuPrice * f
			pods[p.name]["ram"] += max(p.gib, p.usedGiB) * ramPrice * f
		}
	}
	return pods, nodes
}

// told is how long the kubelet tells of a pod after its end.
const told = 3 * time.Minute

// unseen says that a pod came, went and was forgotten by the kubelet while the agent was down: nobody can know of it, and
// what it cost is the node's idle.
func (d *simulatedDay) unseen(p dayPod) bool {
	for _, w := range d.downs {
		if p.node == "node-1" && p.from >= w[0] && p.to+told < w[1] {
			return true
		}
	}
	return false
}

// usedSeconds is the CPU time of a pod from its start to t.
func (p *dayPod) usedSeconds(t time.Duration) float64 {
	total := 0.0
	for at := p.from; at < min(t, p.to); {
		next := min((at/time.Hour+1)*time.Hour, min(t, p.to))
		total += p.used(at) * (next - at).Seconds()
		at = next
	}
	return total
}

// kubelet is what the kubelet of a node says at a time.
func (d *simulatedDay) kubelet(node string, t time.Duration) (pods []corev1.Pod, usage []use) {
	for i := range d.pods {
		p := &d.pods[i]
		if p.node != node || t < p.from || t > p.to+told {
			continue
		}
		start, end := d.start.Add(p.from), d.start.Add(p.to)
		kp := pod(p.namespace, p.name, start, "", "", ownedBy(p.kind, p.owner, p.hash))
		if p.cores > 0 {
			kp.Spec.Containers[0] = container("main", fmt.Sprint(p.cores), fmt.Sprintf("%dMi", int(p.gib*1024)))
		}
		if t >= p.to {
			kp.Status.Phase, kp.Status.ContainerStatuses = corev1.PodSucceeded, []corev1.ContainerStatus{ended("main", start, end)}
		} else {
			usage = append(usage, use{p.namespace, p.name, "main", p.usedSeconds(t), p.usedGiB * cost.GiB, d.start.Add(t)})
		}
		pods = append(pods, kp)
	}
	return pods, usage
}
