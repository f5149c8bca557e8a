// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/internal/region"
)

// The export methods of OTLP over gRPC (opentelemetry-proto, collector/*/v1/*_service.proto).
var grpcMethods = map[signal]string{
	signalMetrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	signalLogs:    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
	signalTraces:  "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}

// grpcSender calls OTLP's export method with payloads that are encoded already.
type grpcSender struct {
	conn    *grpc.ClientConn
	target  string
	method  string
	header  metadata.MD
	secrets map[string]string // the headers that the directory sets
	auth    *credentials
	timeout time.Duration
}

func newGRPCSender(e region.Endpoint, sig signal, auth *credentials, t *tls.Config, cfg *Config, userAgent string) (sender, error) {
	u, err := url.Parse(e.URL)
	if err != nil {
		return nil, err
	}
	transport := insecure.NewCredentials()
	if u.Scheme == "https" {
		if t == nil {
			t = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		transport = grpccredentials.NewTLS(t)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent(userAgent),
		grpc.WithNoProxy(), // a proxy of the environment may not lead data out of its zone
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		// The library's own would try to connect every two minutes only, whatever the lane does.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: cfg.Retry.InitialInterval, Multiplier: 1.6, Jitter: 0.2, MaxDelay: cfg.Retry.MaxInterval,
			},
			MinConnectTimeout: min(cfg.Timeout, 20*time.Second),
		}),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})),
	}
	if e.Compression != "none" {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)))
	}
	conn, err := grpc.NewClient(u.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.URL, err)
	}
	header := metadata.MD{}
	for name, value := range e.Headers {
		header.Set(name, value)
	}
	return &grpcSender{conn: conn, target: e.URL, method: grpcMethods[sig], header: header, secrets: e.Headers, auth: auth, timeout: cfg.Timeout}, nil
}

func (s *grpcSender) format() lanequeue.Format { return lanequeue.FormatOTLP }

func (s *grpcSender) close() { _ = s.conn.Close() }

func (s *grpcSender) send(ctx context.Context, payload []byte) answer {
	header := s.header
	authorization, err := s.auth.header()
	if err != nil {
		return answer{verdict: tryAgain, class: "credentials", err: err}
	}
	if authorization != "" {
		header = header.Copy()
		header.Set("authorization", authorization)
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, header), s.timeout)
	defer cancel()

	said := func(text string) string { return words(redact([]byte(text), authorization, s.secrets)) }
	var reply []byte
	// The compressed size isn't known out here; the payload's is its upper bound.
	a := answer{wireBytes: len(payload)}
	if err := s.conn.Invoke(ctx, s.method, &payload, &reply); err != nil {
		st := status.Convert(err)
		a.verdict, a.class = verdictOfCode(st), st.Code().String()
		a.retryAfter = retryInfo(st)
		a.err = fmt.Errorf("%s answered %s: %s", s.target, st.Code(), said(st.Message()))
		return a
	}
	a.class = codes.OK.String()
	var message string
	if a.rejected, message = partialSuccess(reply); a.rejected > 0 {
		a.err = fmt.Errorf("%s rejected %d items: %s", s.target, a.rejected, said(message))
	}
	return a
}

// verdictOfCode differs from OTLP's table of retryable codes on purpose: a code that speaks of the server, its settings or the
// credentials is tried again, since the data can still be delivered when that is mended. Only InvalidArgument speaks of the data.
func verdictOfCode(st *status.Status) verdict {
	switch st.Code() {
	case codes.InvalidArgument:
		return badData
	case codes.ResourceExhausted:
		// gRPC has no code of its own for a message above the receiver's limit, only words of the library's: "received message larger
		// than max", "message after decompression larger than max".
		if strings.Contains(st.Message(), "larger than max") {
			return tooLarge
		}
		return tryAgain
	default:
		return tryAgain
	}
}

func retryInfo(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// rawCodec passes bytes through, under the name of the encoding that they have.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("want *[]byte, got %T", v)
	}
	return *b, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("want *[]byte, got %T", v)
	}
	*b = append([]byte(nil), data...)
	return nil
}

func (rawCodec) Name() string { return "proto" }
