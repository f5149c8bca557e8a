// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"strconv"
	"strings"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	nameLabel     = "__name__"
	leLabel       = "le"
	quantileLabel = "quantile"

	exportedPrefix = "exported_"

	// A cache that reaches its bound is emptied: the names in use are back after one normalisation each, and the code and
	// the memory of an eviction order are saved. 4,096 holds what the pods of a full node expose.
	maxCachedNames = 4096
	// maxKeyLength is how long an attribute's key may be to be looked at: normalisation can shorten it to an allowed
	// length, but a cache must not keep megabytes.
	maxKeyLength = 1024
)

// labelName is an attribute's key as a label name.
type labelName struct {
	key      string
	name     string // empty if the key has no label name
	head     string // the protobuf of the Label's name field and the tag of its value
	exported *labelName
}

func newLabelName(name string) *labelName {
	head := appendString(nil, labelNameTag, name)
	return &labelName{name: name, head: string(append(head, labelValueTag))}
}

// metricName holds what is known of a metric once its name was normalised.
type metricName struct {
	plain, sum, count, bucket []byte // encoded __name__ labels
	plan                      plan   // of the last point
}

type metricKey struct {
	name, unit string
	kind       otlptranslator.MetricType
}

// names caches normalised names and texts of integers.
type names struct {
	metricNamer otlptranslator.MetricNamer
	labelNamer  otlptranslator.LabelNamer
	metrics     map[metricKey]*metricName
	labels      map[string]*labelName
	ints        map[int64]string
}

func (n *names) init() {
	// The defaults of the Collector's own prometheusremotewrite exporter, so that series keep their names when one exporter
	// takes the other's place.
	n.metricNamer = otlptranslator.MetricNamer{WithMetricSuffixes: true}
	n.labelNamer = otlptranslator.LabelNamer{
		//lint:ignore SA1019 deprecated, but on by default there
		UnderscoreLabelSanitization: true,
	}
	n.metrics = map[metricKey]*metricName{}
	n.labels = map[string]*labelName{}
	n.ints = map[int64]string{}
}

// metric returns nil if m's name can't be one.
func (n *names) metric(m pmetric.Metric) *metricName {
	key := metricKey{name: m.Name(), unit: m.Unit(), kind: metricKind(m)}
	if mn, ok := n.metrics[key]; ok {
		return mn
	}
	if len(key.name)+len(key.unit) > MaxMetricNameLength {
		return nil
	}
	// The strings may be parts of a larger buffer, which the cache must not keep alive.
	key.name, key.unit = strings.Clone(key.name), strings.Clone(key.unit)
	mn := n.newMetricName(key)
	if len(n.metrics) >= maxCachedNames {
		clear(n.metrics)
	}
	n.metrics[key] = mn
	return mn
}

func (n *names) newMetricName(key metricKey) *metricName {
	name, err := n.metricNamer.Build(otlptranslator.Metric{Name: key.name, Unit: key.unit, Type: key.kind})
	if err != nil || name == "" {
		return nil
	}
	mn := &metricName{plain: appendLabel(nil, nameLabel, name)}
	switch key.kind {
	case otlptranslator.MetricTypeHistogram, otlptranslator.MetricTypeExponentialHistogram, otlptranslator.MetricTypeSummary:
		mn.sum = appendLabel(nil, nameLabel, name+"_sum")
		mn.count = appendLabel(nil, nameLabel, name+"_count")
		mn.bucket = appendLabel(nil, nameLabel, name+"_bucket")
	}
	return mn
}

func metricKind(m pmetric.Metric) otlptranslator.MetricType {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return otlptranslator.MetricTypeGauge
	case pmetric.MetricTypeSum:
		if m.Sum().IsMonotonic() {
			return otlptranslator.MetricTypeMonotonicCounter
		}
		return otlptranslator.MetricTypeNonMonotonicCounter
	case pmetric.MetricTypeHistogram:
		return otlptranslator.MetricTypeHistogram
	case pmetric.MetricTypeExponentialHistogram:
		return otlptranslator.MetricTypeExponentialHistogram
	case pmetric.MetricTypeSummary:
		return otlptranslator.MetricTypeSummary
	default:
		return otlptranslator.MetricTypeUnknown
	}
}

// noLabelName stands for keys that are too long to be kept.
var noLabelName = &labelName{}

// label returns the label name of an attribute's key; its name is empty if there is none.
func (n *names) label(key string) *labelName {
	if ln, ok := n.labels[key]; ok {
		return ln
	}
	if len(key) > maxKeyLength {
		return noLabelName
	}
	ln := &labelName{}
	if name, err := n.labelNamer.Build(key); err == nil && len(name) <= MaxLabelNameLength {
		ln = newLabelName(name)
	}
	ln.key = strings.Clone(key)
	if len(n.labels) >= maxCachedNames {
		clear(n.labels)
	}
	n.labels[ln.key] = ln
	return ln
}

// exportedName is the name that a point's attribute gets when its own name belongs to the encoder.
func (ln *labelName) exportedName() *labelName {
	if ln.exported == nil {
		ln.exported = noLabelName
		if name := exportedPrefix + ln.name; len(name) <= MaxLabelNameLength {
			ln.exported = newLabelName(name)
		}
	}
	return ln.exported
}

func (n *names) int(v int64) string {
	if s, ok := n.ints[v]; ok {
		return s
	}
	if len(n.ints) >= maxCachedNames {
		clear(n.ints)
	}
	s := strconv.FormatInt(v, 10)
	n.ints[v] = s
	return s
}
