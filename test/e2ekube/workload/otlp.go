// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// sender sends single spans and points. It names itself as the service and says nothing else of where it is: that is for
// the agent to find out.
type sender struct {
	run     string
	id      []byte
	traces  ptraceotlp.GRPCClient
	metrics pmetricotlp.GRPCClient
}

func newSender(address, run string) (*sender, error) {
	id, err := hex.DecodeString(run)
	if err != nil {
		return nil, err
	}
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &sender{run, id, ptraceotlp.NewGRPCClient(c), pmetricotlp.NewGRPCClient(c)}, nil
}

// span sends span n of the run: its trace ID is the run's ID and n.
func (s *sender) span(ctx context.Context, n int64) error {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	s.name(resource.Resource())
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	var trace [16]byte
	copy(trace[:], s.id)
	binary.BigEndian.PutUint64(trace[8:], uint64(n))
	span.SetTraceID(trace)
	span.SetSpanID(pcommon.SpanID(trace[8:]))
	if n == 0 { // an ID of zeros is none
		span.SetSpanID([8]byte{1})
	}
	span.SetName(fmt.Sprintf("run=%s n=%d", s.run, n))
	span.SetKind(ptrace.SpanKindServer)
	now := time.Now()
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Millisecond)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
	_, err := s.traces.Export(ctx, ptraceotlp.NewExportRequestFromTraces(traces))
	return err
}

// point sends point n of the run: a gauge with the value n.
func (s *sender) point(ctx context.Context, n int64) error {
	metrics := pmetric.NewMetrics()
	resource := metrics.ResourceMetrics().AppendEmpty()
	s.name(resource.Resource())
	metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("workload_otlp_number")
	point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
	point.Attributes().PutStr("run", s.run)
	point.SetIntValue(n)
	point.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	_, err := s.metrics.Export(ctx, pmetricotlp.NewExportRequestFromMetrics(metrics))
	return err
}

func (s *sender) name(r pcommon.Resource) {
	r.Attributes().PutStr("service.name", "workload-"+s.run)
}
