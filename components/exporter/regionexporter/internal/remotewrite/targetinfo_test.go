// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestTargetInfo(t *testing.T) {
	many := attrs{"service.name": "s"}
	for i := range 100 {
		many[fmt.Sprintf("a%03d", i)] = "v"
	}
	tests := []struct {
		name     string
		resource attrs
		want     string
	}{
		{"identity only", attrs{"service.name": "s", "service.namespace": "n", "service.instance.id": "i"}, ""},
		{"mapped only", attrs{"service.name": "s", "k8s.pod.name": "p", "kof.tenant": "t"}, ""},
		{"nothing to join by", attrs{"os.type": "linux", "service.namespace": "n"}, ""},
		{"empty values only", attrs{"service.name": "s", "os.type": "", "____": "x"}, ""},
		{
			"all", attrs{"service.name": "s", "service.namespace": "n", "service.instance.id": "i", "k8s.pod.name": "p", "os.type": "linux", "host.cpus": 4},
			`target_info{host_cpus="4",instance="i",job="n/s",os_type="linux",pod="p"} 1`,
		},
		{
			"clashes", attrs{"service.instance.id": "i", "k8s.pod.name": "p", "pod": "x", "instance": "y", "job": "j", "__name__": "n"},
			`target_info{exported___name__="n",exported_instance="y",exported_pod="x",instance="i",job="j",pod="p"} 1`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEncoder(t, Options{TargetInfo: true})
			for range 3 {
				series, result := encode(t, e, gaugePoint(tt.resource, nil))
				require.Equal(t, 1, result.Points)
				got := lines(series)
				if tt.want == "" {
					require.Len(t, got, 1)
					continue
				}
				require.Contains(t, got, tt.want)
				encode(t, e, gaugePoint(many, nil))
			}
			series, _ := encode(t, newEncoder(t, Options{}), gaugePoint(tt.resource, nil))
			require.Len(t, series, 1)
		})
	}
	t.Run("other attributes, as many", func(t *testing.T) {
		e := newEncoder(t, Options{TargetInfo: true})
		for _, key := range []string{"a", "b"} {
			series, _ := encode(t, e, gaugePoint(attrs{"service.name": "s", key: "v"}, nil))
			require.Contains(t, lines(series), `target_info{`+key+`="v",job="s"} 1`)
		}
	})
	t.Run("more attributes than labels", func(t *testing.T) {
		series, result := encode(t, newEncoder(t, Options{TargetInfo: true}), gaugePoint(many, nil))
		require.Equal(t, 2, result.Samples)
		require.Len(t, series[1].Labels, DefaultMaxLabels)
	})
}

func TestTargetInfoTimestamp(t *testing.T) {
	md := gaugePoint(attrs{"service.name": "s", "os.type": "linux"}, nil)
	m := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	newer := m.AppendEmpty().SetEmptyGauge()
	m.At(1).SetName("newer")
	dp := newer.DataPoints().AppendEmpty()
	dp.SetIntValue(1)
	dp.SetTimestamp(testTime + 5e9)
	m.At(0).CopyTo(m.AppendEmpty())
	dropped := m.AppendEmpty().SetEmptySum()
	m.At(3).SetName("dropped")
	dropped.SetAggregationTemporality(delta)
	dropped.DataPoints().AppendEmpty().SetTimestamp(testTime + 9e9)

	series, result := encode(t, newEncoder(t, Options{TargetInfo: true}), md)
	require.Equal(t, 3, result.Points)
	require.Len(t, series, 4)
	require.Equal(t, int64((testTime+5e9)/1e6), series[3].Samples[0].Timestamp)

	only := pmetric.NewMetrics()
	md.ResourceMetrics().At(0).CopyTo(only.ResourceMetrics().AppendEmpty())
	only.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Name() != "dropped" })
	series, _ = encode(t, newEncoder(t, Options{TargetInfo: true}), only)
	require.Empty(t, series)
}
