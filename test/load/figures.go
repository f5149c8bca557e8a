// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// figures is a page of Prometheus metrics: series as they are written, and their values.
type figures map[string]float64

func readFigures(ctx context.Context, url string) (figures, error) {
	page, err := get(ctx, url)
	if err != nil {
		return nil, err
	}
	return parseFigures(page)
}

func parseFigures(page []byte) (figures, error) {
	f := figures{}
	for line := range bytes.Lines(page) {
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(text, ' ')
		if at < 0 {
			return nil, fmt.Errorf("not a line of metrics: %q", text)
		}
		v, err := strconv.ParseFloat(text[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("not a line of metrics: %q", text)
		}
		f[text[:at]] = v
	}
	return f, nil
}

// sum adds up the series of a name whose text has all of the parts, such as `signal="logs"`.
func (f figures) sum(name string, parts ...string) float64 {
	var sum float64
	for series, v := range f {
		all := series == name || strings.HasPrefix(series, name+"{")
		for _, part := range parts {
			all = all && strings.Contains(series, part)
		}
		if all {
			sum += v
		}
	}
	return sum
}

// printTable prints rows with aligned columns; the first row is the header.
func printTable(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// change is by how much a figure differs from another one, in percent of that.
func change(from, to float64) float64 { return (to/from - 1) * 100 }

func mib(bytes int64) string { return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) }
