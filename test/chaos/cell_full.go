// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/faultproxy"
)

const (
	smallQueue = 1 << 20
	// smallDisk is in bytes. It has room for what a storage extension puts down in advance.
	smallDisk = 48 << 20
)

// fillTimeout bounds how long it may take until a queue or disk is full. A stock collector may have no bound at all.
func (r *run) fillTimeout() time.Duration {
	if r.kind == collector.Stock {
		return 20 * time.Second
	}
	return 90 * time.Second
}

// overflow ends the first region's backends for longer than a queue of 1 MiB can bridge.
func overflow(dropOldest bool) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		if err := r.start(ctx, func(s *collector.Settings) { s.QueueBytes, s.DropOldest = smallQueue, dropOldest }); err != nil {
			return err
		}
		if err := r.fault(faultproxy.Fault{Kind: faultproxy.Refuse}); err != nil {
			return err
		}
		if dropOldest {
			r.may.drops = "queue_full"
		}
		r.send(func(s *load.Stream) { s.Pad = 500 }, first)
		r.send(nil, other)
		var err error
		if dropOldest {
			err = r.untilLanes(ctx, r.fillTimeout(), first, func(t collector.Telemetry, l load.Lane) bool {
				return t.Lanes[l].Dropped["queue_full"] > 0
			})
		} else {
			err = r.untilRefused(ctx, r.fillTimeout(), first)
		}
		if errors.Is(err, errTooLong) {
			r.problem("the queue of 1 MiB was not full after %s", r.fillTimeout())
			err = nil
		}
		if err != nil {
			return err
		}
		if err := pause(ctx, pick(r, 3*time.Second, 30*time.Second)); err != nil {
			return err
		}
		if err := r.fault(faultproxy.Fault{}); err != nil {
			return err
		}
		return r.sendsAgain(ctx)
	}
}

// untilRefused waits until each sender of the regions was told that its data isn't taken.
func (r *run) untilRefused(ctx context.Context, timeout time.Duration, regions ...string) error {
	return r.until(ctx, timeout, func() (bool, error) {
		for _, region := range regions {
			for _, s := range r.sendersOf(region) {
				if s.Report().Refused == 0 {
					return false, nil
				}
			}
		}
		return true, nil
	})
}

// sendsAgain waits until data of all senders is acknowledged again, and objects when that doesn't come.
func (r *run) sendsAgain(ctx context.Context) error {
	before := make([]int, len(r.senders))
	for i, s := range r.senders {
		before[i] = s.Acknowledged()
	}
	err := r.until(ctx, drainTimeout, func() (bool, error) {
		for i, s := range r.senders {
			if s.Acknowledged() == before[i] {
				return false, fmt.Errorf("nothing of %s is taken: %s", name(s.Lane), s.Report().LastRefusal)
			}
		}
		return true, nil
	})
	if err != nil && ctx.Err() == nil && r.collector.Alive() == nil {
		r.problem("%s after the fault was over, %v", drainTimeout, err)
		return nil
	}
	return err
}

// diskFull lets the queues fill their disk during an outage of both regions, and kills and starts the collector on the full disk.
func diskFull(ctx context.Context, r *run) (err error) {
	if why := noPrivateMounts(); why != "" {
		return skipped(why)
	}
	disk := filepath.Join(r.dir, "disk")
	unmount, err := mountSmallDisk(disk, smallDisk)
	if err != nil {
		return err
	}
	r.atEnd = append(r.atEnd, unmount)
	if err := r.start(ctx, func(s *collector.Settings) { s.QueueDir = filepath.Join(disk, "queue") }); err != nil {
		return err
	}
	for _, region := range []string{first, other} {
		if err := r.places[region].set(faultproxy.Fault{Kind: faultproxy.Refuse}); err != nil {
			return err
		}
	}
	r.send(func(s *load.Stream) { s.Pad = 2000 }, first, other)
	if err := r.untilRefused(ctx, r.fillTimeout(), first, other); errors.Is(err, errTooLong) {
		r.problem("the disk of %d MiB was not full after %s", smallDisk>>20, r.fillTimeout())
	} else if err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	r.kill()
	if err := r.collector.Start(ctx); err != nil {
		return fmt.Errorf("on the full disk: %w", err)
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	for _, region := range []string{first, other} {
		if err := r.places[region].set(faultproxy.Fault{}); err != nil {
			return err
		}
	}
	return r.sendsAgain(ctx)
}
