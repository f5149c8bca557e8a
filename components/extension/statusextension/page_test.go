// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/k0rdent/kof/internal/status"
)

var update = flag.Bool("update", false, "write the golden files")

func serve(t testing.TB, e *statusExtension, target string) string {
	w := httptest.NewRecorder()
	handler(e.report, true).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

func TestJSON(t *testing.T) {
	got := serve(t, sampled(t), "/api/v1/lanes")
	golden := filepath.Join("testdata", "lanes.json")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	require.NotContains(t, got, "s3cret")
	require.NotContains(t, got, "hunter2")
}

func TestJSONWithoutLanes(t *testing.T) {
	var got report
	require.NoError(t, json.Unmarshal([]byte(serve(t, newT(t, newClock()), "/api/v1/lanes")), &got))
	require.Equal(t, "v1", got.APIVersion)
	require.NotNil(t, got.Lanes, "an empty list, not null")
	require.Equal(t, summary{Level: levelOK}, got.Summary)
}

// parse returns what a browser makes of the page: elements of a name in order, and the text in each.
func parse(t testing.TB, page string) (elements func(name string) []*html.Node) {
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	return func(name string) []*html.Node {
		var found []*html.Node
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && n.Data == name {
				found = append(found, n)
			}
		}
		return found
	}
}

func text(n *html.Node) string {
	var all strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			all.WriteString(d.Data)
		} else if d.Data == "div" {
			all.WriteString(" ")
		}
	}
	return strings.Join(strings.Fields(all.String()), " ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func texts(nodes []*html.Node, class string) []string {
	var all []string
	for _, n := range nodes {
		if class == "" || strings.HasPrefix(attr(n, "class"), class) {
			all = append(all, text(n))
		}
	}
	return all
}

func TestPage(t *testing.T) {
	checkPage(t, serve(t, sampled(t), "/"))
}

// checkPage checks the page of sampled lanes; a browser's rendering of it has to pass too.
func checkPage(t testing.TB, page string) {
	elements := parse(t, page)
	require.Equal(t, []string{"(4) node-1 · KOF status"}, texts(elements("title"), ""))
	require.Equal(t, "4 of 10 lanes need attention", text(elements("strong")[0]))
	require.Equal(t, []string{
		"ap-south-1 metrics: Can't deliver. What is accepted is held, and tried again.",
		"eu-west-1 logs: Delivers via eu-central-1, as its own endpoint fails.",
		"eu-west-1 traces: Dropped 900 items in the last 5 min.",
		"_unknown logs: Nowhere to deliver to: the region directory has no endpoint for these records.",
	}, texts(elements("li"), ""))
	require.Equal(t, []string{
		"ap-south-1 zone ap",
		"eu-west-1 zone eu",
		"_unknown records of regions that the directory doesn't know",
		"eu-central-1 zone eu",
		"us-east-1 zone us",
		"us-west-2 zone us",
	}, texts(elements("tr"), "region"))
	rows := texts(elements("tr"), "lane")
	require.Len(t, rows, 10)
	require.Equal(t, "metrics retrying 432,000 14 MiB 12 min 1,200/s 5 min: 1,200/s 0/s 5 min: 0/s 12 min ago 0", rows[1])
	require.Equal(t, "logs failover via eu-central-1 850 28 KiB 1 s 850/s 5 min: 850/s 850/s 5 min: 850/s 1 s ago 0", rows[2])
	require.Equal(t, "traces delivering 40 1.3 KiB 1 s 40/s 5 min: 40/s 40/s 5 min: 40/s 1 s ago 1,080 rejected 2 too_large", rows[4])
	require.Equal(t, "logs holding 321 39 KiB 1 d 2 h 0/s 5 min: 0/s 0/s 5 min: 0/s 1,200 released not since the start 0", rows[5])
	require.Equal(t, "metrics idle 0 – 0/s 5 min: 0/s 0/s 5 min: 0/s not since the start 0", rows[6])
	require.Equal(t, "metrics delivering catching up, 1 h 17 min left 1.85 M 55 MiB 40 min 1,000/s 5 min: 1,000/s 1,400/s 5 min: 1,400/s 1 s ago 0", rows[8])

	require.Equal(t, []string{"5", "10", "7,690/s", "6,890/s", "2.29 M 69 MiB", "balanced"}, texts(elements("dd"), ""))

	notes := strings.Join(texts(elements("tr"), "note"), "\n")
	require.Contains(t, notes, `Last error 4 s ago: 500: <script>document.title="owned"</script><img src=x onerror=alert(1)>"'</td></table> from https://vmauth.eu-west-1.example/write`)
	require.Contains(t, notes, "to https://vmauth.eu-central-1.example/vli/insert/opentelemetry/v1/logs")
	for _, name := range []string{"script", "img", "iframe", "link", "form"} {
		require.Empty(t, elements(name), name)
	}
	for _, secret := range []string{"s3cret", "hunter2", "kof:pass"} {
		require.NotContains(t, page, secret)
	}
}

func TestPageStates(t *testing.T) {
	c := newClock()
	e := newT(t, c)
	elements := parse(t, serve(t, e, "/"))
	require.Equal(t, "No lanes yet", text(elements("strong")[0]))
	require.Empty(t, elements("table"))

	t.Cleanup(e.AddLanes(lanesOf("a", "b")))
	elements = parse(t, serve(t, e, "/"))
	require.Equal(t, "All is well", text(elements("strong")[0]))
	require.Equal(t, "ok", attr(elements("section")[0], "class"))
	require.Equal(t, []string{"2", "2", "–", "–", "0 0 B", "balanced"}, texts(elements("dd"), ""))
	require.Equal(t, "logs 0 – – – not since the start 0", texts(elements("tr"), "lane")[0], "no rates from one look")

	remove := e.AddLanes(func() []status.Lane {
		return []status.Lane{{Exporter: "region/other", Region: "a", Signal: "logs", State: "delivering", ResidualItems: -5}}
	})
	elements = parse(t, serve(t, e, "/"))
	require.Equal(t, "1 of 3 lanes needs attention", text(elements("strong")[0]))
	require.Equal(t, []string{"a exporter region", "a exporter region/other", "b exporter region"}, texts(elements("tr"), "region"))
	require.Equal(t, "off by 5", text(elements("dd")[5]))
	require.Equal(t, []string{"The ledger is off by -5 items: a defect, please report it."}, texts(elements("p"), "problem"))
	remove()
	require.Equal(t, "All is well", text(parse(t, serve(t, e, "/"))("strong")[0]))
}

func TestPageRefresh(t *testing.T) {
	e := newT(t, newClock())
	require.Contains(t, serve(t, e, "/"), `<meta http-equiv="refresh" content="10">`)
	require.NotContains(t, serve(t, e, "/?refresh=off"), "http-equiv")
}

func TestPageOfVeryManyLanes(t *testing.T) {
	e := newT(t, newClock())
	t.Cleanup(e.AddLanes(func() []status.Lane { return manyLanes(maxLanes + 7) }))
	page := serve(t, e, "/")
	elements := parse(t, page)
	require.Len(t, texts(elements("tr"), "lane"), maxLanes)
	require.Contains(t, page, "7 more lanes are not shown.")
	require.Len(t, elements("li"), maxListed+1)
	var got report
	require.NoError(t, json.Unmarshal([]byte(serve(t, e, "/api/v1/lanes")), &got))
	require.Len(t, got.Lanes, maxLanes)
	require.Equal(t, 7, got.Summary.LanesOmitted)
	require.Equal(t, maxLanes+7, got.Summary.Lanes)
	require.Equal(t, got.Summary.NeedAttention, 301)
	require.Equal(t, levelProblem, got.Lanes[300].Level, "what needs attention is not what is left out")
}

// manyLanes has a problem in every tenth.
func manyLanes(n int) []status.Lane {
	lanes := make([]status.Lane, n)
	for i := range lanes {
		lanes[i] = status.Lane{
			Exporter: "region", Region: "region-" + count(int64(i)), Signal: "logs", Zone: "eu", State: status.StateDelivering,
			Endpoint:   "https://vmauth.eu-west-1.example/vli/insert/opentelemetry/v1/logs",
			OldestHeld: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC).Add(time.Duration(i%10) * time.Hour),
		}
		if i%10 == 0 {
			lanes[i].State = status.StateRetrying
			lanes[i].LastError, lanes[i].LastErrorAt = strings.Repeat("error ", 150), lanes[i].OldestHeld
		}
	}
	return lanes
}

func Benchmark3000Lanes(b *testing.B) {
	c := newClock()
	e := newT(b, c)
	lanes := manyLanes(maxLanes)
	e.AddLanes(func() []status.Lane { return lanes })
	b.Run("sample", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.advance(sampleInterval)
			e.sample()
		}
	})
	for name, target := range map[string]string{"page": "/", "json": "/api/v1/lanes"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.advance(sampleInterval)
				b.SetBytes(int64(len(serve(b, e, target))))
			}
		})
	}
}
