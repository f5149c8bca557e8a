// SPDX-License-Identifier: Apache-2.0

package scalekube

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/kubeapi/audit"
	"github.com/k0rdent/kof/test/simnode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	smallCluster = 20 // nodes
	// nodesVariable is the size of the large cluster.
	nodesVariable = "KOF_SCALE_NODES"
	// manyNamespaces are in the third cluster of the long form.
	manyNamespaces = 2000
	// maxGrowth is what of the live heap may be more or less from one run to the next, in percent.
	maxGrowth = 5
	// An agent knows each namespace of the cluster three times. What that may take of the heap and on the wire, in bytes.
	heapOfNamespace     = 8 << 10
	receivedOfNamespace = 1 << 10
	// maxNoise is by how much what is received may differ, in bytes: times and names have different lengths.
	maxNoise = 16 << 10
)

// TestIndependentOfClusterSize compares an agent in a small cluster and in a large one, on a node with as many pods.
func TestIndependentOfClusterSize(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane and agents")
	}
	large, settle, long := 200, 4*time.Second, false
	if text := os.Getenv(nodesVariable); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "%s: %q; allowed is a number above %d", nodesVariable, text, smallCluster)
		require.Greater(t, n, smallCluster, nodesVariable)
		large, settle, long = n, 10*time.Second, true
	}
	flags, log, err := audit.Flags(t.TempDir(), simnode.User)
	require.NoError(t, err)
	c := startCluster(t, flags...)
	chart, err := simnode.FromChart(root)
	require.NoError(t, err)
	require.NoError(t, chart.Allow(t.Context(), c.client))

	var all []footprint
	run := func(nodes, namespaces int) {
		began := time.Now()
		c.grow(t, nodes, namespaces)
		t.Logf("all pods run after %s", time.Since(began).Round(time.Second))
		all = append(all, c.measure(t, log, settle))
	}
	run(smallCluster, smallCluster*podsPerNode/podsPerNamespace)
	run(large, large*podsPerNode/podsPerNamespace)
	if long {
		run(large, manyNamespaces)
	}
	t.Log("an agent on a node with ten pods\n" + table(all))
	for _, f := range all[1:] {
		requireSame(t, all[0], f)
	}
}

// requireSame requires that an agent differs by no more than its namespaces explain.
func requireSame(t *testing.T, small, large footprint) {
	t.Helper()
	require.Equal(t, small.atStart, large.atStart, "requests")
	require.Equal(t, small.watches, large.watches)
	require.InDelta(t, small.others, large.others, 0, "requests in an hour that renew no watch")
	more := int64(large.namespaces - small.namespaces)
	require.LessOrEqual(t, large.heap, small.heap+small.heap*maxGrowth/100+more*heapOfNamespace, "live heap")
	require.LessOrEqual(t, large.received, small.received+maxNoise+more*receivedOfNamespace, "bytes from the API server at start")
	require.LessOrEqual(t, large.later, small.later+maxNoise, "bytes from the API server later")
}

func table(all []footprint) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "nodes\tpods\tnamespaces\tresident MiB\tanonymous MiB\tlive heap MiB\trequests at start\twatches\trenewals/h\tother requests/h\tKiB from the API server at start\tlater")
	for _, f := range all {
		fmt.Fprintf(w, "%d\t%d\t%d\t%.1f\t%.1f\t%.2f\t%s\t%d\t%.0f\t%.0f\t%.1f\t%.1f\n", f.nodes, f.pods, f.namespaces, mib(f.memory.Resident), mib(f.memory.Anonymous), mib(f.heap),
			describe(f.atStart), f.watches, f.renewals, f.others, float64(f.received)/1024, float64(f.later)/1024)
	}
	_ = w.Flush() // of a strings.Builder
	if first, last := all[0], all[len(all)-1]; last.namespaces > first.namespaces {
		more := float64(last.namespaces - first.namespaces)
		fmt.Fprintf(&b, "a namespace more: %.1f KiB of heap, %.1f KiB from the API server at start\n", float64(last.heap-first.heap)/more/1024, float64(last.received-first.received)/more/1024)
	}
	return b.String()
}

func describe(counts map[string]int) string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(out, ", ")
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
