// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/remotewrite"
)

// batch is telemetry of one signal on its way into a lane.
type batch interface {
	items() int
	resources() int
	resource(i int) pcommon.Map
	// shareOf returns the items of resource i, and a measure of how large it is beside the batch's other resources.
	shareOf(i int) (items, weight int)
	// otlp returns the protobuf of the signal's OTLP export request.
	otlp() ([]byte, error)
}

func (m metrics) items() int { return m.DataPointCount() }
func (l logs) items() int    { return l.LogRecordCount() }
func (t traces) items() int  { return t.SpanCount() }

// The protobuf of pdata's top-level types is that of the export requests (opentelemetry-proto says so in each file).

func (m metrics) otlp() ([]byte, error) {
	return (&pmetric.ProtoMarshaler{}).MarshalMetrics(m.Metrics)
}

func (l logs) otlp() ([]byte, error) {
	payload, err := (&plog.ProtoMarshaler{}).MarshalLogs(l.Logs)
	orderLogs(payload)
	return payload, err
}

func (t traces) otlp() ([]byte, error) {
	return (&ptrace.ProtoMarshaler{}).MarshalTraces(t.Traces)
}

// unmarshalOTLP is the inverse of otlp.
func unmarshalOTLP(s signal, payload []byte) (batch, error) {
	switch s {
	case signalMetrics:
		m, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(payload)
		return metrics{m}, err
	case signalLogs:
		l, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(payload)
		return logs{l}, err
	default:
		t, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(payload)
		return traces{t}, err
	}
}

// encoder makes the payloads that lanes store. It is safe for concurrent use.
type encoder struct {
	remoteWrite sync.Pool // of *metricsEncoder
}

// maxScratch is how much an encoder keeps for the next batch, in bytes.
const maxScratch = 8 * mib

// metricsEncoder makes remote write. Payloads grow in memory that is used again, and are copied once their size is known: what
// is left behind of a slice that grows by itself comes to several times its size.
type metricsEncoder struct {
	names   *remotewrite.Encoder // caches the names it has seen
	scratch []byte
}

func (m *metricsEncoder) encode(batch pmetric.Metrics) ([]byte, remotewrite.Result) {
	payload, result := m.names.Append(m.scratch[:0], batch)
	if m.scratch = payload; cap(payload) > maxScratch {
		m.scratch = nil
	}
	return bytes.Clone(payload), result
}

func newEncoder(cfg MetricsConfig) (*encoder, error) {
	options := cfg.options()
	first, err := remotewrite.NewEncoder(options)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	e := &encoder{}
	e.remoteWrite.New = func() any {
		enc, err := remotewrite.NewEncoder(options)
		if err != nil {
			panic(err) // the same options made the first one
		}
		return &metricsEncoder{names: enc}
	}
	e.remoteWrite.Put(&metricsEncoder{names: first})
	return e, nil
}

// encode returns the batch in a format, and counts the items that the format can't carry.
func (e *encoder) encode(b batch, format lanequeue.Format) (payload []byte, items int, dropped lanequeue.Dropped, err error) {
	if m, ok := b.(metrics); ok && format == lanequeue.FormatRemoteWrite {
		enc := e.remoteWrite.Get().(*metricsEncoder)
		defer e.remoteWrite.Put(enc)
		payload, result := enc.encode(m.Metrics)
		dropped[lanequeue.ReasonUnsupported] = int64(result.DroppedPoints())
		return payload, result.Points, dropped, nil
	}
	payload, err = b.otlp()
	return payload, b.items(), dropped, err
}
