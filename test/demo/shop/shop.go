// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/k0rdent/kof/test/demo/samples"
	"github.com/k0rdent/kof/test/demo/truth"
)

// Config says what one instance of the service is and where it sends its telemetry.
type Config struct {
	// Service is the service.name; it is unique to the instance, so that traces can be told apart in Jaeger's search.
	Service string
	// Region is where the telemetry belongs.
	Region string
	// Resource holds the further resource attributes, among them what decides on the region.
	Resource []attribute.KeyValue
	// OTLP is the host:port of the agent's OTLP receiver for HTTP.
	OTLP string
	// RequestInterval is the time between two requests of the client, MetricsInterval between two OTLP exports of
	// metrics; both more than 0.
	RequestInterval time.Duration
	MetricsInterval time.Duration
	Truth           *truth.Set
	Samples         *samples.Recorder
}

// Shop is a running instance with its client.
type Shop struct {
	telemetry *telemetry
	client    *client
	server    *http.Server
	listener  net.Listener
	served    chan error
}

// PushedSource returns the source of the metrics that are sent by OTLP.
func (c Config) PushedSource() truth.Source {
	return truth.Source{Name: c.Service + "-1", Region: c.Region, Signal: truth.Metrics}
}

// ScrapedSource returns the source of the metrics of the Prometheus endpoint. Whoever scrapes it must set the label
// instance to the source's name.
func (c Config) ScrapedSource() truth.Source {
	return truth.Source{Name: c.Service + "-1-scrape", Region: c.Region, Signal: truth.Metrics}
}

// TraceSource returns the source of the spans.
func (c Config) TraceSource() truth.Source {
	return truth.Source{Name: c.Service, Region: c.Region, Signal: truth.Traces}
}

// Listen opens the instance's port, so that its address is known before the agent, which scrapes it, is started.
// Nothing is served before Start.
func Listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("shop: %w", err)
	}
	return l, nil
}

// Start serves on the listener, which it takes over, and begins to call the service. The caller must call Stop.
func Start(ctx context.Context, cfg Config, listener net.Listener) (*Shop, error) {
	tel, err := newTelemetry(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	handler, err := newHandler(cfg, tel)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), tel.shutdown(ctx))
	}
	s := &Shop{
		telemetry: tel,
		server:    &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second},
		listener:  listener,
		served:    make(chan error, 1),
	}
	go func() { s.served <- s.server.Serve(listener) }()
	s.client = newClient(cfg, tel, "http://"+listener.Addr().String())
	s.client.resume()
	return s, nil
}

// Addr returns the host:port that the instance serves on; its Prometheus endpoint is /metrics.
func (s *Shop) Addr() string { return s.listener.Addr().String() }

// Pause ends the client's requests and sends every finished span to the agent; metrics go on.
func (s *Shop) Pause(ctx context.Context) error {
	s.client.pause()
	if err := s.telemetry.traces.ForceFlush(ctx); err != nil {
		return fmt.Errorf("shop: flush spans: %w", err)
	}
	return nil
}

// Resume begins to call the service again after Pause.
func (s *Shop) Resume() { s.client.resume() }

// Stop ends the client, sends what is left to the agent and ends the server, in that order. Scrapes that are being
// served are served to the end.
func (s *Shop) Stop(ctx context.Context) error {
	s.client.pause()
	s.client.close()
	err := s.telemetry.shutdown(ctx)
	err = errors.Join(err, s.server.Shutdown(ctx))
	if serveErr := <-s.served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
