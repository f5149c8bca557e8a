// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/operator/budget"
	"github.com/k0rdent/kof/test/toolcache"
)

// record runs the real vmalert with the recording rules of the stores and with a budget's, as often as metrics come. A budget sums up hours,
// which this cluster hasn't seen: the last day's costs are written by the test.
func (w *world) record(t *testing.T) (address string) {
	start := time.Now().Truncate(time.Hour)
	var history bytes.Buffer
	for hour := range 24 {
		fmt.Fprintf(&history, "%s{cluster=%q,namespace=\"shop\",tenant=\"acme\",currency=\"USD\"} 0.5 %d\n", budget.CostSeries, clusterName, start.Add(-time.Duration(hour)*time.Hour).UnixMilli())
	}
	resp, err := client.Post(w.stores.Metrics.URL+"/api/v1/import/prometheus", "text/plain", &history)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())

	budgets, err := budget.Parse(`
shop: {amount: 100, scope: {cluster: dash, namespace: shop}}
acme: {amount: 50, scope: {tenant: acme}}
`)
	require.NoError(t, err)
	ofBudgets, err := budget.Rules(budgets, budget.MonthOf(time.Now()), budget.Options{Record: true})
	require.NoError(t, err)
	dir := t.TempDir()
	for i, text := range append(rulesOf(t, "kof-storage", "form=standalone"), ofBudgets) {
		text = regexp.MustCompile(`interval: \S+`).ReplaceAllString(text, "interval: "+scrapeInterval.String())
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600))
	}
	vmalert, err := toolcache.Binary(t.Context(), "vmalert", os.Stderr)
	require.NoError(t, err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = free.Addr().String()
	require.NoError(t, free.Close())
	var log bytes.Buffer
	cmd := exec.Command(vmalert, "-rule="+dir+"/*.yaml", "-datasource.url="+w.stores.Metrics.URL, "-remoteWrite.url="+w.stores.Metrics.URL, "-external.label="+regionLabel+"="+region,
		"-notifier.url=http://127.0.0.1:9", "-rule.evalDelay=0s", "-httpListenAddr="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		// The kernel's signal at the parent's end is tied to the thread that started the child.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	require.NoError(t, <-started)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		if t.Failed() {
			t.Logf("vmalert: %s", log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	return "http://" + address
}
