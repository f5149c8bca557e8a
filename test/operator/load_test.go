// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// pause between two numbers.
const pause = 10 * time.Millisecond

// load sends one log record, one data point and one span of each number, in their order, each until the agent takes it.
type load struct {
	number atomic.Int64 // the last of which all three were taken
	again  atomic.Int64 // requests that were made once more, as the agent did not answer
	end    chan struct{}
	done   chan struct{}
}

func startLoad(t *testing.T, otlp string) *load {
	t.Helper()
	l := &load{end: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for n := 1; ; n++ {
			for path, body := range bodies(n) {
				for !post("http://"+otlp+path, body) {
					l.again.Add(1)
					select {
					case <-t.Context().Done(): // whatever the agent does, the test ends
						return
					case <-time.After(pause):
					}
				}
			}
			l.number.Store(int64(n))
			select {
			case <-l.end:
				return
			case <-time.After(pause):
			}
		}
	}()
	return l
}

// sent returns the last number.
func (l *load) sent() int { return int(l.number.Load()) }

// stop ends it and returns the last number.
func (l *load) stop() int {
	close(l.end)
	<-l.done
	return l.sent()
}

func post(url string, body []byte) bool {
	response, err := webClient.Post(url, "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// bodies of a number, by path.
func bodies(n int) map[string][]byte {
	now, text := pcommon.NewTimestampFromTime(time.Now()), strconv.Itoa(n)
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "e2e")
	record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(now)
	record.Body().SetStr("number " + text)
	record.Attributes().PutStr("n", text)

	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "e2e")
	metric := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("e2e_number")
	point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
	point.SetTimestamp(now)
	point.SetIntValue(int64(n))
	point.Attributes().PutStr("n", text)

	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "e2e")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	var id [16]byte
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	span.SetTraceID(id)
	span.SetSpanID([8]byte(id[8:]))
	span.SetName("number")
	span.SetStartTimestamp(now)
	span.SetEndTimestamp(now + 1000)
	span.Attributes().PutStr("n", text)

	out := map[string][]byte{}
	out["/v1/logs"], _ = (&plog.ProtoMarshaler{}).MarshalLogs(logs) // of what was just made
	out["/v1/metrics"], _ = (&pmetric.ProtoMarshaler{}).MarshalMetrics(metrics)
	out["/v1/traces"], _ = (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	return out
}
