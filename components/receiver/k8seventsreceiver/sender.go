// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/components/receiver/k8seventsreceiver/internal/metadata"
)

// What can fail, as the internal metric names it.
const (
	reasonList     = "list"
	reasonWatch    = "watch"
	reasonConsumer = "consumer"
	reasonPosition = "position"
)

// The bounds of the pauses between tries.
const (
	minPause = time.Second
	maxPause = 30 * time.Second
)

// sender gives records to the pipeline.
type sender struct {
	next      consumer.Logs
	telemetry *metadata.TelemetryBuilder
	settings  receiver.Settings
	minPause  time.Duration
}

// send returns nil when the pipeline has accepted the records, or refused them for ever; else only when the context ends.
func (s *sender) send(ctx context.Context, events []*corev1.Event) error {
	pause := s.backoff()
	for try := 0; ; try++ {
		// Made anew: a pipeline that refuses may have changed what it was given.
		err := s.next.ConsumeLogs(ctx, logsOf(events, time.Now(), s.settings.BuildInfo.Version))
		n := int64(len(events))
		switch {
		case err == nil:
			s.telemetry.K8sEventsRecords.Add(ctx, n)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case consumererror.IsPermanent(err):
			s.telemetry.K8sEventsDropped.Add(ctx, n)
			s.settings.Logger.Error("Events were refused for ever and are dropped", zap.Int64("records", n), zap.Error(err))
			return nil
		}
		s.count(ctx, reasonConsumer)
		if try == 0 {
			s.settings.Logger.Warn("Events were refused: tried again", zap.Error(err))
		}
		pause.wait(ctx)
	}
}

func (s *sender) count(ctx context.Context, reason string) {
	s.telemetry.K8sEventsErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reason)))
}

func (s *sender) relisted(ctx context.Context) { s.telemetry.K8sEventsRelists.Add(ctx, 1) }

func (s *sender) backoff() *backoff { return &backoff{first: s.minPause, next: s.minPause} }

// backoff doubles the pause with every wait.
type backoff struct{ first, next time.Duration }

func (b *backoff) reset() { b.next = b.first }

// wait returns early when the context ends.
func (b *backoff) wait(ctx context.Context) {
	t := time.NewTimer(b.next/2 + rand.N(b.next/2+1))
	defer t.Stop()
	b.next = min(2*b.next, maxPause)
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
