// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

var discardLog = log.New(io.Discard, "", 0)

// grpcBackend is a real OTLP server whose answers the test controls.
type grpcBackend struct {
	plogotlp.UnimplementedGRPCServer
	addr   string
	server *grpc.Server

	mu       sync.Mutex
	headers  []metadata.MD
	stored   map[string]int
	answer   func(ids []string) error
	rejected int64
}

func newGRPCBackend(t testing.TB, tlsConfig *tls.Config, options ...grpc.ServerOption) *grpcBackend {
	b := &grpcBackend{stored: map[string]int{}}
	if tlsConfig != nil {
		options = append(options, grpc.Creds(grpccredentials.NewTLS(tlsConfig)))
	}
	b.listen(t, "127.0.0.1:0", options...)
	return b
}

func (b *grpcBackend) listen(t testing.TB, addr string, options ...grpc.ServerOption) {
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	b.addr, b.server = l.Addr().String(), grpc.NewServer(options...)
	plogotlp.RegisterGRPCServer(b.server, b)
	ptraceotlp.RegisterGRPCServer(b.server, &grpcTraces{b: b})
	pmetricotlp.RegisterGRPCServer(b.server, &grpcMetrics{b: b})
	server := b.server
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() { server.Stop(); <-done })
}

func (b *grpcBackend) take(ctx context.Context, ids []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	md, _ := metadata.FromIncomingContext(ctx)
	b.headers = append(b.headers, md)
	if b.answer != nil {
		if err := b.answer(ids); err != nil {
			return err
		}
	}
	for _, id := range ids {
		b.stored[id]++
	}
	return nil
}

func (b *grpcBackend) setAnswer(answer func(ids []string) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

func (b *grpcBackend) has() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.stored)
}

func (b *grpcBackend) Export(ctx context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	resp := plogotlp.NewExportResponse()
	if b.rejected != 0 {
		resp.PartialSuccess().SetRejectedLogRecords(b.rejected)
		resp.PartialSuccess().SetErrorMessage("too old")
	}
	return resp, b.take(ctx, logIDs(req.Logs()))
}

type grpcTraces struct {
	ptraceotlp.UnimplementedGRPCServer
	b *grpcBackend
}

func (s *grpcTraces) Export(ctx context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	return ptraceotlp.NewExportResponse(), s.b.take(ctx, spanIDs(req.Traces()))
}

type grpcMetrics struct {
	pmetricotlp.UnimplementedGRPCServer
	b *grpcBackend
}

func (s *grpcMetrics) Export(ctx context.Context, req pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	return pmetricotlp.NewExportResponse(), s.b.take(ctx, pointIDs(req.Metrics()))
}
