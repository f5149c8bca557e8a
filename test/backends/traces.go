// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrNotFound is the error of a trace that the server doesn't have.
var ErrNotFound = errors.New("trace not found")

// Trace is a trace as Jaeger shows it.
type Trace struct {
	ID    string // hexadecimal; 16 digits if the upper half is 0, else 32
	Spans []Span // in no set order
}

// Span is a span as Jaeger shows it. Tag values of other types than string are
// in their JSON form, such as "true" or "1.5".
type Span struct {
	ID       string // hexadecimal
	ParentID string // "" for a root span
	Name     string
	Service  string
	Start    time.Time // to the microsecond
	Duration time.Duration
	// Tags are the span's attributes, plus span.kind, otel.status_code and so on.
	Tags map[string]string
	// ProcessTags are the resource's attributes but service.name.
	ProcessTags map[string]string
}

// Services returns the names of all services that Jaeger has spans of.
func (s *Server) Services(ctx context.Context) ([]string, error) {
	var answer struct{ Data []string }
	err := s.get(ctx, "/api/services", nil, decodeInto(&answer))
	return answer.Data, err
}

// Traces returns at most limit traces with spans of a service that started from
// start to end, on Jaeger. A zero start or end means no bound on that side, a
// limit of 0 Jaeger's own of 100.
func (s *Server) Traces(ctx context.Context, service string, limit int, start, end time.Time) ([]Trace, error) {
	query := url.Values{"service": {service}}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	// Jaeger's own defaults are the last two days.
	query.Set("start", "0")
	if !start.IsZero() {
		query.Set("start", strconv.FormatInt(start.UnixMicro(), 10))
	}
	if end.IsZero() {
		end = time.Now().AddDate(100, 0, 0)
	}
	query.Set("end", strconv.FormatInt(end.UnixMicro(), 10))
	return s.traces(ctx, "/api/traces", query)
}

// Trace returns the trace with that hexadecimal ID, on Jaeger; the error is
// ErrNotFound if there is none.
func (s *Server) Trace(ctx context.Context, id string) (Trace, error) {
	traces, err := s.traces(ctx, "/api/traces/"+url.PathEscape(id), nil)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusNotFound {
		return Trace{}, s.named(fmt.Errorf("%w: %s", ErrNotFound, id))
	}
	if err != nil {
		return Trace{}, err
	}
	if len(traces) != 1 {
		return Trace{}, s.named(fmt.Errorf("trace %s: the answer has %d traces instead of 1", id, len(traces)))
	}
	return traces[0], nil
}

// The JSON form of Jaeger's HTTP interface, as far as it is read.
type (
	jaegerTrace struct {
		TraceID   string `json:"traceID"`
		Spans     []jaegerSpan
		Processes map[string]struct {
			ServiceName string `json:"serviceName"`
			Tags        []jaegerTag
		}
	}
	jaegerSpan struct {
		SpanID        string `json:"spanID"`
		OperationName string `json:"operationName"`
		References    []struct {
			RefType string `json:"refType"`
			TraceID string `json:"traceID"`
			SpanID  string `json:"spanID"`
		}
		StartTime int64 `json:"startTime"` // microseconds
		Duration  int64 // microseconds
		Tags      []jaegerTag
		ProcessID string `json:"processID"`
	}
	jaegerTag struct {
		Key   string
		Value json.RawMessage
	}
)

func (s *Server) traces(ctx context.Context, path string, query url.Values) ([]Trace, error) {
	var answer struct{ Data []jaegerTrace }
	if err := s.get(ctx, path, query, decodeInto(&answer)); err != nil {
		return nil, err
	}
	traces := make([]Trace, len(answer.Data))
	for i, t := range answer.Data {
		traces[i] = Trace{ID: t.TraceID, Spans: make([]Span, len(t.Spans))}
		for j, span := range t.Spans {
			process := t.Processes[span.ProcessID]
			traces[i].Spans[j] = Span{
				ID:          span.SpanID,
				ParentID:    span.parent(t.TraceID),
				Name:        span.OperationName,
				Service:     process.ServiceName,
				Start:       time.UnixMicro(span.StartTime),
				Duration:    time.Duration(span.Duration) * time.Microsecond,
				Tags:        tagMap(span.Tags),
				ProcessTags: tagMap(process.Tags),
			}
		}
	}
	return traces, nil
}

func (s jaegerSpan) parent(traceID string) string {
	for _, r := range s.References {
		if r.RefType == "CHILD_OF" && r.TraceID == traceID {
			return r.SpanID
		}
	}
	return ""
}

func tagMap(tags []jaegerTag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		var text string
		if json.Unmarshal(t.Value, &text) != nil {
			text = string(t.Value)
		}
		m[t.Key] = text
	}
	return m
}
