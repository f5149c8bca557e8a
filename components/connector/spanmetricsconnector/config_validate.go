// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/confmap/xconfmap"
)

const (
	maxDimensions         = 16
	maxResourceAttributes = 32
	maxBuckets            = 64
)

var _ xconfmap.Validator = (*Config)(nil)

// Validate returns all problems joined, each with the path of the key.
func (cfg *Config) Validate() error {
	errs := slices.Concat(cfg.validateDimensions(), cfg.Histogram.validate(), []error{
		between("metrics_flush_interval", cfg.MetricsFlushInterval, time.Second, time.Hour),
		between("aggregation_cardinality_limit", cfg.AggregationCardinalityLimit, 1, 100_000),
		between("resource_metrics_cache_size", cfg.ResourceMetricsCacheSize, 1, 100_000),
		between("max_series", cfg.MaxSeries, 1, 1_000_000),
		between("exemplars::max_per_data_point", cfg.Exemplars.MaxPerDataPoint, 1, 100),
		oneOf("aggregation_temporality", cfg.AggregationTemporality, temporalityCumulative, temporalityDelta),
	})
	if e := cfg.MetricsExpiration; e < 0 || e > 0 && e < 2*cfg.MetricsFlushInterval {
		errs = append(errs, fmt.Errorf("metrics_expiration: found %s; allowed: 0 (never), or at least twice metrics_flush_interval (%s)",
			e, 2*cfg.MetricsFlushInterval))
	}
	if n := len(cfg.ResourceAttributes); n > maxResourceAttributes {
		errs = append(errs, fmt.Errorf("resource_attributes: found %d; allowed: at most %d", n, maxResourceAttributes))
	}
	for i, key := range cfg.ResourceAttributes {
		if key == "" {
			errs = append(errs, fmt.Errorf("resource_attributes[%d]: is empty; allowed: the key of an attribute", i))
		}
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateDimensions() (errs []error) {
	standard := []string{attrServiceName, attrSpanName, attrSpanKind, attrStatusCode}
	taken := append(slices.Clone(standard), attrOverflow, attrInstanceID)
	if n := len(cfg.Dimensions); n > maxDimensions {
		errs = append(errs, fmt.Errorf("dimensions: found %d; allowed: at most %d", n, maxDimensions))
	}
	for i, d := range cfg.Dimensions {
		switch {
		case d.Name == "":
			errs = append(errs, fmt.Errorf("dimensions[%d]::name: not set; set it to the key of an attribute", i))
		case slices.Contains(taken, d.Name):
			errs = append(errs, fmt.Errorf("dimensions[%d]::name: found %q, which is there already; allowed: each key once", i, d.Name))
		}
		taken = append(taken, d.Name)
	}
	for i, key := range cfg.ExcludeDimensions {
		errs = append(errs, oneOf(fmt.Sprintf("exclude_dimensions[%d]", i), key, standard...))
	}
	return errs
}

func (cfg *HistogramConfig) validate() (errs []error) {
	errs = append(errs, oneOf("histogram::unit", cfg.Unit, "ms", "s"))
	buckets := cfg.Explicit.Buckets
	if n := len(buckets); n == 0 || n > maxBuckets {
		errs = append(errs, fmt.Errorf("histogram::explicit::buckets: found %d; allowed: 1 to %d", n, maxBuckets))
	}
	for i, b := range buckets {
		if before := slices.Max(append([]time.Duration{0}, buckets[:i]...)); b <= before {
			errs = append(errs, fmt.Errorf("histogram::explicit::buckets[%d]: found %s; allowed: more than %s", i, b, before))
		}
	}
	return errs
}

func between[T int | time.Duration](path string, found, low, high T) error {
	if found < low || found > high {
		return fmt.Errorf("%s: found %v; allowed: %v to %v", path, found, low, high)
	}
	return nil
}

func oneOf(path, found string, allowed ...string) error {
	if !slices.Contains(allowed, found) {
		return fmt.Errorf("%s: found %q; allowed: %q", path, found, allowed)
	}
	return nil
}
