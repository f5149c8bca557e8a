// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"flag"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/browser"
)

// pictures is where to put pictures of the stores' own pages: those in docs/images are made with it, by
//
//	KOF_REQUIRE_KUBERNETES=1 go test ./test/dashboards -run TestNoPanelIsEmpty -pictures "$PWD/docs/images"
var pictures = flag.String("pictures", "", "folder for pictures of the stores' pages")

// patience is how much time pages have for their requests, in the browser's own time.
const patience = "--virtual-time-budget=20000"

// testBrowser looks at the data in the stores' own pages, with a panel's query. Jaeger's page isn't in its Go module.
func testBrowser(t *testing.T, w *world) {
	query := exprOf(t, "infrastructure/clusters/CPU", time.Hour)
	page := w.stores.Metrics.URL + "/vmui/?#/?g0.expr=" + url.QueryEscape(query) + "&g0.range_input=2m&g0.step_input=5s&g0.tab=0&g0.end_input=" +
		url.QueryEscape(time.Now().UTC().Format("2006-01-02T15:04:05"))
	dom, _ := browser.Run(t, page, "--dump-dom", patience)
	require.Contains(t, dom, clusterName)
	records := w.stores.Logs.URL + "/select/vmui/?#/?g0.range_input=5m&g0.relative_time=last_5_minutes&query=" + url.QueryEscape("order handled")
	dom, _ = browser.Run(t, records, "--dump-dom", patience)
	require.Contains(t, dom, "acme-apps")
	if *pictures != "" {
		browser.Picture(t, page, filepath.Join(*pictures, "metrics.png"), "1200,900", patience)
		browser.Picture(t, records, filepath.Join(*pictures, "logs.png"), "1200,900", patience)
	}
}
