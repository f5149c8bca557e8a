// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"syscall"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// stockSettings are the defaults of the prometheusremotewrite exporter, with the labels that KOF takes from the resource
// given as external labels: the stock exporter has no other way to put them on every series.
func stockSettings() stock.Settings {
	return stock.Settings{
		AddMetricSuffixes: true, DisableTargetInfo: true, DisableScopeInfo: true,
		ExternalLabels: map[string]string{
			"cluster": "eu-prod-7", "clusterNamespace": "kcm-system", "tenant": "acme",
			"node": "ip-10-42-3-17.eu-west-1.compute.internal",
		},
	}
}

func stockEncode(tb testing.TB, md pmetric.Metrics) []byte {
	tss, err := stock.FromMetrics(md, stockSettings())
	require.NoError(tb, err)
	req := prompb.WriteRequest{Timeseries: make([]prompb.TimeSeries, 0, len(tss))}
	for _, ts := range tss {
		req.Timeseries = append(req.Timeseries, *ts)
	}
	out, err := req.Marshal()
	require.NoError(tb, err)
	return out
}

// cpuTime is what the process has used, the garbage collector's threads included; unlike the time on the wall it does not
// depend on what else the machine does.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEncode compares the way from pdata to protobuf, and with a compressor behind it to the wire. cpu-ns/sample is
// also the CPU time in milliseconds per million samples.
func BenchmarkEncode(b *testing.B) {
	md := nodeAgentMix(9)
	e, err := NewEncoder(Options{})
	require.NoError(b, err)
	_, result := e.Append(nil, md)
	var buf []byte
	encoders := []struct {
		name   string
		encode func() []byte
	}{
		{"kof", func() []byte {
			buf, _ = e.Append(buf[:0], md)
			return buf
		}},
		{"stock", func() []byte { return stockEncode(b, md) }},
	}
	zstdAt := func(l zstd.EncoderLevel) func(dst, src []byte) []byte {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(l), zstd.WithEncoderConcurrency(1))
		require.NoError(b, err)
		return func(dst, src []byte) []byte { return w.EncodeAll(src, dst[:0]) }
	}
	compressors := []struct {
		name     string
		compress func(dst, src []byte) []byte
	}{
		{"protobuf", func(_, src []byte) []byte { return src }},
		{"snappy", func(dst, src []byte) []byte { return snappy.Encode(dst[:cap(dst)], src) }},
		{"zstd-fastest", zstdAt(zstd.SpeedFastest)},
		{"zstd-default", zstdAt(zstd.SpeedDefault)},
		{"zstd-better", zstdAt(zstd.SpeedBetterCompression)},
	}
	for _, enc := range encoders {
		for _, c := range compressors {
			b.Run(enc.name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				var wire []byte
				cpu := cpuTime(b)
				for b.Loop() {
					wire = c.compress(wire, enc.encode())
				}
				n := float64(result.Samples)
				b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N)/n, "cpu-ns/sample")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/sample")
				b.ReportMetric(float64(len(wire))/n, "B/sample")
			})
		}
	}
}
