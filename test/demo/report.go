// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/k0rdent/kof/test/demo/compare"
	"github.com/k0rdent/kof/test/demo/table"
	"github.com/k0rdent/kof/test/demo/truth"
)

// problems returns why a check has failed; none means that it has passed.
func (v verdict) problems() []string {
	var out []string
	for _, key := range keys() {
		row, ok := v.comparison.rows[key]
		if !ok {
			continue
		}
		out = append(out, difference(key, "missing", row.Missing)...)
		out = append(out, difference(key, "in the wrong region", row.WrongRegion)...)
		out = append(out, difference(key, "stored, but never sent like that", row.Unsent)...)
		if row.Sent == 0 {
			out = append(out, fmt.Sprintf("%s %s: nothing was sent", key.Region, key.Signal))
		}
	}
	if h := v.comparison.host; !h.ok() || h.received == 0 {
		out = append(out, fmt.Sprintf("this machine's metrics: %d received by the agent, %d stored in %s, %d in the wrong region",
			h.received, h.stored, homeRegion, h.misplaced))
	}
	if n := residual(v.lanes); n != 0 {
		out = append(out, fmt.Sprintf("the agent's ledger does not account for %d items", n))
	}
	if v.refused > 0 {
		out = append(out, fmt.Sprintf("the run was too long: %d records were not remembered", v.refused))
	}
	if v.outage != nil {
		out = append(out, v.outage.problems...)
	}
	if v.idleRSS > maxIdleRSS {
		out = append(out, fmt.Sprintf("the idle agent takes %s, more than %s", megabytes(v.idleRSS), megabytes(maxIdleRSS)))
	}
	if v.sourceErr != nil {
		out = append(out, fmt.Sprintf("sources: %v", v.sourceErr))
	}
	return out
}

func difference(key truth.Key, what string, d compare.Difference) []string {
	if d.Count == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s %s: %d %s:\n    %s", key.Region, key.Signal, d.Count, what, strings.Join(d.Examples, "\n    "))}
}

func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// print writes the final tables and the verdict, and returns whether the check has passed.
func (v verdict) print(out io.Writer, firstRow, took time.Duration) bool {
	problems := v.problems()
	lines := append([]string{"", "What was sent, and where it is, record by record:"}, v.rows()...)
	lines = append(lines, "", "By source:")
	lines = append(lines, v.bySource()...)
	lines = append(lines, "", "The agent's ledger:")
	lines = append(lines, v.ledger()...)
	lines = append(lines, "")
	if v.outage != nil {
		lines = append(lines, fmt.Sprintf("outage: %s was down for %.0f s; held at its end: %s metrics, %s logs, %s traces",
			otherRegion, v.outage.down.Seconds(), v.held(truth.Metrics), v.held(truth.Logs), v.held(truth.Traces)))
	}
	lines = append(lines,
		fmt.Sprintf("first row: %.1f s after the start (limit 20 s)", firstRow.Seconds()),
		fmt.Sprintf("pod log files rotated: %d times", v.rotations),
		fmt.Sprintf("idle agent with host.yaml: %s resident (limit %s)", megabytes(v.idleRSS), megabytes(maxIdleRSS)),
		fmt.Sprintf("ledger residual: %d", residual(v.lanes)), "")
	for _, p := range problems {
		lines = append(lines, "- "+p)
	}
	word := "PASS"
	if len(problems) > 0 {
		word = "FAIL"
	}
	lines = append(lines, fmt.Sprintf("%s: %s records compared, %s missing, %s in the wrong region, %s duplicated; took %.0f s", word,
		v.total(func(r compare.Row) int { return r.Sent }, v.comparison.host.received),
		v.total(func(r compare.Row) int { return r.Missing.Count }, v.comparison.host.missing()),
		v.total(func(r compare.Row) int { return r.WrongRegion.Count }, v.comparison.host.misplaced),
		v.total(func(r compare.Row) int { return r.Duplicated.Count }, 0), took.Seconds()))
	fmt.Fprintln(out, strings.Join(lines, "\n"))
	return len(problems) == 0
}

func (v verdict) held(signal truth.Signal) string {
	return table.Number(v.outage.held[truth.Key{Region: otherRegion, Signal: signal}])
}

func (v verdict) total(of func(compare.Row) int, host int) string {
	for _, row := range v.comparison.rows {
		host += of(row)
	}
	return table.Number(host)
}

func (v verdict) rows() []string {
	var rows [][]string
	add := func(region, what string, row compare.Row) {
		rows = append(rows, []string{
			region, what, table.Number(row.Sent), table.Number(row.Found), table.Number(row.Missing.Count),
			table.Number(row.Duplicated.Count), table.Number(row.WrongRegion.Count), table.Number(row.Unsent.Count),
		})
	}
	for _, key := range keys() {
		if row, ok := v.comparison.rows[key]; ok {
			add(key.Region, string(key.Signal), row)
		}
	}
	h := v.comparison.host
	add(homeRegion, "metrics of this machine, by number", compare.Row{
		Sent: h.received, Found: min(h.stored, h.received),
		Missing:     compare.Difference{Count: h.missing()},
		Duplicated:  compare.Difference{Count: max(0, h.stored-h.received)},
		WrongRegion: compare.Difference{Count: h.misplaced},
	})
	return table.Lines([]string{"REGION", "SIGNAL", "SENT", "FOUND", "MISSING", "DUPLICATED", "WRONG REGION", "NEVER SENT"}, rows)
}

func (v verdict) bySource() []string {
	var rows [][]string
	for _, source := range slices.SortedFunc(maps.Keys(v.sources), func(a, b truth.Source) int {
		return strings.Compare(a.Region+string(a.Signal)+a.Name, b.Region+string(b.Signal)+b.Name)
	}) {
		rows = append(rows, []string{source.Region, string(source.Signal), source.Name, table.Number(v.sources[source])})
	}
	return table.Lines([]string{"REGION", "SIGNAL", "SOURCE", "SENT"}, rows)
}

func (v verdict) ledger() []string {
	var rows [][]string
	for _, key := range slices.SortedFunc(maps.Keys(v.lanes), func(a, b truth.Key) int {
		return strings.Compare(a.Region+string(a.Signal), b.Region+string(b.Signal))
	}) {
		lane := v.lanes[key]
		rows = append(rows, []string{
			key.Region, string(key.Signal), table.Number(lane.Accepted), table.Number(lane.Delivered), table.Number(lane.Released),
			table.Number(lane.Dropped), table.Number(lane.Held), table.Number(lane.Residual()),
		})
	}
	return table.Lines([]string{"REGION", "SIGNAL", "ACCEPTED", "DELIVERED", "RELEASED", "DROPPED", "HELD", "RESIDUAL"}, rows)
}
