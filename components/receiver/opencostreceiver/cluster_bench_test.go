// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// clusterEnv makes the test binary a cluster-mode process with so many pods, whose memory is measured from outside.
const clusterEnv = "KOF_TEST_CLUSTER_PODS"

// pages is an API server that makes pods up page by page, as large as real ones.
type pages struct{ total int }

func (p pages) List(o metav1.ListOptions) (runtime.Object, error) {
	from, _ := strconv.Atoi(o.Continue)
	to := min(from+int(o.Limit), p.total)
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}, Items: make([]corev1.Pod, 0, to-from)}
	for i := from; i < to; i++ {
		pd := pod(fmt.Sprintf("team-%d", i%200), fmt.Sprintf("service-%d-6d4cf56db6-x%06d", i%5000, i), dayStart, "100m", "128Mi", ownedBy("ReplicaSet", "x-6d4cf56db6", "6d4cf56db6"))
		furnish(&pd)
		if i%10 == 0 {
			claiming(fmt.Sprintf("data-%d", i))(&pd)
		}
		list.Items = append(list.Items, pd)
	}
	if to < p.total {
		list.Continue = strconv.Itoa(to)
	}
	return list, nil
}

func (pages) Watch(metav1.ListOptions) (watch.Interface, error) { return watch.NewFake(), nil }

// notStreaming keeps client-go from asking for a streamed list.
type notStreaming struct{}

func (notStreaming) IsWatchListSemanticsUnSupported() bool { return true }

type clusterMeasure struct {
	PeakMB  int
	CycleMS int
	Points  int
}

func measureCluster(n int) {
	c := createDefaultConfig().(*Config)
	c.Mode, c.Cluster, c.Labels.Pods = modeCluster, "c1", []string{"app.kubernetes.io/name", "app.kubernetes.io/part-of"}
	p, err := newPricer(c, zap.NewNop())
	if err != nil {
		panic(err)
	}
	store := func() cache.Store { return cache.NewStore(cache.MetaNamespaceKeyFunc) }
	o := &objects{nodes: store(), volumes: store(), claims: store(), services: store(), namespaces: store()}
	o.pods = o.watch(pages{n}, notStreaming{}, &corev1.Pod{}, stripPod(c.Labels.Pods))
	for i := 0; i < n; i += 10 {
		name, ns := fmt.Sprintf("pv-%d", i), fmt.Sprintf("team-%d", i%200)
		v, _ := stripVolume(volume(name, "10Gi", "std", ref(ns, fmt.Sprintf("data-%d", i))))
		_ = o.volumes.Add(v)
		_ = o.claims.Add(pvc(ns, fmt.Sprintf("data-%d", i), "10Gi", name, corev1.ReadWriteOnce))
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.start(ctx)
	for !o.synced() {
		time.Sleep(10 * time.Millisecond)
	}
	out := clusterMeasure{CycleMS: 1 << 30}
	col := newCollection(c, p, o)
	for range 3 {
		out.Points = 0
		begin := processCPU()
		col.emit(time.Now(), func(md pmetric.Metrics) { out.Points += md.DataPointCount() })
		out.CycleMS = min(out.CycleMS, int((processCPU() - begin).Milliseconds()))
	}
	cancel()
	o.wg.Wait()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for s := bufio.NewScanner(f); s.Scan(); {
		if kb, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kb)[0])
			out.PeakMB = n / 1000
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(out)
}

// TestClusterMemory holds the bounds of cluster mode at three sizes: the peak of the whole process while it reads the
// cluster and runs three cycles. The process is the test binary, which links much beside.
func TestClusterMemory(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures memory and time")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	measured := map[int]clusterMeasure{}
	for _, c := range []struct{ pods, maxMB, maxCycleMS int }{{1000, 100, 1000}, {10_000, 150, 1000}, {100_000, 600, 1000}} {
		cmd := exec.CommandContext(t.Context(), exe)
		// GOMEMLIMIT is set as the charts set it: from the container's limit.
		cmd.Env = append(os.Environ(), clusterEnv+"="+strconv.Itoa(c.pods), "GOMEMLIMIT="+strconv.Itoa(c.maxMB*9/10)+"MiB")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(t, err)
		var m clusterMeasure
		require.NoError(t, json.Unmarshal(out, &m))
		t.Logf("%d pods: peak %d MB, cycle %d ms of CPU, %d points", c.pods, m.PeakMB, m.CycleMS, m.Points)
		require.Less(t, m.PeakMB, c.maxMB)
		require.Less(t, m.CycleMS, c.maxCycleMS)
		measured[c.pods] = m
	}
	perPod := func(a, b int) float64 { return float64(measured[b].PeakMB-measured[a].PeakMB) * 1000 / float64(b-a) }
	t.Logf("kB a pod: %.1f, then %.1f", perPod(1000, 10_000), perPod(10_000, 100_000))
	require.Less(t, perPod(10_000, 100_000), 2*perPod(1000, 10_000)+1, "memory grows with the pods, not faster")
}
