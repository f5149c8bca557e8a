// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// kind is what differs between the servers.
type kind struct {
	tool   string // name in package toolcache
	ports  int    // how many it listens on; the first is that of Server.URL
	health string // path that answers 200 when it is ready
	marker string // printed once all ports are bound
	env    []string
	// args returns the command line for a server whose ports and folder are
	// set, and writes its configuration file if it has one.
	args func(*Server) ([]string, error)
}

// Both Victoria servers bind one port, say so, and take the last of a flag that
// is given twice. Flags that bound or change more than where data is:
//   - retentionPeriod: tests write data with fixed dates, which a short one drops.
//   - memory.allowedBytes: the caches; the default is 60 % of the machine.
//   - inmemoryDataFlushInterval: what a Kill may lose; 1s is the smallest.
func victoriaArgs(s *Server) []string {
	return []string{
		"-httpListenAddr=" + loopback(s.ports[0]),
		"-storageDataPath=" + s.dir,
		"-retentionPeriod=100y",
		"-memory.allowedBytes=256MB",
		"-inmemoryDataFlushInterval=1s",
	}
}

var victoriaMetrics = kind{
	tool: "victoria-metrics", ports: 1, health: "/health", marker: "started server at http://",
	args: func(s *Server) ([]string, error) {
		return append(victoriaArgs(s),
			// Queries see the newest sample.
			"-search.latencyOffset=0s",
			// A sample that was sent twice counts twice.
			"-dedup.minScrapeInterval=0s",
			// Which series match is cached for 10 seconds, "none" too: who asks
			// too early would then wait long. A size of 1 byte turns that off.
			"-storage.cacheSizeIndexDBTagFilters=1",
		), nil
	},
}

var victoriaLogs = kind{
	tool: "victoria-logs", ports: 1, health: "/health", marker: "started server at http://",
	args: func(s *Server) ([]string, error) { return victoriaArgs(s), nil },
}

var jaeger = kind{
	tool: "jaeger", ports: 5, health: "/api/services", marker: "Everything is ready.",
	// Else it sends traces of its own queries to 127.0.0.1:4317, whoever listens
	// there, and takes seconds to end when no one does.
	env: []string{"OTEL_TRACES_SAMPLER=always_off"},
	args: func(s *Server) ([]string, error) {
		config := fmt.Sprintf(jaegerConfig, loopback(s.ports[0]), loopback(s.ports[1]), loopback(s.ports[2]), loopback(s.ports[3]), s.ports[4])
		path := filepath.Join(s.dir, "jaeger.yaml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			return nil, err
		}
		return []string{"--config=" + path}, nil
	},
}

// jaegerConfig takes the addresses of the query interface (HTTP, gRPC) and of
// OTLP (HTTP, gRPC), and the port of its own metrics.
const jaegerConfig = `service:
  extensions: [jaeger_storage, jaeger_query]
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[5]d}}}}]}
  pipelines:
    traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}
extensions:
  jaeger_storage:
    backends:
      traces:
        memory: {max_traces: 100000}
  jaeger_query:
    storage: {traces: traces}
    http: {endpoint: %[1]q}
    grpc: {endpoint: %[2]q}
receivers:
  otlp:
    protocols:
      http: {endpoint: %[3]q}
      grpc: {endpoint: %[4]q}
exporters:
  jaeger_storage_exporter: {trace_storage: traces}
`

// StartVictoriaMetrics starts a single-node VictoriaMetrics and waits until it
// is ready. ctx bounds the start, not the server's life.
func StartVictoriaMetrics(ctx context.Context, options Options) (*Server, error) {
	return start(ctx, victoriaMetrics, options)
}

// StartVictoriaLogs starts a single-node VictoriaLogs and waits until it is
// ready. ctx bounds the start, not the server's life.
func StartVictoriaLogs(ctx context.Context, options Options) (*Server, error) {
	return start(ctx, victoriaLogs, options)
}

// StartJaeger starts a Jaeger that keeps the newest 100,000 traces in memory
// and waits until it is ready; its traces are gone after a Kill, Shutdown or
// Restart. ctx bounds the start, not the server's life.
func StartJaeger(ctx context.Context, options Options) (*Server, error) {
	s, err := start(ctx, jaeger, options)
	if err != nil {
		return nil, err
	}
	s.OTLPURL = "http://" + loopback(s.ports[2])
	s.OTLPGRPC = loopback(s.ports[3])
	s.MetricsURL = "http://" + loopback(s.ports[4]) + "/metrics"
	return s, nil
}
