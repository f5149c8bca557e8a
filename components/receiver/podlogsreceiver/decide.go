// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
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

// sweep removes the checkpoints of containers that went while the receiver was down, and counts what wasn't read of them.
func (d *discoverer) sweep() {
	there := make(map[string]bool, len(d.known))
	for id := range d.known {
		there[id.key()] = true
	}
	var gone []update
	for _, key := range d.store.keys() {
		if there[key] {
			continue
		}
		gone = append(gone, update{key: key})
		for _, cp := range d.store.of(key) {
			if unread := cp.unread(); unread > 0 {
				d.telemetry.KofPodLogsGaps.Add(context.Background(), 1, byReason[reasonLost])
				d.telemetry.KofPodLogsGapBytes.Add(context.Background(), unread, byReason[reasonLost])
				d.logger.Warn("A container's log went before it was read to its end", zap.String("container", key), zap.Int64("bytes", unread))
			}
		}
	}
	if len(gone) == 0 {
		return
	}
	if err := d.store.save(context.Background(), gone); err != nil {
		d.logger.Warn("Can't remove the checkpoints of containers that are gone", zap.Error(err))
	}
}
