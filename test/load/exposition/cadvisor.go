// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Load is how much runs on the node that the pages are of.
type Load struct {
	Pods       int // at least 1
	Containers int // at least Pods, at most four times as many
	// Spread is over how long before a scrape cadvisor read its values; at least a nanosecond.
	Spread time.Duration
}

// sidecars are containers that any pod may have beside its own.
var sidecars = []string{"proxy", "config-reloader", "log-rotate"}

// cgroup is what cadvisor reports on: a container, a pod's sandbox, a pod, or a service of the system.
type cgroup struct {
	container, id, image, name, namespace, pod string
	activity                                   float64 // share of a CPU
	limited                                    bool    // has limits of CPU and memory
	lag                                        time.Duration
}

// Cadvisor returns a page as a kubelet's /metrics/cadvisor has it, with its times.
func Cadvisor(seed uint64, load Load) *Page {
	p := newPage(seed)
	for _, g := range cgroups(p.rng, load) {
		p.cgroup(g)
	}
	p.family("machine_cpu_cores", "gauge").add("machine_cpu_cores", `boot_id="5c4f2f0e-6c09-4a8e-9f5c-4a50a9ad3f0b",machine_id="ec2a5bd2c7c4b1f3a0a94d4c0f1e7d55"`, constant(16), 0)
	p.family("machine_memory_bytes", "gauge").add("machine_memory_bytes", `boot_id="5c4f2f0e-6c09-4a8e-9f5c-4a50a9ad3f0b",machine_id="ec2a5bd2c7c4b1f3a0a94d4c0f1e7d55"`, constant(66_571_993_088), 0)
	return p
}

func hex(rng *rand.Rand, digits int) string {
	const alphabet = "0123456789abcdef"
	b := make([]byte, digits)
	for i := range b {
		b[i] = alphabet[rng.IntN(16)]
	}
	return string(b)
}

// cgroups lays out the node: system services, and pods with a sandbox and one or more containers each.
func cgroups(rng *rand.Rand, load Load) []cgroup {
	var all []cgroup
	add := func(g cgroup) {
		g.lag = 1 + time.Duration(rng.Int64N(int64(load.Spread)))
		all = append(all, g)
	}
	add(cgroup{id: "/", activity: 3})
	for _, service := range []string{"containerd", "kubelet", "sshd", "systemd-journald", "systemd-networkd", "systemd-resolved", "chronyd", "dbus", "polkit"} {
		add(cgroup{id: "/system.slice/" + service + ".service", activity: 0.05 * rng.Float64()})
	}
	apps := []string{"checkout", "payments", "catalog", "frontend", "search", "orders", "ledger", "images", "mailer", "gateway"}
	images := map[string]string{}
	for _, name := range append(slices.Clone(apps), sidecars...) {
		images[name] = fmt.Sprintf("registry.example/shop/%s@sha256:%s", name, hex(rng, 64))
	}
	for pod := range load.Pods {
		app := apps[rng.IntN(len(apps))]
		name := fmt.Sprintf("%s-%s-%s", app, hex(rng, 9), hex(rng, 5))
		namespace := fmt.Sprintf("team-%c", 'a'+rune(rng.IntN(8)))
		uid := fmt.Sprintf("%s_%s_%s_%s_%s", hex(rng, 8), hex(rng, 4), hex(rng, 4), hex(rng, 4), hex(rng, 12))
		slice := fmt.Sprintf("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice", uid)
		// A few pods do most of the work, and most pods next to none.
		activity := 0.002 * math.Exp(2*rng.NormFloat64())
		limited := rng.IntN(2) == 0
		add(cgroup{id: slice, namespace: namespace, pod: name, activity: activity, limited: limited})
		inPod := func(container, image string, share float64) {
			runtimeID := hex(rng, 64)
			add(cgroup{
				container: container, id: slice + "/cri-containerd-" + runtimeID + ".scope", image: image, name: runtimeID,
				namespace: namespace, pod: name, activity: activity * share, limited: limited && container != "",
			})
		}
		inPod("", "registry.example/pause:3.10", 0)
		containers := load.Containers / load.Pods
		if pod < load.Containers%load.Pods {
			containers++
		}
		for i, container := range append([]string{app}, sidecars...)[:min(containers, 1+len(sidecars))] {
			inPod(container, images[container], []float64{0.9, 0.08, 0.02, 0}[i])
		}
	}
	return all
}
