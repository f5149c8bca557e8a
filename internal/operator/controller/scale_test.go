// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

// TestThousandClusters has a thousand clusters in ten regions wait for an operator: all are in their region in under two minutes, in bounded
// memory, and then nothing is written any more, not even by an operator that starts anew.
func TestThousandClusters(t *testing.T) {
	const many, places = 1_000, 10
	a := newAPI(t)
	for i := range places {
		regional(system, fmt.Sprint("region-", i), fmt.Sprint("location-", i)).create(t, a)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < many; i += 8 {
				child("team-a", fmt.Sprint("cluster-", i), fmt.Sprint("location-", i%places)).create(t, a)
			}
		})
	}
	wg.Wait()
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)

	begin := time.Now()
	op := a.start(t)
	done := func() bool {
		var list v1beta1.RegionAssignmentList
		require.NoError(t, a.List(t.Context(), &list))
		n := 0
		for _, s := range list.Items {
			if s.Spec.Region != "" && meta.IsStatusConditionTrue(s.Status.Conditions, v1beta1.ConditionPublished) {
				n++
			}
		}
		var regions v1beta1.RegionList
		require.NoError(t, a.List(t.Context(), &regions))
		var clusters int32
		for _, r := range regions.Items {
			clusters += r.Status.Clusters
		}
		return n == many+places && clusters == many+places
	}
	require.Eventually(t, done, 2*time.Minute, time.Second, "all clusters in their regions")
	took := time.Since(begin)
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
	t.Logf("%d clusters in %v with %d writes; heap of the operator %d MiB", many, took.Round(time.Second), op.writes.Load(), used)
	require.Less(t, used, int64(256))

	quiet := a.quiet(t)
	for i := range places {
		require.Len(t, a.users(t, system, fmt.Sprint("region-", i)), many/places+2)
	}
	op.stop()
	again := a.start(t)
	again.annotate(t, clusterOf(system, "region-0"), "test/poke", "1")
	time.Sleep(5 * time.Second) // there is nothing to wait for: what must not come is writes
	require.Equal(t, quiet, a.quiet(t), "an unchanged world stays as it is")
	require.Zero(t, again.writes.Load(), "and causes no writes")
	again.stop()
}

func clusterOf(namespace, name string) *kcm.ClusterDeployment {
	cd := &kcm.ClusterDeployment{}
	cd.Namespace, cd.Name = namespace, name
	return cd
}
