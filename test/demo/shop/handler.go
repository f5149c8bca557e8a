// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// failEvery is how often an order is refused with 503, so that there are failed spans to look at.
const failEvery = 20

// shopHandler answers orders and counts them, in OpenTelemetry instruments and in Prometheus ones.
type shopHandler struct {
	tracer  trace.Tracer
	orders  metric.Int64Counter
	basket  metric.Float64Histogram
	stock   atomic.Int64
	number  atomic.Uint64
	total   *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newHandler(cfg Config, tel *telemetry) (http.Handler, error) {
	h := &shopHandler{
		tracer: tel.traces.Tracer("shop"),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_http_orders_total", Help: "Orders by status code.",
		}, []string{"code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "shop_http_order_seconds", Help: "Time to answer an order.", Buckets: []float64{.001, .0025, .005, .01, 1},
		}),
	}
	h.stock.Store(1000)
	if err := h.instruments(tel.metrics.Meter("shop")); err != nil {
		return nil, fmt.Errorf("shop: instruments: %w", err)
	}
	registry := prometheus.NewRegistry()
	stock := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "shop_http_stock", Help: "Pieces left.",
	}, func() float64 { return float64(h.stock.Load()) })
	registry.MustRegister(h.total, h.seconds, stock)

	mux := http.NewServeMux()
	mux.Handle("GET /order", otelhttp.NewHandler(h, "order",
		otelhttp.WithTracerProvider(tel.traces), otelhttp.WithMeterProvider(tel.metrics), otelhttp.WithPropagators(propagator)))
	mux.Handle("GET /metrics", &scrapeHandler{registry: registry, source: cfg.ScrapedSource(), samples: cfg.Samples})
	return mux, nil
}

func (h *shopHandler) instruments(meter metric.Meter) (err error) {
	if h.orders, err = meter.Int64Counter("shop.orders", metric.WithUnit("{order}")); err != nil {
		return err
	}
	if h.basket, err = meter.Float64Histogram("shop.basket", metric.WithUnit("g")); err != nil {
		return err
	}
	if _, err = meter.Int64ObservableGauge("shop.stock", metric.WithInt64Callback(
		func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(h.stock.Load())
			return nil
		})); err != nil {
		return err
	}
	// A counter that moves by one at every export: a hole in it is a lost export.
	var exports int64
	_, err = meter.Int64ObservableCounter("shop.exports", metric.WithUnit("{export}"), metric.WithInt64Callback(
		func(_ context.Context, o metric.Int64Observer) error {
			exports++
			o.Observe(exports)
			return nil
		}))
	return err
}

func (h *shopHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	n := h.number.Add(1)
	ctx, span := h.tracer.Start(r.Context(), "reserve stock", trace.WithAttributes(attribute.Int64("shop.order", int64(n))))
	code := http.StatusOK
	if n%failEvery == 0 {
		code = http.StatusServiceUnavailable
		span.SetStatus(codes.Error, "out of stock")
		h.stock.Store(1000)
	} else {
		h.stock.Add(-1)
		time.Sleep(time.Duration(n%5) * time.Millisecond) // stands for the work of a real order
	}
	span.End()
	h.orders.Add(ctx, 1, metric.WithAttributes(attribute.Int("http.response.status_code", code)))
	h.basket.Record(ctx, float64(n%40)/3)
	h.total.WithLabelValues(fmt.Sprint(code)).Inc()
	h.seconds.Observe(time.Since(begin).Seconds())
	w.WriteHeader(code)
}
