// SPDX-License-Identifier: Apache-2.0

package costs

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/k0rdent/kof/internal/finops"
	"github.com/k0rdent/kof/internal/kofctl/output"
)

// report is what `kofctl costs` found.
type report struct {
	*finops.Report
	top int
}

// parts are the columns of cost, in order.
var parts = []struct {
	name string
	of   func(*finops.Row) float64
}{
	{"cpu", func(r *finops.Row) float64 { return r.CPU }},
	{"ram", func(r *finops.Row) float64 { return r.RAM }},
	{"gpu", func(r *finops.Row) float64 { return r.GPU }},
	{"other", func(r *finops.Row) float64 { return r.Other }},
	{"volume", func(r *finops.Row) float64 { return r.Volume }},
	{"load_balancer", func(r *finops.Row) float64 { return r.LoadBalancer }},
	{"management", func(r *finops.Row) float64 { return r.Management }},
	{"idle", func(r *finops.Row) float64 { return r.Idle }},
	{"shared", func(r *finops.Row) float64 { return r.Shared }},
	{"total", (*finops.Row).Total},
}

// measures are the columns that may be missing.
var measures = []struct {
	name string
	of   func(*finops.Row) *float64
}{
	{"efficiency", func(r *finops.Row) *float64 { return r.Efficiency }},
	{"month_to_date", func(r *finops.Row) *float64 { return r.MonthToDate }},
	{"month_end", func(r *finops.Row) *float64 { return r.MonthEnd }},
}

// Tables shows the dearest rows, with the columns that have something.
func (r report) Tables() []output.Table {
	rows := r.Rows
	var others []finops.Row
	if r.top > 0 && len(rows) > r.top {
		rows, others = rows[:r.top], rows[r.top:]
	}
	t := output.Table{
		Title:   fmt.Sprintf("%s to %s (UTC)", r.Window.Start.Format(time.DateTime), r.Window.End.Format(time.DateTime)),
		Columns: append(slices.Clone(r.Columns), "currency"),
	}
	keep := make([]bool, len(parts))
	for i, p := range parts {
		keep[i] = slices.ContainsFunc(r.Rows, func(row finops.Row) bool { return p.of(&row) != 0 })
		if keep[i] {
			t.Columns = append(t.Columns, p.name)
		}
	}
	measured := make([]bool, len(measures))
	for i, m := range measures {
		measured[i] = slices.ContainsFunc(r.Rows, func(row finops.Row) bool { return m.of(&row) != nil })
		if measured[i] {
			t.Columns = append(t.Columns, m.name)
		}
	}
	line := func(keys []string, row *finops.Row) {
		cells := append(slices.Clone(keys), row.Currency)
		for i, p := range parts {
			if keep[i] {
				cells = append(cells, money(p.of(row)))
			}
		}
		for i, m := range measures {
			if measured[i] {
				cells = append(cells, measure(m.name, m.of(row)))
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, row := range rows {
		line(row.Keys, &row)
	}
	for _, sum := range sums(others) {
		line(named(fmt.Sprintf("%d others", len(others)), len(r.Columns)), &sum)
	}
	for _, sum := range sums(r.Rows) {
		line(named("TOTAL", len(r.Columns)), &sum)
	}
	return []output.Table{t}
}

// sums adds up rows by currency.
func sums(rows []finops.Row) (all []finops.Row) {
	for _, row := range rows {
		i := slices.IndexFunc(all, func(r finops.Row) bool { return r.Currency == row.Currency })
		if i < 0 {
			i, all = len(all), append(all, finops.Row{Currency: row.Currency})
		}
		all[i].Add(&row)
	}
	return all
}

func named(name string, n int) []string { return append([]string{name}, make([]string, n-1)...) }

// money shows cents, and what is less than that to two digits.
func money(v float64) string {
	if v != 0 && v < 0.01 && v > -0.01 {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func measure(name string, v *float64) string {
	switch {
	case v == nil:
		return ""
	case name == "efficiency":
		return fmt.Sprintf("%.0f %%", *v*100)
	}
	return money(*v)
}

// MarshalJSON gives each row its keys by their columns' names, and its costs beside them.
func (r report) MarshalJSON() ([]byte, error) {
	rows := make([]map[string]any, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = map[string]any{"currency": row.Currency}
		for _, p := range parts {
			rows[i][p.name] = p.of(&row)
		}
		for _, m := range measures {
			if v := m.of(&row); v != nil {
				rows[i][m.name] = *v
			}
		}
		keys := map[string]string{}
		for j, column := range r.Columns {
			keys[column] = row.Keys[j]
		}
		rows[i]["keys"] = keys
	}
	return json.Marshal(map[string]any{"start": r.Window.Start, "end": r.Window.End, "rows": rows})
}

// writeCSV writes all rows with all columns; what isn't known is empty.
func writeCSV(w io.Writer, r *finops.Report) error {
	out := csv.NewWriter(w)
	header := append(slices.Clone(r.Columns), "currency")
	for _, p := range parts {
		header = append(header, p.name)
	}
	for _, m := range measures {
		header = append(header, m.name)
	}
	_ = out.Write(header) // its error is the writer's, below
	for _, row := range r.Rows {
		line := append(slices.Clone(row.Keys), row.Currency)
		for _, p := range parts {
			line = append(line, strconv.FormatFloat(p.of(&row), 'f', -1, 64))
		}
		for _, m := range measures {
			if v := m.of(&row); v != nil {
				line = append(line, strconv.FormatFloat(*v, 'f', -1, 64))
			} else {
				line = append(line, "")
			}
		}
		_ = out.Write(line)
	}
	out.Flush()
	return out.Error()
}
