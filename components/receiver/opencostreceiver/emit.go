// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
)

// description is what a metric says about itself.
type description struct {
	name, text, unit string
	counter          bool
}

// scope adds the receiver's scope to a resource.
func scope(rm pmetric.ResourceMetrics) pmetric.MetricSlice {
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	return sm.Metrics()
}

// points adds a metric with room for n points.
func points(to pmetric.MetricSlice, d description, n int) pmetric.NumberDataPointSlice {
	m := to.AppendEmpty()
	m.SetName(d.name)
	m.SetDescription(d.text)
	m.SetUnit(d.unit)
	var dps pmetric.NumberDataPointSlice
	if d.counter {
		s := m.SetEmptySum()
		s.SetIsMonotonic(true)
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dps = s.DataPoints()
	} else {
		dps = m.SetEmptyGauge().DataPoints()
	}
	dps.EnsureCapacity(n)
	return dps
}

// point adds a point with room for n attributes.
func point(to pmetric.NumberDataPointSlice, at time.Time, v float64, n int) pcommon.Map {
	dp := to.AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.SetDoubleValue(v)
	dp.Attributes().EnsureCapacity(n)
	return dp.Attributes()
}

// count adds a point of a counter. A series that is new gets a first point of zero at its start, so that increase() sees
// all of its growth and not only what came after the first sample.
func count(to pmetric.NumberDataPointSlice, start, at time.Time, v float64, isNew bool, n int, fill func(pcommon.Map)) {
	if isNew && start.Before(at) {
		fill(point(to, start, 0, n))
		to.At(to.Len() - 1).SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	}
	fill(point(to, at, v, n))
	to.At(to.Len() - 1).SetStartTimestamp(pcommon.NewTimestampFromTime(start))
}
