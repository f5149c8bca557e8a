// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	node = Load{Pods: 20, Containers: 45, Spread: time.Second}
	at   = time.UnixMilli(1_790_000_000_500)
)

func parse(t *testing.T, page []byte) map[string]*dto.MetricFamily {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	require.NoError(t, err)
	return families
}

func TestPagesAreValidAndAlikeInEveryRun(t *testing.T) {
	for name, make := range map[string]func(uint64, Load) *Page{"cadvisor": Cadvisor, "kubelet": Kubelet} {
		t.Run(name, func(t *testing.T) {
			p, same, other := make(1, node), make(1, node), make(2, node)
			p.Step()
			same.Step()
			other.Step()
			page := p.Append(nil, at)
			require.Equal(t, string(page), string(same.Append(nil, at)))
			require.NotEqual(t, string(page), string(other.Append(nil, at)))
			lines := map[string]bool{}
			for line := range bytes.Lines(page) {
				if line[0] != '#' {
					series := string(line[:bytes.LastIndexByte(line, '}')+1])
					require.False(t, series != "" && lines[series], "twice: %s", series)
					lines[series] = true
				}
			}
			parse(t, page)
		})
	}
}

func TestCountersGrowAndHistogramsAddUp(t *testing.T) {
	for name, p := range map[string]*Page{"cadvisor": Cadvisor(1, node), "kubelet": Kubelet(1, node)} {
		t.Run(name, func(t *testing.T) {
			before := parse(t, p.Append(nil, at))
			p.Step()
			after := parse(t, p.Append(nil, at.Add(30*time.Second)))
			grown := 0
			for family, f := range after {
				for i, m := range f.Metric {
					old := before[family].Metric[i]
					if m.Counter != nil {
						require.GreaterOrEqual(t, m.Counter.GetValue(), old.Counter.GetValue(), family)
						if m.Counter.GetValue() > old.Counter.GetValue() {
							grown++
						}
					}
					if h := m.Histogram; h != nil {
						last := uint64(0)
						for _, b := range h.Bucket {
							require.GreaterOrEqual(t, b.GetCumulativeCount(), last, family)
							last = b.GetCumulativeCount()
						}
						require.Equal(t, h.GetSampleCount(), last, family)
					}
				}
			}
			require.Positive(t, grown)
		})
	}
}

func TestCadvisorSaysWhenItRead(t *testing.T) {
	families := parse(t, Cadvisor(1, node).Append(nil, at))
	usage := families["container_cpu_usage_seconds_total"].Metric
	require.Len(t, usage, 10+20*2+45, "system services, pods and their sandboxes, containers")
	times := map[int64]bool{}
	for _, m := range usage {
		require.InDelta(t, at.UnixMilli(), m.GetTimestampMs(), 1001)
		require.LessOrEqual(t, m.GetTimestampMs(), at.UnixMilli())
		times[m.GetTimestampMs()] = true
	}
	require.Greater(t, len(times), 20)
}

func TestServer(t *testing.T) {
	p := Kubelet(1, node)
	s, err := Serve(map[string]*Page{"/metrics": p}, time.Hour)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func() string {
		resp, err := client.Get("http://" + s.Address() + "/metrics") // asks for gzip, and unpacks it
		require.NoError(t, err)
		defer resp.Body.Close()
		require.True(t, resp.Uncompressed)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	first := get()
	require.Equal(t, p.Series(), countSeries(first))
	require.Equal(t, first, get(), "younger than minAge")
}

func countSeries(page string) int {
	n := 0
	for line := range bytes.Lines([]byte(page)) {
		if line[0] != '#' {
			n++
		}
	}
	return n
}

func TestServiceHasSoManySeries(t *testing.T) {
	for _, n := range []int{5, 14, 1300} {
		p := Service(1, n)
		require.Equal(t, n, p.Series())
		for name := range parse(t, p.Append(nil, at)) {
			require.Contains(t, name, ServicePrefix)
		}
	}
}
