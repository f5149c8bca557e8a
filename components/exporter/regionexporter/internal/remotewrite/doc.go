// SPDX-License-Identifier: Apache-2.0

// Package remotewrite encodes metrics as the protobuf of Prometheus remote write 1.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec/), straight from pdata to bytes. The mapping is that of
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ with the choices below, which are made
// for VictoriaMetrics.
//
// # Names
//
// Metric names are normalised with units and types as suffixes: http.server.duration in s becomes
// http_server_duration_seconds, a monotonic sum ends in _total, a gauge of unit 1 in _ratio. Attribute keys become label
// names by replacing what is not a letter, digit or underscore. Both are done by github.com/prometheus/otlptranslator with
// the settings that the Collector's prometheusremotewrite exporter has by default.
//
// # Points
//
//   - Gauge and sum: one sample.
//   - Histogram: _sum (if the point has one), _count, and cumulative _bucket series with le, +Inf included.
//   - Exponential histogram: the same. See below.
//   - Summary: _sum, _count, and one series with quantile per quantile.
//   - The no-recorded-value flag makes all series of the point stale, _sum included. A stale exponential histogram has no
//     buckets to name; its finite ones end by not being sent any more.
//   - NaN and infinities pass as they are. Timestamps are cut to milliseconds.
//   - Each point becomes time series of one sample, in the order of the input. Points of the same series in one request
//     are not merged: compression makes the repeated labels nearly free, and merging would cost a hash per point.
//
// Left out: exemplars and metadata (VictoriaMetrics stores no exemplars, and names carry type and unit), scope name, version
// and attributes (off by default in the stock exporter, too), start timestamps, min and max of histograms.
//
// # Points that are dropped
//
// Each is counted by Reason, so that points encoded and points dropped add up to the points given.
//
//   - empty: a number point with neither value nor the no-recorded-value flag.
//   - delta_temporality, unspecified_temporality: sums and histograms (not summaries) that are not cumulative. A store takes
//     every counter for cumulative, so rates would silently be wrong. Put a deltatocumulative processor in front.
//   - no_timestamp: the time is 0. VictoriaMetrics would drop it as older than its retention, and the time of encoding is no
//     substitute: points leave a queue late, and once more with each retry.
//   - invalid_name: a metric name or attribute key that has no normal form (empty, or underscores only), a label name longer
//     than MaxLabelNameLength, a metric name and unit longer than MaxMetricNameLength.
//   - too_many_labels: more labels than Options.MaxLabels, __name__, le and quantile included. VictoriaMetrics ignores
//     series of more than 40 labels (-maxLabelsPerTimeseries), and says so only in its own log and metrics. More than four
//     times as many attributes are too many even if most of them are empty.
//   - too_large: a histogram or summary that would take more than MaxPointSize.
//
// # Labels
//
// From the resource, on every series:
//
//	job               service.name, preceded by service.namespace and "/" if that is set
//	instance          service.instance.id
//	cluster           k8s.cluster.name
//	clusterNamespace  kof.cluster.namespace
//	tenant            kof.tenant
//	node              k8s.node.name
//	namespace         k8s.namespace.name
//	pod               k8s.pod.name
//	container         k8s.container.name
//
// and those of Options.ResourceLabels. From the point, all attributes. Labels are sorted by name; each name comes once:
//
//   - cluster, clusterNamespace and tenant are the resource's alone, also where it has none: an application must not speak for
//     a tenant. The point's own become exported_cluster and so on.
//   - __name__, le on histograms, quantile on summaries, and vm_account_id and vm_project_id (with which VictoriaMetrics'
//     multitenant endpoints choose the tenant) can't be set by a point either; they get the same prefix.
//   - Any other label of a point wins over the resource's. The stock exporter prefers the resource's job and instance.
//   - Attributes of a point that have the same label name are joined with ";" in the order of their keys. A value that
//     equals what is joined so far is not repeated.
//   - An attribute with an empty value is no label: it wins over nothing and joins nothing.
//   - Numbers, booleans, maps, slices and bytes are written as pdata's AsString does.
//   - Values that are not valid UTF-8 get U+FFFD in place of the bad bytes. Values longer than MaxLabelValueLength (what
//     VictoriaMetrics takes by default) are cut, and counted in Result.Truncated.
//
// # Exponential histograms
//
// They are sent as classic buckets with the bounds 2^(i/4), coarser where more than MaxExponentialBuckets would be needed for
// the range from the first to the last bucket that is not empty; a finer scale is merged exactly. The bound of zero and the
// lower bound of the lowest bucket are sent too, so that quantiles interpolate in the right bucket. A bucket is 19 % wide,
// and a quantile's error less than that. 80 buckets at this scale span six decades. Bounds have six digits in le.
//
// VictoriaMetrics v1.150 takes native histograms, too: it turns each bucket into a series that is not cumulative, labelled
// vmrange. That was measured against this encoding, with a histogram whose scale goes from 5 to 3 as its range grows:
//
//   - histogram_quantile(0.9, increase) over the change of scale stayed within 7 % of the truth with le; with vmrange it was
//     27 % too high from the change on, since the old buckets live on beside the new. Bounds of a coarser scale are also
//     bounds of the finer one, so that series with le just go on.
//   - sum by (le), which dashboards and rules use, gives no result with vmrange.
//   - vmrange is known to VictoriaMetrics only, not to a PromQL engine in front of it.
//   - 43 series instead of 317.
//
// # target_info
//
// With Options.TargetInfo each resource of which a point was encoded, that has job or instance, and that has attributes that
// are not labels already, gets target_info with the value 1 at the time of its newest point. It has the resource's labels,
// which its own attributes don't override (they get the prefix exported_), and all other attributes that are not empty, as
// many as Options.MaxLabels leaves room for. It is a sample, but no data point.
//
// # Cost
//
// The labels of a resource are encoded once per resource, a metric's name once, and how the labels of points of one shape
// (the same attribute keys in the same order) merge with them is worked out once and kept with the metric. A point is then a
// comparison of its keys and a copy of bytes, without allocation. Caches hold at most 4,096 metric names, label names,
// integers and bucket bounds each, and start anew when full.
package remotewrite
