// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// send sends a trace each 200 ms: a call that the service takes, and one that it makes. Every tenth fails.
func send(ctx context.Context, address, service string) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		return
	}
	client := ptraceotlp.NewGRPCClient(conn)
	for n := 0; ; n++ {
		if _, err := client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(trace(service, n))); err != nil {
			fmt.Fprintln(os.Stderr, "workload:", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func trace(service string, n int) ptrace.Traces {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	var id [16]byte
	_, _ = rand.Read(id[:])
	now := time.Now()
	add := func(name string, kind ptrace.SpanKind, number byte, took time.Duration) ptrace.Span {
		s := spans.AppendEmpty()
		s.SetTraceID(id)
		s.SetSpanID([8]byte{number, id[1], id[2]})
		s.SetName(name)
		s.SetKind(kind)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-took)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
		if n%10 == 0 {
			s.Status().SetCode(ptrace.StatusCodeError)
		}
		return s
	}
	taken := add([]string{"GET /cart", "POST /order"}[n%2], ptrace.SpanKindServer, 1, time.Duration(5+n%40)*time.Millisecond)
	add("POST /pay", ptrace.SpanKindClient, 2, 3*time.Millisecond).SetParentSpanID(taken.SpanID())
	return traces
}
