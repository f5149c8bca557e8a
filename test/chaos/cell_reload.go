// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/chaos/collector"
)

// reload changes the region directory under load. Records for a region that it doesn't have are held until it does.
func reload(ctx context.Context, r *run) error {
	if err := r.start(ctx, nil); err != nil {
		return err
	}
	r.send(nil, first, other, standIn)
	renamed := r.directoryOf(first, other, standIn)
	renamed.Regions["eu-9"] = renamed.Regions[standIn]
	delete(renamed.Regions, standIn)
	foreign := r.directoryOf(first, other, standIn).change(first, func(d *directoryRegion) { d.Failover = []string{other} })
	shared := r.directoryOf(first, other).change(other, func(d *directoryRegion) { d.Logs = r.directoryOf(first).Regions[first].Logs })
	// Only where the region is known: one that comes is taken as it is.
	moved := r.directoryOf(first, other).change(other, func(d *directoryRegion) { d.Zone = "eu" })
	noHome := r.directoryOf(other, standIn)
	const movedZone = "a region in another zone"
	steps := []struct {
		what    string
		content any // a directory, or text that is none
		good    bool
	}{
		{"a region is added", r.directoryOf(first, other, standIn), true},
		{"a stand-in of another zone", foreign, false},
		{"no YAML", "regions: [", false},
		{"a region is removed", r.directoryOf(first, standIn), true},
		{"one endpoint in two zones", shared, false},
		{"it is back, another is renamed", renamed, true},
		{movedZone, moved, false},
		{"no home region", noHome, false},
		{"all regions", r.directoryOf(first, other, standIn), true},
	}
	var applied, refused int64
	known, number := true, 0
	for range pick(r, 1, 8) {
		r.rng.Shuffle(len(steps)-1, func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		for _, step := range steps {
			if step.what == movedZone && !known {
				continue
			}
			number++
			if err := r.replaceDirectory(step.content, number); err != nil {
				return err
			}
			if step.good {
				_, known = step.content.(directory).Regions[other]
				applied++
			}
			var t collector.Telemetry
			err := r.until(ctx, 20*time.Second, func() (bool, error) {
				var err error
				t, err = r.collector.Telemetry(ctx)
				// What is refused may be looked at again, and refused again.
				return err == nil && t.Reloads["applied"] == applied && (step.good || t.Reloads["refused"] > refused), err
			})
			refused = t.Reloads["refused"]
			if errors.Is(err, errTooLong) {
				r.problem("%s: %d directories applied, should be %d; %d refused", step.what, t.Reloads["applied"], applied, refused)
				return nil
			}
			if err != nil {
				return err
			}
			// Sometimes longer than drain_timeout, after which the lane of a removed region holds.
			if err := pause(ctx, r.between(300*time.Millisecond, 3*time.Second)); err != nil {
				return err
			}
		}
	}
	r.note("%d applied, %d refused", applied, refused)
	return nil
}

// replaceDirectory writes another directory, or text that is none. The number makes it differ from those before: what is the same is not
// looked at again.
func (r *run) replaceDirectory(content any, number int) error {
	text, ok := content.(string)
	if !ok {
		marshaled, err := yaml.Marshal(content)
		if err != nil {
			return err
		}
		text = string(marshaled)
	}
	return replaceFile(r.settings.Directory, fmt.Appendf(nil, "%s\n# %d\n", text, number))
}
