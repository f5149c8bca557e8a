// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/nodeexporterreceiver/internal/metadata"
)

// nodeReceiver runs the collectors at every interval.
type nodeReceiver struct {
	settings  receiver.Settings
	config    *Config
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	report    *receiverhelper.ObsReport

	runners *runners
	links   string
	boot    pcommon.Timestamp // 0 if it isn't known
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

func newNodeReceiver(set receiver.Settings, c *Config, next consumer.Metrics) (*nodeReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	return &nodeReceiver{settings: set, config: c, next: next, telemetry: telemetry, report: report}, nil
}

// Start makes the collectors and begins to collect.
func (r *nodeReceiver) Start(context.Context, component.Host) error {
	if err := r.prepare(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background()) // Start's own context ends when it returns
	r.cancel = cancel
	r.wg.Go(func() { r.loop(ctx) })
	return nil
}

// prepare makes all that runs, without starting it.
func (r *nodeReceiver) prepare() (err error) {
	if err := claim(r.settings.ID); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			r.end()
		}
	}()
	proc := r.config.paths().proc
	if r.links, err = makeLinks(proc, r.config.LinkDirectory); err != nil {
		return err
	}
	if err := setFlags(r.config.flags(r.links)); err != nil {
		return err
	}
	if r.runners, err = newCollectors(r.config, proc); err != nil {
		return err
	}
	r.boot = bootTime(proc)
	return nil
}

// end gives back what the process has once.
func (r *nodeReceiver) end() {
	if r.links != "" {
		if err := os.RemoveAll(r.links); err != nil {
			r.settings.Logger.Warn("Links couldn't be removed", zap.Error(err))
		}
	}
	release()
}

// Shutdown ends the collecting. A collector that hangs keeps a goroutine, and another node_exporter receiver from starting, until it
// ends; Shutdown doesn't wait for it longer than the collectors' timeout or the context.
func (r *nodeReceiver) Shutdown(ctx context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	r.cancel = nil
	r.wg.Wait()
	ended := make(chan struct{})
	go func() {
		r.runners.wg.Wait()
		r.end()
		close(ended)
	}()
	wait := time.NewTimer(r.config.Timeout)
	defer wait.Stop()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	case <-wait.C:
	}
	return fmt.Errorf("collectors hang: %v", r.runners.hanging())
}

func (r *runners) hanging() []string {
	var out []string
	for _, c := range r.all {
		if c.busy.Load() {
			out = append(out, c.name)
		}
	}
	return out
}

func (r *nodeReceiver) loop(ctx context.Context) {
	delay := time.NewTimer(r.config.InitialDelay)
	defer delay.Stop()
	select {
	case <-ctx.Done():
		return
	case <-delay.C:
	}
	ticker := time.NewTicker(r.config.CollectionInterval)
	defer ticker.Stop()
	for {
		r.collectAndSend(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
