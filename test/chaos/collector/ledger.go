// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/k0rdent/kof/test/chaos/load"
)

// Ledger is what the region exporter's metrics say of one lane, in items.
type Ledger struct {
	Accepted, Delivered, Released, Held int64
	// Dropped is by reason.
	Dropped map[string]int64
	// Residual is what the exporter itself reports.
	Residual int64
	// Refused is since the last start only.
	Refused int64
}

// DroppedSum is what was dropped for any reason.
func (l Ledger) DroppedSum() int64 {
	var sum int64
	for _, n := range l.Dropped {
		sum += n
	}
	return sum
}

// Imbalance is accepted - delivered - released - dropped - held, by these metrics.
func (l Ledger) Imbalance() int64 {
	return l.Accepted - l.Delivered - l.Released - l.DroppedSum() - l.Held
}

// Telemetry is one reading of the exporter's metrics.
type Telemetry struct {
	// Lanes has the lane of unknown regions under the region "_unknown".
	Lanes map[load.Lane]Ledger
	// Reloads of the directory by outcome, Failovers by lane; both since the last start only.
	Reloads   map[string]int64
	Failovers map[load.Lane]int64
}

// Held is what all lanes hold.
func (t Telemetry) Held() int64 {
	var sum int64
	for _, l := range t.Lanes {
		sum += l.Held
	}
	return sum
}

// Telemetry reads the metrics of a running kof-otelcol.
func (c *Collector) Telemetry(ctx context.Context) (Telemetry, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Metric, http.NoBody)
	if err != nil {
		return Telemetry{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return Telemetry{}, fmt.Errorf("collector's metrics: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Telemetry{}, fmt.Errorf("collector's metrics: %s", resp.Status)
	}
	return parse(resp.Body)
}

func parse(page io.Reader) (Telemetry, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return Telemetry{}, fmt.Errorf("collector's metrics: %w", err)
	}
	t := Telemetry{Lanes: map[load.Lane]Ledger{}, Reloads: map[string]int64{}, Failovers: map[load.Lane]int64{}}
	for name, family := range families {
		item, ok := strings.CutPrefix(strings.TrimSuffix(name, "_total"), "otelcol_kof_region_")
		if !ok {
			continue
		}
		for _, m := range family.GetMetric() {
			t.add(item, m)
		}
	}
	return t, nil
}

func (t *Telemetry) add(item string, m *dto.Metric) {
	n := value(m)
	if item == "directory_reloads" {
		t.Reloads[label(m, "outcome")] += n
		return
	}
	key := load.Lane{Region: label(m, "region"), Signal: load.Signal(label(m, "signal"))}
	l, known := t.Lanes[key]
	if !known {
		l.Dropped = map[string]int64{}
	}
	switch item {
	case "accepted_items":
		l.Accepted = n
	case "delivered_items":
		l.Delivered = n
	case "released_items":
		l.Released = n
	case "held_items":
		l.Held = n
	case "ledger_residual_items":
		l.Residual = n
	case "refused_items":
		l.Refused = n
	case "dropped_items":
		if n != 0 {
			l.Dropped[label(m, "reason")] = n
		}
	case "failovers":
		t.Failovers[key] = n
		return
	default:
		return
	}
	t.Lanes[key] = l
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
