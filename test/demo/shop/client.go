// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// client orders from the service at a steady rate; every order is one trace.
type client struct {
	url       string
	interval  time.Duration
	tracer    trace.Tracer
	transport *http.Transport
	http      *http.Client

	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

func newClient(cfg Config, tel *telemetry, url string) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &client{
		url:       url,
		interval:  cfg.RequestInterval,
		tracer:    tel.traces.Tracer("shop-client"),
		transport: transport,
		http: &http.Client{
			Timeout: 5 * time.Second,
			Transport: otelhttp.NewTransport(transport,
				otelhttp.WithTracerProvider(tel.traces), otelhttp.WithMeterProvider(tel.metrics), otelhttp.WithPropagators(propagator)),
		},
	}
}

func (c *client) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	c.cancel, c.done = cancel, done
	go func() {
		defer close(done)
		c.run(ctx)
	}()
}

// pause returns after the request that is under way, so that no span is left open.
func (c *client) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel == nil {
		return
	}
	c.cancel()
	<-c.done
	c.cancel = nil
}

func (c *client) close() { c.transport.CloseIdleConnections() }

func (c *client) run(ctx context.Context) {
	tick := time.NewTicker(c.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.order()
		}
	}
}

// order takes no context of the loop's: a request that has begun is finished.
func (c *client) order() {
	ctx, span := c.tracer.Start(context.Background(), "buy")
	defer span.End()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/order", http.NoBody)
	if err == nil {
		var resp *http.Response
		if resp, err = c.http.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			err = resp.Body.Close()
		}
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
}
