// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/internal/region"
)

// sender speaks a protocol to one endpoint. It is safe for concurrent use.
type sender interface {
	// format is the payload that the protocol carries.
	format() lanequeue.Format
	// send makes one attempt to deliver a payload; an empty payload is valid and carries nothing.
	send(ctx context.Context, payload []byte) answer
	close()
}

// verdict is what an answer means for the records of the request.
type verdict int

const (
	// delivered: the server has the records, but for those it says it rejected.
	delivered verdict = iota
	// tryAgain: the fault lies with the server, the way to it or its settings, not with the records.
	tryAgain
	// badData: the server refuses the records as they are.
	badData
	// tooLarge: the server refuses a request of this size.
	tooLarge
)

// answer is the outcome of one attempt.
type answer struct {
	verdict    verdict
	rejected   int64         // with delivered: items that the server left out
	retryAfter time.Duration // with tryAgain: the wait that the server asks for
	class      string        // a label of few values: an HTTP status, a gRPC code, or network, timeout, credentials
	err        error         // in the server's words, bounded
	wireBytes  int
}

// signal is one of the three, as lanes, metrics and storage names call it.
type signal string

const (
	signalMetrics signal = "metrics"
	signalLogs    signal = "logs"
	signalTraces  signal = "traces"
)

func endpointOf(r *region.Region, s signal) region.Endpoint {
	switch s {
	case signalMetrics:
		return r.Metrics
	case signalLogs:
		return r.Logs
	default:
		return r.Traces
	}
}

// shownURL returns a URL for logs and pages: without the query, which may hold a token.
func shownURL(raw string) string {
	short, _, _ := strings.Cut(raw, "?")
	return short
}

// newSender returns the sender of a region's signal; nil where the region has no endpoint for it.
func newSender(ctx context.Context, r *region.Region, s signal, cfg *Config, userAgent string) (sender, error) {
	endpoint := endpointOf(r, s)
	if endpoint.URL == "" {
		return nil, nil
	}
	tlsConfig, err := clientTLS(ctx, r.TLS)
	if err != nil {
		return nil, fmt.Errorf("regions.%s.tls: %w", r.Name, err)
	}
	auth := &credentials{config: r.Auth}
	switch endpoint.Protocol {
	case region.RemoteWrite:
		return newRemoteWriteSender(endpoint, auth, tlsConfig, cfg, userAgent), nil
	case region.OTLPHTTP:
		return newOTLPHTTPSender(endpoint, s, auth, tlsConfig, cfg, userAgent), nil
	case region.OTLPgRPC:
		return newGRPCSender(endpoint, s, auth, tlsConfig, cfg, userAgent)
	default:
		return nil, fmt.Errorf("regions.%s.%s.protocol: %q is not known", r.Name, s, endpoint.Protocol)
	}
}
