// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// superviseFailover decides, while the lane runs, which of its candidates takes the records. All of them lie in one residency zone:
// the directory is refused otherwise, and each request is checked again.
//
// Away from an endpoint: after no attempt has delivered for failover::after, to the first other candidate that answers a probe. Back
// to a preferred one: after each probe of it has succeeded for failover::return_after. A probe is a request without records.
func (l *lane) superviseFailover(ctx context.Context) {
	ticker := time.NewTicker(l.cfg.Failover.ProbeInterval)
	defer ticker.Stop()
	healthy := map[*destination]time.Time{} // since when each probe of a preferred candidate succeeded
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		candidates, active := l.route.snapshot()
		if len(candidates) < 2 {
			clear(healthy)
			continue
		}
		if back := l.preferred(ctx, candidates[:active], healthy); back != nil {
			l.switchTo(candidates[active], back, "The endpoint is back; delivering to it again.")
			clear(healthy)
			continue
		}
		if l.health.failing(time.Now()) >= l.cfg.Failover.After {
			for i, c := range candidates {
				if i != active && l.probe(ctx, c) {
					l.switchTo(candidates[active], c, "The endpoint has failed for too long; delivering to another region of the zone.")
					clear(healthy)
					break
				}
			}
		}
	}
}

// preferred probes the candidates before the active one, and returns the first that has been healthy for long enough.
func (l *lane) preferred(ctx context.Context, before []*destination, healthy map[*destination]time.Time) *destination {
	var best *destination
	for _, c := range before {
		if !l.probe(ctx, c) {
			delete(healthy, c)
			continue
		}
		since, ok := healthy[c]
		if !ok {
			since = time.Now()
			healthy[c] = since
		}
		if best == nil && time.Since(since) >= l.cfg.Failover.ReturnAfter {
			best = c
		}
	}
	return best
}

func (l *lane) probe(ctx context.Context, to *destination) bool {
	ctx, cancel := context.WithTimeout(ctx, min(l.cfg.Timeout, l.cfg.Failover.ProbeInterval))
	defer cancel()
	return to.send(ctx, nil).verdict == delivered
}

func (l *lane) switchTo(from, to *destination, message string) {
	if !l.route.activate(from, to) {
		return
	}
	l.health.restart()
	l.unpark()
	l.telemetry.KofRegionFailovers.Add(l.ctx, 1, l.attrs)
	l.logger.Warn(message, zap.String("from", from.region), zap.String("to", to.region), zap.String("zone", to.zone))
}
