// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/internal/status"
)

// refused reads what the lane keeps of what its server refused last, the oldest first, for a person to look at.
func (l *lane) refused(ctx context.Context) ([]status.Refused, error) {
	kept, err := l.queue.Refused(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]status.Refused, len(kept))
	for i, k := range kept {
		all[i] = status.Refused{
			Time: k.Time.UTC(), Reason: k.Reason.String(), Message: k.Message, Items: k.Items, Format: k.Format.String(), Bytes: k.Size,
		}
		if k.Payload == nil {
			continue
		}
		if all[i].Record, err = readable(l.signal, k.Format, k.Payload); err != nil || !json.Valid(all[i].Record) {
			all[i].Record, all[i].Undecoded = nil, k.Payload
		}
	}
	return all, nil
}

// readable returns a payload as JSON: that of OTLP, or the series of remote write.
func readable(s signal, format lanequeue.Format, payload []byte) ([]byte, error) {
	if format == lanequeue.FormatRemoteWrite {
		return readableSeries(payload)
	}
	b, err := unmarshalOTLP(s, payload)
	if err != nil {
		return nil, err
	}
	switch b := b.(type) {
	case metrics:
		return (&pmetric.JSONMarshaler{}).MarshalMetrics(b.Metrics)
	case logs:
		return (&plog.JSONMarshaler{}).MarshalLogs(b.Logs)
	default:
		return (&ptrace.JSONMarshaler{}).MarshalTraces(b.(traces).Traces)
	}
}

type readableSample struct {
	Timestamp int64  `json:"timestamp"` // Unix milliseconds
	Value     string `json:"value"`     // text, since JSON has no NaN
}

type readableTimeSeries struct {
	Labels  map[string]string `json:"labels"`
	Samples []readableSample  `json:"samples"`
}

func readableSeries(payload []byte) ([]byte, error) {
	var req prompb.WriteRequest
	if err := req.Unmarshal(payload); err != nil {
		return nil, err
	}
	all := make([]readableTimeSeries, len(req.Timeseries))
	for i, ts := range req.Timeseries {
		all[i].Labels = make(map[string]string, len(ts.Labels))
		for _, label := range ts.Labels {
			all[i].Labels[label.Name] = label.Value
		}
		for _, sample := range ts.Samples {
			all[i].Samples = append(all[i].Samples, readableSample{sample.Timestamp, strconv.FormatFloat(sample.Value, 'g', -1, 64)})
		}
	}
	return json.Marshal(all)
}
