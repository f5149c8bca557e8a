// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Columns is the header of OpenCost's CSV price list; the columns come in this order.
var Columns = []string{
	"EndTimestamp", "InstanceID", "Region", "AssetClass", "InstanceIDField", "InstanceType", "MarketPriceHourly", "Version",
}

const (
	colID = iota + 1
	colRegion
	colClass
	colField
	colType
	colPrice
)

// MaxPriceRows bounds the rows of a price list; the rest is reported and not read.
const MaxPriceRows = 200_000

// Problem is one thing wrong in a price file. The rest of the file counts all the same.
type Problem struct {
	File   string
	Line   int
	Column string
	Value  string
	Reason string
}

// Error names file, line, column and value.
func (p Problem) Error() string {
	return fmt.Sprintf("%s:%d: column %s: %q: %s", p.File, p.Line, p.Column, p.Value, p.Reason)
}

// PriceList is a price list in OpenCost's CSV schema of eight columns.
type PriceList struct {
	nodes      map[string]map[string]float64 // InstanceIDField → [region,]id → $/h
	classes    map[string]mean               // region,instance type → $/h
	volumes    map[string]map[string]float64 // InstanceIDField → [region,]id → $/GiB-h
	gpus       map[string]float64            // [region,]model → $/GPU-h
	gpuFields  []string                      // labels that tell the model, in the order of the file
	gpuLabels  map[string]float64            // label=value → $/GPU-h
	nodeFields []string                      // in the order of the file
	pvFields   []string
	regions    bool // some row has a region
	rows       int
}

// mean is a running average. OpenCost keeps the first price of a class for ever, which first remembers.
type mean struct{ first, sum, n float64 }

// Rows is how many rows of the list count.
func (l *PriceList) Rows() int { return l.rows }

// ParsePriceList reads a list. Bad rows are returned as problems and left out; the error says that the list as a whole
// is of no use: not CSV, or no good row. Of rows with the same key the last counts, as in OpenCost.
func ParsePriceList(file string, r io.Reader) (*PriceList, []Problem, error) {
	l := &PriceList{
		nodes: map[string]map[string]float64{}, classes: map[string]mean{}, volumes: map[string]map[string]float64{},
		gpus: map[string]float64{}, gpuLabels: map[string]float64{},
	}
	var problems []Problem
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.Comment = '#'
	in.ReuseRecord = true
	for first := true; ; first = false {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var perr *csv.ParseError
		if errors.As(err, &perr) {
			problems = append(problems, Problem{file, perr.StartLine, "(row)", "", perr.Err.Error()})
			continue
		}
		if err != nil {
			return nil, problems, fmt.Errorf("%s: %w", file, err)
		}
		if first && slices.Equal(rec, Columns) {
			continue
		}
		line, _ := in.FieldPos(0)
		if l.rows >= MaxPriceRows {
			problems = append(problems, Problem{file, line, "(row)", "", fmt.Sprintf("more than %d rows: the rest isn't read", MaxPriceRows)})
			break
		}
		if column, value, reason := l.add(rec); reason != "" {
			problems = append(problems, Problem{file, line, column, value, reason})
			continue
		}
		l.rows++
	}
	if l.rows == 0 {
		return nil, problems, fmt.Errorf("%s: no row of the price list can be used (%d are bad)", file, len(problems))
	}
	return l, problems, nil
}

// add takes one row, or says which column is wrong and why.
func (l *PriceList) add(rec []string) (column, value, reason string) {
	if len(rec) != len(Columns) {
		return "(row)", strings.Join(rec, ","), fmt.Sprintf("%d columns where there must be %d", len(rec), len(Columns))
	}
	price, err := strconv.ParseFloat(strings.TrimSpace(rec[colPrice]), 64)
	if err != nil {
		return Columns[colPrice], rec[colPrice], "not a number"
	}
	if err := CheckPrice(price); err != nil {
		return Columns[colPrice], rec[colPrice], err.Error()
	}
	id, field := rec[colID], rec[colField]
	key := strings.ToLower(id)
	if rec[colRegion] != "" {
		key = strings.ToLower(rec[colRegion]) + "," + key
	}
	if id == "" && (rec[colClass] != "node" || rec[colType] == "") {
		return Columns[colID], id, "must not be empty (only a node row with an InstanceType may leave it out)"
	}
	switch rec[colClass] {
	case "node":
		if id != "" && !validNodeField(field) {
			return Columns[colField], field, "must be spec.providerID, metadata.name, metadata.labels.KEY or metadata.annotations.KEY"
		}
		if id != "" {
			put(l.nodes, &l.nodeFields, field, key, price)
		}
		class := rec[colRegion] + "," + rec[colType]
		m, ok := l.classes[class]
		if !ok {
			m.first = price
		}
		m.sum, m.n = m.sum+price, m.n+1
		l.classes[class] = m
	case "pv":
		if !validVolumeField(field) {
			return Columns[colField], field, "must be metadata.name, metadata.labels.KEY, metadata.annotations.KEY, spec.storageClassName or spec.capacity.storage"
		}
		put(l.volumes, &l.pvFields, field, key, price)
	case "gpu":
		if field == "" {
			return Columns[colField], field, "must be the label that tells the model of the GPU"
		}
		l.gpus[key] = price
		if !slices.Contains(l.gpuFields, field) {
			l.gpuFields = append(l.gpuFields, field)
		}
	case "gpulabel":
		l.gpuLabels[field+"="+id] = price
	default:
		return Columns[colClass], rec[colClass], "must be node, pv, gpu or gpulabel"
	}
	l.regions = l.regions || rec[colRegion] != ""
	return "", "", ""
}

func put(m map[string]map[string]float64, order *[]string, field, key string, price float64) {
	if m[field] == nil {
		m[field] = map[string]float64{}
	}
	m[field][key] = price
	// The field seen last goes to the end: OpenCost looks at that one only.
	*order = append(slices.DeleteFunc(*order, func(f string) bool { return f == field }), field)
}

func validNodeField(f string) bool {
	return f == "spec.providerID" || f == "metadata.name" || metadataField(f)
}

func validVolumeField(f string) bool {
	return f == "metadata.name" || f == "spec.storageClassName" || f == "spec.capacity.storage" || metadataField(f)
}

func metadataField(f string) bool {
	for _, prefix := range []string{"metadata.labels.", "metadata.annotations."} {
		if len(f) > len(prefix) && strings.HasPrefix(f, prefix) {
			return true
		}
	}
	return false
}
