// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/internal/region"
)

// openLane is a lane with what the directory said of it last.
type openLane struct {
	*lane
	regions []*region.Region // its own region and those that stand in for it, as its destinations were made from; nil: it holds
	// draining ends the delivery to a region that the directory no longer has; nil while it has it.
	draining *time.Timer
}

// judge returns why dir can never follow the directory in force. e.mu is held.
func (e *regionExporter) judge(dir *region.Directory) error {
	if _, ok := dir.Regions[e.cfg.HomeRegion]; !ok {
		return fmt.Errorf("home_region: the directory has no region %q", e.cfg.HomeRegion)
	}
	return e.checkZones(dir)
}

// apply makes dir, which is judged, the directory in force, or returns why it can't be now and leaves everything as it was. e.mu is held.
func (e *regionExporter) apply(ctx context.Context, dir *region.Directory) error {
	plan, err := e.plan(ctx, dir)
	if err != nil {
		plan.abandon()
		return err
	}
	if err := e.openLanes(ctx, dir); err != nil {
		plan.abandon()
		return err
	}

	// From here on nothing fails.
	next := &routing{directory: dir, lanes: map[laneKey]*lane{}, unknown: maps.Clone(e.unknown)}
	for key, l := range e.lanes {
		if _, known := dir.Regions[key.region]; !known {
			e.drain(key, l)
			continue
		}
		next.lanes[key] = l.lane
		if l.draining != nil {
			l.draining.Stop()
			l.draining = nil
			l.leaving.Store(false)
		}
		if change, ok := plan[key]; ok {
			l.regions = change.regions
			l.deliverTo(change.destinations)
		}
	}
	e.routing.Store(next)
	for _, l := range e.unknown {
		l.look()
	}
	return nil
}

// checkZones refuses to move a region into another zone while the exporter runs: records that were decided for it would follow.
func (e *regionExporter) checkZones(dir *region.Directory) error {
	old := e.routing.Load()
	if old == nil {
		return nil
	}
	var errs []error
	for name, r := range dir.Regions {
		if was, ok := old.directory.Regions[name]; ok && was.Zone != r.Zone {
			errs = append(errs, fmt.Errorf("regions.%s.zone: a region can't move from zone %q to %q; give the new one another name", name, was.Zone, r.Zone))
		}
	}
	return errors.Join(errs...)
}

// plan is the new destinations of the lanes that need any.
type plan map[laneKey]change

type change struct {
	regions      []*region.Region
	destinations []*destination
}

// abandon closes destinations that were not put to use.
func (p plan) abandon() {
	for _, c := range p {
		for _, d := range c.destinations {
			d.close()
		}
	}
}

// plan makes the destinations of each lane whose regions are not those that it has.
func (e *regionExporter) plan(ctx context.Context, dir *region.Directory) (plan, error) {
	changes := plan{}
	for name, r := range dir.Regions {
		regions := []*region.Region{r}
		for _, standIn := range r.Failover {
			regions = append(regions, dir.Regions[standIn])
		}
		for _, s := range e.signals {
			key := laneKey{name, s}
			if l, ok := e.lanes[key]; ok && reflect.DeepEqual(l.regions, regions) {
				continue
			}
			c := change{regions: regions}
			for _, candidate := range regions {
				to, err := e.destination(ctx, candidate, s)
				if err != nil {
					changes[key] = c
					return changes, err
				}
				if to != nil && !to.takesFrom(c.destinations) {
					to.close()
					e.set.Logger.Warn("A region can't stand in for another one whose records are stored for remote write: its endpoint takes OTLP only.",
						zap.String("region", name), zap.String("stand_in", candidate.Name), zap.String("signal", string(s)))
					continue
				}
				if to != nil {
					c.destinations = append(c.destinations, to)
				}
				if to == nil && candidate == r {
					break // a region that takes no such signal has nothing to stand in for
				}
			}
			changes[key] = c
		}
	}
	return changes, nil
}

// destination returns the endpoint of a region for a signal; nil where it has none.
func (e *regionExporter) destination(ctx context.Context, r *region.Region, s signal) (*destination, error) {
	userAgent := fmt.Sprintf("%s/%s", e.set.BuildInfo.Command, e.set.BuildInfo.Version)
	sender, err := newSender(ctx, r, s, e.cfg, userAgent)
	if err != nil || sender == nil {
		return nil, err
	}
	return &destination{region: r.Name, zone: r.Zone, endpoint: shownURL(endpointOf(r, s).URL), sender: sender}, nil
}

// drain lets a lane whose region has left the directory deliver what it holds for a set time; then it holds the rest. Without a
// destination, as after a restart, it holds at once.
func (e *regionExporter) drain(key laneKey, l *openLane) {
	if l.draining != nil || l.regions == nil {
		return
	}
	e.set.Logger.Warn("The directory no longer has a region; what was accepted for it is delivered for a while, then held.",
		zap.String("region", key.region), zap.String("signal", string(key.signal)), zap.Duration("drain_timeout", e.cfg.Directory.DrainTimeout))
	l.leaving.Store(true)
	l.draining = time.AfterFunc(e.cfg.Directory.DrainTimeout, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if l.draining != nil && e.lanes[key] == l {
			l.regions = nil
			l.deliverTo(nil)
		}
	})
}
