// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/k0rdent/kof/test/demo/truth"
)

// Lane is what the region exporter's own metrics say about one region and signal, in items.
type Lane struct {
	Accepted, Delivered, Released, Dropped, Held int64
}

// Residual is what the lane can't account for; 0 unless something is wrong.
func (l Lane) Residual() int64 { return l.Accepted - l.Delivered - l.Released - l.Dropped - l.Held }

// Telemetry is one reading of the agent's own metrics.
type Telemetry struct {
	Lanes map[truth.Key]Lane
	// Received is how many data points each receiver has handed to its pipelines.
	Received map[string]int64
}

// telemetryClient keeps no connections, so that none is left when the agent ends.
var telemetryClient = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Telemetry reads the agent's own metrics.
func (p *Process) Telemetry(ctx context.Context) (Telemetry, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.cfg.MetricsURL, http.NoBody)
	if err != nil {
		return Telemetry{}, fmt.Errorf("agent metrics: %w", err)
	}
	resp, err := telemetryClient.Do(req)
	if err != nil {
		return Telemetry{}, fmt.Errorf("agent metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return Telemetry{}, fmt.Errorf("agent metrics: %s", resp.Status)
	}
	return parseTelemetry(resp.Body)
}

func parseTelemetry(page io.Reader) (Telemetry, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return Telemetry{}, fmt.Errorf("agent metrics: %w", err)
	}
	t := Telemetry{Lanes: map[truth.Key]Lane{}, Received: map[string]int64{}}
	for name, family := range families {
		// The suffix depends on how the collector's reader is configured.
		base := strings.TrimSuffix(strings.TrimPrefix(name, "otelcol_"), "_total")
		for _, m := range family.GetMetric() {
			if base == "receiver_accepted_metric_points" {
				t.Received[label(m, "receiver")] += value(m)
				continue
			}
			item, ok := strings.CutPrefix(base, "kof_region_")
			if !ok {
				continue
			}
			key := truth.Key{Region: label(m, "region"), Signal: truth.Signal(label(m, "signal"))}
			lane := t.Lanes[key]
			switch item {
			case "accepted_items":
				lane.Accepted += value(m)
			case "delivered_items":
				lane.Delivered += value(m)
			case "released_items":
				lane.Released += value(m)
			case "dropped_items": // one series per reason
				lane.Dropped += value(m)
			case "held_items":
				lane.Held += value(m)
			default:
				continue
			}
			t.Lanes[key] = lane
		}
	}
	return t, nil
}

func label(m *dto.Metric, name string) string {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == name {
			return pair.GetValue()
		}
	}
	return ""
}

func value(m *dto.Metric) int64 {
	switch {
	case m.Counter != nil:
		return int64(m.Counter.GetValue())
	case m.Gauge != nil:
		return int64(m.Gauge.GetValue())
	default:
		return int64(m.Untyped.GetValue())
	}
}
