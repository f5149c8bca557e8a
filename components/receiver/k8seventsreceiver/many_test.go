// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// counting only counts.
type counting struct{ records atomic.Int64 }

func (*counting) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *counting) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	c.records.Add(int64(logs.LogRecordCount()))
	return nil
}

// TestManyEvents lists as many events as KOF_MANY_EVENTS says, and bounds what that takes.
func TestManyEvents(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("KOF_MANY_EVENTS"))
	if err != nil {
		t.Skip("KOF_MANY_EVENTS is not set: storing many events takes its time")
	}
	c := startCluster(t)
	ns := c.namespace(t, "many")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				_, err := c.CoreV1().Events(ns).Create(t.Context(), newEvent(ns, fmt.Sprint("e-", i), time.Now()), metav1.CreateOptions{})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	conf := createDefaultConfig().(*Config)
	conf.AuthType, conf.Kubeconfig = authKubeConfig, c.Kubeconfig
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, peak := m.HeapAlloc, uint64(0)
	sink, begin := new(counting), time.Now()
	startReceiver(t, conf, componenttest.NewNopHost(), sink)
	require.Eventually(t, func() bool {
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
		return sink.records.Load() >= int64(n)
	}, 5*time.Minute, 5*time.Millisecond)
	used := int64(peak) - int64(before)
	t.Logf("%d events in %s, heap at most %d MB more", n, time.Since(begin).Round(time.Millisecond), used>>20)
	require.Less(t, used, int64(64<<20))
}
