// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/kube"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dataTimeout bounds the time from the agents' start until each query returns data. Counters take two samples, and events their time.
const dataTimeout = 75 * time.Second

// question is a query with what its answer needs to have.
type question struct {
	name   string // dashboard/panel/query, or file/rule
	source string
	kind   string // of LogsQL
	expr   string
	labels []string // each that some of the results has
	found  error    // why the last answer isn't one
}

// TestNoPanelIsEmpty is one test, as a cluster is dear.
func TestNoPanelIsEmpty(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a Kubernetes")
	}
	kube.NeedT(t)
	questions := append(ofDashboards(t, time.Hour), ofRules(t)...)
	w := newWorld(t)
	start := time.Now()
	excepted := exceptions(t)
	until := func(open []*question) []*question {
		for time.Since(start) < dataTimeout && !onlyExceptions(open, excepted) {
			time.Sleep(2 * time.Second)
			open = w.ask(t, open)
			// Jaeger tells of queries once there are some.
			_, err := w.stores.Traces.Services(t.Context())
			require.NoError(t, err)
		}
		return open
	}
	open := until(slices.DeleteFunc(slices.Clone(questions), ofHours))
	past := w.toPast(t)
	open = append(open, w.ask(t, slices.DeleteFunc(slices.Clone(questions), func(q *question) bool { return !ofHours(q) }))...)
	t.Logf("%d of %d queries have data after %.0f s", len(questions)-len(open), len(questions), time.Since(start).Seconds())
	empty := map[string]error{}
	for _, q := range open {
		empty[q.name] = q.found
		if excepted[q.name] == "" {
			assert.Fail(t, "no data", "%s: %v\n%s", q.name, q.found, q.expr)
		}
	}
	for name, reason := range excepted {
		if strings.HasPrefix(reason, "at times: ") {
			continue
		}
		assert.Contains(t, empty, name, "in testdata/exceptions.yaml (%s), but it has data, or isn't there", reason)
	}
	t.Run("Prometheus' engine", func(t *testing.T) { testPrometheus(t, w, questions, excepted) })
	t.Run("costs", func(t *testing.T) { testCosts(t, past) })
	t.Run("browser", func(t *testing.T) { testBrowser(t, w) })
	if t.Failed() {
		t.Log(w.state(t))
	}
}

// ask returns the questions that still have no answer.
func (w *world) ask(t *testing.T, open []*question) []*question {
	var left []*question
	for _, q := range open {
		if q.found = w.answer(t.Context(), q); q.found != nil {
			left = append(left, q)
		}
	}
	return left
}

func (w *world) answer(ctx context.Context, q *question) error {
	var got []series
	var err error
	if q.source == logsType {
		got, err = askLogs(ctx, w.stores.Logs.URL, q.kind, q.expr)
	} else {
		got, err = askMetrics(ctx, w.stores.Metrics.URL, q.expr)
	}
	if err != nil {
		return err
	}
	got = slices.DeleteFunc(got, func(s series) bool { return s.number() == "NaN" })
	if len(got) == 0 {
		return fmt.Errorf("returns nothing")
	}
	for _, label := range q.labels {
		if !slices.ContainsFunc(got, func(s series) bool { return s.Metric[label] != "" }) {
			return fmt.Errorf("no result has the label %s: %v", label, got[0].Metric)
		}
	}
	return nil
}

// ofDashboards returns a question for each query of panels and variables, of a time that ends now.
func ofDashboards(t *testing.T, of time.Duration) []*question {
	var out []*question
	for _, d := range load(t) {
		name := strings.TrimSuffix(d.Path, ".yaml")
		titles := map[string]bool{}
		for _, p := range d.Panels {
			title := p.Title
			if titles[title] {
				title += " (" + p.Type + ")"
			}
			titles[title] = true
			for _, q := range p.Targets {
				labels := legendLabels(q.LegendFormat)
				if p.Type == "table" {
					labels = p.columns()
				}
				out = append(out, &question{
					name: name + "/" + title + "/" + q.RefID, source: q.Datasource.Type, kind: q.QueryType, labels: labels,
					expr: short(filled(d, q.Expr, of, all)),
				})
			}
		}
		for _, v := range d.Templating.List {
			query, label := v.query()
			if query == "" {
				continue
			}
			q := &question{name: name + "/variable " + v.Name, source: v.Datasource.Type, kind: "instant", labels: []string{label}, expr: everything(d, query)}
			if q.source == metricsType {
				q.expr = fmt.Sprintf("group by (%s) (%s)", label, q.expr)
			}
			out = append(out, q)
		}
	}
	return out
}

// short makes the times of a query fit to a cluster that is a minute old.
func short(expr string) string {
	return strings.NewReplacer("[1m]", "[20s]").Replace(expr)
}

func exceptions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/exceptions.yaml")
	require.NoError(t, err)
	var out map[string]string
	require.NoError(t, yaml.Unmarshal(text, &out))
	return out
}

func onlyExceptions(open []*question, excepted map[string]string) bool {
	for _, q := range open {
		if excepted[q.name] == "" {
			return false
		}
	}
	return true
}
