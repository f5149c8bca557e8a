// SPDX-License-Identifier: Apache-2.0

package found

import (
	"context"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/shop"
)

// maxTraces bounds one search in Jaeger.
const maxTraces = 50_000

// SpanIDs returns how often each span of the services that started at or after the given time is stored.
func SpanIDs(ctx context.Context, server *backends.Server, services []string, since time.Time) (map[string]int, error) {
	ids := map[string]int{}
	for _, service := range services {
		traces, err := server.Traces(ctx, service, maxTraces, since, time.Time{})
		if err != nil {
			return nil, err
		}
		for _, trace := range traces {
			for _, span := range trace.Spans {
				ids[shop.SpanID(trace.ID, span.ID)]++
			}
		}
	}
	return ids, nil
}
