// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
)

// row is what became of one collector in one cell.
type row struct {
	cell    string
	kind    collector.Kind
	skipped string // why it didn't run; "" when it did
	err     error  // that kept it from coming to an end
	took    time.Duration
	notes   []string
	result
}

// failed says whether kof-otelcol failed. The stock collector is only looked at.
func (r row) failed() bool {
	return r.kind == collector.KOF && r.skipped == "" && (r.err != nil || len(r.problems) > 0)
}

func (r row) verdict() string {
	switch {
	case r.skipped != "":
		return "skipped"
	case r.failed():
		return "FAILED"
	case r.kind == collector.KOF:
		return "ok"
	case r.err != nil:
		return "(ended early)"
	default:
		return "(not judged)"
	}
}

const header = "cell\tcollector\tacknowledged\tdelivered\tdropped\tlost\twrong region\tduplicates\tbound\tresidual\tseconds\tverdict"

func (r row) columns() string {
	if r.skipped != "" || r.err != nil {
		return fmt.Sprintf("%s\t%s\t\t\t\t\t\t\t\t\t%.1f\t%s", r.cell, r.kind, r.took.Seconds(), r.verdict())
	}
	dropped, bound, residual := "-", "-", "-" // what only a ledger tells
	if r.kind == collector.KOF {
		dropped, bound, residual = fmt.Sprint(r.dropped), fmt.Sprint(r.bound), fmt.Sprint(r.residual)
	}
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%s\t%d\t%d\t%d\t%s\t%s\t%.1f\t%s", r.cell, r.kind, r.acknowledged, r.delivered, dropped, r.lost,
		r.wrong, r.duplicates, bound, residual, r.took.Seconds(), r.verdict())
}

// line is the row for someone who watches.
func (r row) line() string { return strings.Join(strings.Split(r.columns(), "\t"), "  ") + r.details() }

// details are what the table's columns don't say, a line each.
func (r row) details() string {
	var b strings.Builder
	add := func(what string) {
		fmt.Fprintf(&b, "\n    %s", strings.ReplaceAll(strings.TrimSpace(what), "\n", "\n      "))
	}
	if r.skipped != "" {
		add(r.skipped)
	}
	for _, note := range r.notes {
		add(note)
	}
	for _, problem := range r.problems {
		add("! " + problem)
	}
	if r.err != nil {
		add("! " + r.err.Error())
	}
	return b.String()
}

func printTable(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, header)
	for _, r := range rows {
		fmt.Fprintln(w, r.columns())
	}
	_ = w.Flush() // to standard output
	for _, r := range rows {
		if details := r.details(); details != "" {
			fmt.Fprintf(out, "%s, %s:%s\n", r.cell, r.kind, details)
		}
	}
}

func countKOF(rows []row) int {
	n := 0
	for _, r := range rows {
		if r.kind == collector.KOF && r.skipped == "" {
			n++
		}
	}
	return n
}

func printCells(out io.Writer, all []cell) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		fmt.Fprintf(w, "%s\t%s\n", c.name, c.what)
	}
	_ = w.Flush()
}
