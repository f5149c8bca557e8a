// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"time"

	"go.uber.org/zap"
)

// decide decides whether a container is read, unless that needs an answer of the API that isn't there yet.
func (d *discoverer) decide(id containerID, now time.Time) {
	k := d.known[id]
	v, rule := d.selection.decide(id, now.Sub(k.since) >= decideWithin)
	if v != included {
		k.verdict = v
		return
	}
	if d.reading >= d.cfg.MaxContainers {
		if !d.told {
			d.told = true
			d.logger.Error("There are more containers than max_containers: some are not read", zap.Int("max_containers", d.cfg.MaxContainers))
		}
		d.count()
		return // tried again when others have gone
	}
	k.verdict, k.worker = included, d.idlest()
	d.reading++
	d.watch(id.dir(d.cfg.Directory))
	k.worker.inbox.put(id, notice{added: true, rule: rule, fromEnd: d.first && d.cfg.StartAt == startAtEnd})
	d.count()
}

// decideAll decides on what is open.
func (d *discoverer) decideAll(now time.Time) {
	for id, k := range d.known {
		if k.verdict == undecided {
			d.decide(id, now)
		}
	}
}

// idlest is the worker with the fewest containers.
func (d *discoverer) idlest() *worker {
	load := make(map[*worker]int, len(d.workers))
	for _, k := range d.known {
		load[k.worker]++
	}
	best := d.workers[0]
	for _, w := range d.workers {
		if load[w] < load[best] {
			best = w
		}
	}
	return best
}

// count counts the containers beyond the bound.
func (d *discoverer) count() {
	var n int64
	if d.reading >= d.cfg.MaxContainers {
		for _, k := range d.known {
			if k.verdict == undecided {
				n++
			}
		}
	}
	d.refused.Store(n)
}
