// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/k0rdent/kof/test/demo/samples"
	"github.com/k0rdent/kof/test/demo/truth"
)

// scraperHeader is what a Prometheus scraper sends and a person's browser does not.
const scraperHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// scrapeHandler is a Prometheus endpoint that numbers the scrapes and notes every sample that it has served to a
// scraper.
type scrapeHandler struct {
	registry prometheus.Gatherer
	source   truth.Source
	samples  *samples.Recorder

	mu      sync.Mutex
	scrapes uint64
}

func (h *scrapeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	number := h.scrapes
	counted := r.Header.Get(scraperHeader) != ""
	if counted {
		number++
	}
	families, err := h.families(number)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var page bytes.Buffer
	encoder := expfmt.NewEncoder(&page, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	w.Header().Set("Content-Length", strconv.Itoa(page.Len()))
	if _, err := w.Write(page.Bytes()); err != nil || !counted {
		return
	}
	h.scrapes = number
	for _, sample := range flatten(families) {
		h.samples.Scraped(h.source, sample, number)
	}
}

func (h *scrapeHandler) families(number uint64) ([]*dto.MetricFamily, error) {
	families, err := h.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather: %w", err)
	}
	name, help, value := samples.SequenceSeries, "Number of this scrape.", float64(number)
	return append(families, &dto.MetricFamily{
		Name: &name, Help: &help, Type: dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{{Counter: &dto.Counter{Value: &value}}},
	}), nil
}

// flatten returns the samples that the text format gives to the families.
func flatten(families []*dto.MetricFamily) []samples.Sample {
	var out []samples.Sample
	for _, family := range families {
		for _, m := range family.GetMetric() {
			own := map[string]string{}
			for _, pair := range m.GetLabel() {
				own[pair.GetName()] = pair.GetValue()
			}
			name := family.GetName()
			switch {
			case m.Counter != nil:
				out = append(out, samples.Sample{Name: name, Labels: own, Value: m.Counter.GetValue()})
			case m.Gauge != nil:
				out = append(out, samples.Sample{Name: name, Labels: own, Value: m.Gauge.GetValue()})
			case m.Histogram != nil:
				out = append(out, histogram(name, own, m.Histogram)...)
			}
		}
	}
	return out
}

func histogram(name string, own map[string]string, h *dto.Histogram) []samples.Sample {
	count := float64(h.GetSampleCount())
	out := []samples.Sample{
		{Name: name + "_count", Labels: own, Value: count},
		{Name: name + "_sum", Labels: own, Value: h.GetSampleSum()},
		{Name: name + "_bucket", Labels: withBound(own, "+Inf"), Value: count},
	}
	for _, b := range h.GetBucket() {
		bound := strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64)
		out = append(out, samples.Sample{
			Name: name + "_bucket", Labels: withBound(own, bound), Value: float64(b.GetCumulativeCount()),
		})
	}
	return out
}
