// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// page gets a page of something in the cluster that asks nobody who they are.
func (w *world) page(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: w.cluster.Dial, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", address, text)
	return string(text)
}

// counter reads a series of a page with metrics; 0 if it isn't there.
func counter(t *testing.T, page, series string) float64 {
	t.Helper()
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err, line)
			return n
		}
	}
	return 0
}

// agedSeries are the names of what writeAged wrote and the store has.
func (w *world) agedSeries(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, s := range w.regions[stackRegion].series(t, `{what="age"}`) {
		names = append(names, s.Labels["__name__"])
	}
	slices.Sort(names)
	return names
}

func (w *world) agedLines(t *testing.T) []string {
	t.Helper()
	logs := w.regions[stackRegion].Logs
	require.NoError(t, logs.Flush(t.Context()))
	records, err := logs.LogsQuery(t.Context(), "what:=age", 0)
	require.NoError(t, err)
	var lines []string
	for _, r := range records {
		lines = append(lines, r["_msg"])
	}
	slices.Sort(lines)
	return lines
}

// deleteStores deletes the pods of all stores, as an eviction does.
func (w *world) deleteStores(t *testing.T) {
	t.Helper()
	for _, pod := range []string{"victoria-metrics-0", "victoria-logs-0", "jaeger-badger-0"} {
		require.NoError(t, w.cluster.Client.CoreV1().Pods(stackNamespace).Delete(t.Context(), "kof-storage-"+pod, metav1.DeleteOptions{}))
	}
}

// uidOf tells one pod from the next of its name.
func (w *world) uidOf(t *testing.T, pod string) string {
	t.Helper()
	p, err := w.cluster.Client.CoreV1().Pods(stackNamespace).Get(t.Context(), pod, metav1.GetOptions{})
	require.NoError(t, err)
	return fmt.Sprint(p.UID)
}
