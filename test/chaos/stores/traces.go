// SPDX-License-Identifier: Apache-2.0

package stores

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/chaos/load"
)

const (
	// tracesPerQuery keeps an answer of some 20 spans a trace at about 10 MB.
	tracesPerQuery = 1000
	maxAnswer      = 256 << 20
)

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

func readTraces(ctx context.Context, region *backends.Region, r Range, to Found) error {
	stream := r.Stream
	stream.Signal = load.Traces
	for first := 0; first < r.Requests; first += tracesPerQuery {
		start := stream.RequestTime(first)
		end := stream.RequestTime(first + tracesPerQuery).Add(-time.Microsecond) // both are included
		traces, err := findTraces(ctx, region.Traces, stream.Run, start, end)
		if err != nil {
			return fmt.Errorf("%s: %w", region.Traces.Name, err)
		}
		if err := addSpans(traces, to); err != nil {
			return fmt.Errorf("%s: %w", region.Traces.Name, err)
		}
	}
	return nil
}

// findTraces asks by Jaeger's API of version 3: that of its pages, /api/traces, shows a span that was stored twice once.
func findTraces(ctx context.Context, jaeger *backends.Server, service string, start, end time.Time) (ptrace.Traces, error) {
	query := url.Values{
		"query.service_name":   {service},
		"query.start_time_min": {start.UTC().Format(time.RFC3339Nano)},
		"query.start_time_max": {end.UTC().Format(time.RFC3339Nano)},
		// Several regions' records may be in one store.
		"query.num_traces": {strconv.Itoa(10 * tracesPerQuery)},
	}
	none := ptrace.NewTraces()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, jaeger.URL+"/api/v3/traces?"+query.Encode(), http.NoBody)
	if err != nil {
		return none, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return none, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return none, err
	}
	if resp.StatusCode != http.StatusOK || len(body) > maxAnswer {
		return none, fmt.Errorf("traces: %s, %d bytes", resp.Status, len(body))
	}
	var answer struct{ Result json.RawMessage }
	if err := json.Unmarshal(body, &answer); err != nil {
		return none, fmt.Errorf("traces: %w", err)
	}
	if len(answer.Result) == 0 {
		return none, errors.New("traces: an answer without a result")
	}
	return (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(answer.Result)
}

func addSpans(traces ptrace.Traces, to Found) error {
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				intended, ok1 := span.Attributes().Get(load.IntendedAttribute)
				n, ok2 := span.Attributes().Get(load.SequenceAttribute)
				if !ok1 || !ok2 {
					return fmt.Errorf("a span without %s or %s", load.IntendedAttribute, load.SequenceAttribute)
				}
				to.add(load.Lane{Region: intended.Str(), Signal: load.Traces}, int(n.Int()))
			}
		}
	}
	return nil
}
