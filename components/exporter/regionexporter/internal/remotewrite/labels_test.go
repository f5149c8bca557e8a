// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

type attrs = map[string]any

func TestLabels(t *testing.T) {
	long := strings.Repeat("x", MaxLabelValueLength)
	tests := []struct {
		name            string
		resource, point attrs
		opts            Options
		want            string
		truncated       int
	}{
		{name: "none", want: `g{} 1`},
		{
			name: "built in",
			resource: attrs{
				"service.name": "api", "service.namespace": "shop", "service.instance.id": "i-1", "k8s.cluster.name": "c",
				"kof.cluster.namespace": "kcm", "kof.tenant": "acme", "k8s.node.name": "n", "k8s.namespace.name": "ns",
				"k8s.pod.name": "p", "k8s.container.name": "co", "k8s.pod.uid": "not a label",
			},
			want: `g{cluster="c",clusterNamespace="kcm",container="co",instance="i-1",job="shop/api",namespace="ns",node="n",` +
				`pod="p",tenant="acme"} 1`,
		},
		{name: "job without namespace", resource: attrs{"service.name": "api", "service.namespace": ""}, want: `g{job="api"} 1`},
		{name: "namespace without name", resource: attrs{"service.namespace": "shop"}, want: `g{} 1`},
		{
			name: "configured", opts: Options{ResourceLabels: map[string]string{"cloud.region": "region", "service.name": "service"}},
			resource: attrs{"cloud.region": "eu", "service.name": "api"}, want: `g{job="api",region="eu",service="api"} 1`,
		},
		{
			name:  "around __name__",
			point: attrs{"Upper": "1", "_under": "2", "lower": "3", "0digit": "4", "__meta": "5"},
			want:  `g{Upper="1",key_0digit="4",key_meta="5",key_under="2",lower="3"} 1`,
		},
		{
			name: "identity is the resource's", resource: attrs{"k8s.cluster.name": "c", "kof.tenant": "acme", "kof.cluster.namespace": "kcm"},
			point: attrs{"cluster": "x", "tenant": "other", "clusterNamespace": "y"},
			want: `g{cluster="c",clusterNamespace="kcm",exported_cluster="x",exported_clusterNamespace="y",exported_tenant="other",` +
				`tenant="acme"} 1`,
		},
		{name: "identity that the resource lacks", resource: attrs{"kof.tenant": ""}, point: attrs{"tenant": "t"}, want: `g{exported_tenant="t"} 1`},
		{
			name: "point wins otherwise", resource: attrs{"k8s.pod.name": "agent", "service.name": "kubelet"},
			point: attrs{"pod": "app", "job": "own"}, want: `g{job="own",pod="app"} 1`,
		},
		{
			name: "an empty value does not win", resource: attrs{"k8s.pod.name": "agent"},
			point: attrs{"pod": "", "other": ""}, want: `g{pod="agent"} 1`,
		},
		{
			name: "joined in key order, no repeats", point: attrs{"a_b": "3", "a.b": "1", "a/b": "2", "x.y": "s", "x_y": "s", "a-b": ""},
			want: `g{a_b="1;2;3",x_y="s"} 1`,
		},
		{
			name: "exported joins its namesake", resource: attrs{"kof.tenant": "acme"},
			point: attrs{"tenant": "x", "exported_tenant": "y"}, want: `g{exported_tenant="y;x",tenant="acme"} 1`,
		},
		{
			name: "joined and all empty", resource: attrs{"k8s.pod.name": "agent"}, opts: Options{},
			point: attrs{"pod": "", "pod.": ""}, want: `g{pod="agent"} 1`,
		},
		{
			name: "reserved", point: attrs{"__name__": "fake", "vm_account_id": "7", "vm_project_id": "8", "le": "1", "quantile": "2"},
			want: `g{exported___name__="fake",exported_vm_account_id="7",exported_vm_project_id="8",le="1",quantile="2"} 1`,
		},
		{
			name:  "types",
			point: attrs{"i": -12345, "b": false, "f": 2.5, "m": attrs{"k": 1}, "s": []any{"a", 2}, "y": []byte{1, 2}, "n": nil},
			want:  `g{b="false",f="2.5",i="-12345",m="{\"k\":1}",s="[\"a\",2]",y="AQI="} 1`,
		},
		{name: "UTF-8", point: attrs{"ключ": "значение", "bad": "a\xffb"}, want: `g{bad="a�b",key_="значение"} 1`},
		{name: "longest value", point: attrs{"v": long}, want: `g{v="` + long + `"} 1`},
		{name: "too long value", point: attrs{"v": long + "x"}, want: `g{v="` + long + `"} 1`, truncated: 1},
		{name: "cut between characters", point: attrs{"v": long[1:] + "€"}, want: `g{v="` + long[1:] + `"} 1`, truncated: 1},
		{
			name: "too long together", resource: attrs{"service.namespace": "n", "service.name": long}, point: attrs{"a.": long, "a_": "y"},
			want: `g{a_="` + long + `",job="n/` + long[2:] + `"} 1`, truncated: 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEncoder(t, tt.opts)
			// The second and third time the point's shape is known, with and without another one in between.
			for range 2 {
				series, result := encode(t, e, gaugePoint(tt.resource, tt.point))
				require.Equal(t, []string{tt.want}, lines(series))
				require.Equal(t, tt.truncated, result.Truncated)
			}
			encode(t, e, gaugePoint(attrs{"k8s.node.name": "n"}, attrs{"z": "1"}))
			series, _ := encode(t, e, gaugePoint(tt.resource, tt.point))
			require.Equal(t, []string{tt.want}, lines(series))
		})
	}
}

// Points of one metric whose attributes differ in number, order, names or emptiness must not share a plan by mistake.
func TestShapesOfOneMetric(t *testing.T) {
	md, res, m := oneMetric("g", "")
	res.PutStr("k8s.pod.name", "agent")
	dps := m.SetEmptyGauge().DataPoints()
	for i, kvs := range [][]string{
		{"a", "1", "b", "2"}, {"b", "1", "a", "2"}, {"a", "1"}, {}, {"a", "1", "c", "2"}, {"pod", "p"}, {"pod", ""}, {"a", "", "b", "2"},
		{"a", "1", "b", ""},
	} {
		dp := dps.AppendEmpty()
		dp.SetTimestamp(testTime)
		dp.SetIntValue(int64(i))
		putAll(dp.Attributes(), kvs...)
	}
	series, _ := encode(t, newEncoder(t, Options{}), md)
	require.Equal(t, []string{
		`g{a="1",b="2",pod="agent"} 0`, `g{a="1",c="2",pod="agent"} 4`, `g{a="1",pod="agent"} 2`, `g{a="1",pod="agent"} 8`,
		`g{a="2",b="1",pod="agent"} 1`, `g{b="2",pod="agent"} 7`, `g{pod="agent"} 3`, `g{pod="agent"} 6`, `g{pod="p"} 5`,
	}, lines(series))
}

// A resource's labels must not stay when the next one lacks them, nor a plan that was made for them.
func TestResourcesFollowEachOther(t *testing.T) {
	md := pmetric.NewMetrics()
	for i, resource := range []attrs{
		{"kof.tenant": "a", "k8s.pod.name": "p"}, {"k8s.node.name": "n"}, {}, {"kof.tenant": "b", "k8s.pod.name": "q"},
	} {
		gaugePoint(resource, attrs{"tenant": fmt.Sprint(i), "pod": ""}).ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	}
	series, _ := encode(t, newEncoder(t, Options{}), md)
	require.Equal(t, []string{
		`g{exported_tenant="0",pod="p",tenant="a"} 1`, `g{exported_tenant="1",node="n"} 1`, `g{exported_tenant="2"} 1`,
		`g{exported_tenant="3",pod="q",tenant="b"} 1`,
	}, lines(series))
}

func TestDuplicateKeysFromTheWire(t *testing.T) {
	// pdata's own setters can't make these.
	md := gaugePoint(nil, attrs{"aa": "1", "ab": "2"})
	raw, err := new(pmetric.ProtoMarshaler).MarshalMetrics(md)
	require.NoError(t, err)
	md, err = new(pmetric.ProtoUnmarshaler).UnmarshalMetrics([]byte(strings.ReplaceAll(string(raw), "ab", "aa")))
	require.NoError(t, err)
	series, _ := encode(t, newEncoder(t, Options{}), md)
	require.Len(t, series, 1)
	require.Contains(t, []string{`g{aa="1;2"} 1`, `g{aa="2;1"} 1`}, lines(series)[0])
}

func TestLabelLimits(t *testing.T) {
	withLabels := func(n int) attrs {
		a := attrs{}
		for i := range n {
			a[fmt.Sprintf("l%d", i)] = "v"
		}
		return a
	}
	empty := withLabels(60)
	for k := range empty {
		empty[k] = ""
	}
	empty["l0"] = "v"
	// An empty value lets the resource's label through, which counts.
	through := withLabels(DefaultMaxLabels - 2)
	through["pod"], through["z"] = "", ""
	tooManyThrough := maps.Clone(through)
	tooManyThrough["x"] = "v"
	allEmpty := withLabels(4*DefaultMaxLabels + 1)
	for k := range allEmpty {
		allEmpty[k] = ""
	}
	tests := []struct {
		name   string
		opts   Options
		attrs  attrs
		reason Reason
	}{
		{"most labels", Options{}, withLabels(DefaultMaxLabels - 1), representable},
		{"too many labels", Options{}, withLabels(DefaultMaxLabels), ReasonTooManyLabels},
		{"configured", Options{MaxLabels: 64}, withLabels(63), representable},
		{"more than configured", Options{MaxLabels: 64}, withLabels(64), ReasonTooManyLabels},
		{"absurdly many", Options{}, withLabels(10_000), ReasonTooManyLabels},
		{"empty ones don't count", Options{}, empty, representable},
		{"the resource's count", Options{}, through, representable},
		{"the resource's are too many", Options{}, tooManyThrough, ReasonTooManyLabels},
		{"absurdly many empty ones", Options{}, allEmpty, ReasonTooManyLabels},
		{"longest name", Options{}, attrs{strings.Repeat("x", MaxLabelNameLength): "v"}, representable},
		{"too long name", Options{}, attrs{strings.Repeat("x", MaxLabelNameLength+1): "v"}, ReasonInvalidName},
		{"name that becomes too long", Options{}, attrs{"__name__": "v", "_" + strings.Repeat("x", MaxLabelNameLength-1): "v"}, ReasonInvalidName},
		{"absurdly long key", Options{}, attrs{strings.Repeat("x", 1<<20): "v"}, ReasonInvalidName},
		{"long key of a short name", Options{}, attrs{"a" + strings.Repeat(".", 1000): "v"}, representable},
		{"empty key", Options{}, attrs{"": "v"}, ReasonInvalidName},
		{"nameless key", Options{}, attrs{"____": "v"}, ReasonInvalidName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEncoder(t, tt.opts)
			for range 2 {
				var resource attrs
				if _, ok := tt.attrs["pod"]; ok {
					resource = attrs{"k8s.pod.name": "p"}
				}
				series, result := encode(t, e, gaugePoint(resource, tt.attrs))
				if tt.reason == representable {
					require.Equal(t, 1, result.Points)
					return
				}
				require.Empty(t, series)
				require.Equal(t, 1, result.Dropped[tt.reason])
			}
		})
	}
	t.Run("le counts", func(t *testing.T) {
		md, _, m := oneMetric("h", "")
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(testTime)
		require.NoError(t, dp.Attributes().FromRaw(withLabels(DefaultMaxLabels-1)))
		_, result := encode(t, newEncoder(t, Options{}), md)
		require.Equal(t, 1, result.Dropped[ReasonTooManyLabels])
	})
}

func TestEncoderKeepsNothingOfTheCaller(t *testing.T) {
	e := newEncoder(t, Options{TargetInfo: true})
	encode(t, e, gaugePoint(attrs{"service.name": "s", "other": "o"}, attrs{"a": "1", "b": "2"}))
	for _, v := range e.values[:cap(e.values)] {
		require.Empty(t, v)
	}
	for _, v := range e.infoKeys[:cap(e.infoKeys)] {
		require.Empty(t, v)
	}
	for _, v := range e.items[:cap(e.items)] {
		require.Zero(t, v)
	}
}

func TestCachesAreBounded(t *testing.T) {
	e := newEncoder(t, Options{})
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for i := range 3 * maxCachedNames {
		m := metrics.AppendEmpty()
		m.SetName(fmt.Sprintf("m%d", i))
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(testTime)
		dp.Attributes().PutInt(fmt.Sprintf("k%d", i), int64(i))
		dp.ExplicitBounds().FromRaw([]float64{float64(i)})
		dp.BucketCounts().FromRaw([]uint64{1, 1})
	}
	series, _ := encode(t, e, md)
	require.Len(t, series, 9*maxCachedNames)
	require.LessOrEqual(t, len(e.names.metrics), maxCachedNames)
	require.LessOrEqual(t, len(e.names.labels), maxCachedNames)
	require.LessOrEqual(t, len(e.names.ints), maxCachedNames)
	require.LessOrEqual(t, len(e.bounds.les.known), maxCachedBounds)
}
