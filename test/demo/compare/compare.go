// SPDX-License-Identifier: Apache-2.0

// Package compare compares what the sources have sent with what each region's backend holds, record by record and in
// both directions.
package compare

import (
	"slices"

	"github.com/k0rdent/kof/test/demo/truth"
)

// maxExamples is how many identifiers of each kind of difference a Row names.
const maxExamples = 5

// Difference counts one kind of difference and names the first few records of it in the order of their identifiers.
type Difference struct {
	Count    int
	Examples []string
}

func (d *Difference) add(id string) {
	d.Count++
	d.Examples = append(d.Examples, id)
}

// trim makes the examples the same in every run.
func (d *Difference) trim() {
	slices.Sort(d.Examples)
	d.Examples = d.Examples[:min(len(d.Examples), maxExamples)]
}

// Row is the comparison of one signal in one region.
type Row struct {
	// Sent is how many records belong to the region, Found how many of these its backend holds.
	Sent, Found int
	// Missing are records of the region that its backend does not hold.
	Missing Difference
	// Duplicated are further copies of records of the region. Delivery is at least once, so they are no failure.
	Duplicated Difference
	// WrongRegion are records that the region's backend holds although they belong elsewhere.
	WrongRegion Difference
	// Unsent are records that the region's backend holds and nobody has sent, such as a sample with another value.
	Unsent Difference
}

// OK says whether nothing is missing, misplaced or made up.
func (r Row) OK() bool {
	return r.Missing.Count == 0 && r.WrongRegion.Count == 0 && r.Unsent.Count == 0
}

// Signal compares one signal. Found holds, per region, how often its backend holds each identifier; a region that is in
// found gets a row, with or without records. Records sent for a region that is not in found have no backend to be missing
// from; they count only where they are found.
func Signal(sent map[string]truth.Record, found map[string]map[string]int) map[string]Row {
	rows := make(map[string]*Row, len(found))
	for region := range found {
		rows[region] = &Row{}
	}
	for id, record := range sent {
		row, ok := rows[record.Source.Region]
		if !ok {
			continue
		}
		row.Sent++
		if found[record.Source.Region][id] > 0 {
			row.Found++
		} else {
			row.Missing.add(id)
		}
	}
	for region, ids := range found {
		for id, copies := range ids {
			rows[region].place(id, copies, region, sent)
		}
	}
	out := make(map[string]Row, len(rows))
	for region, row := range rows {
		for _, d := range []*Difference{&row.Missing, &row.Duplicated, &row.WrongRegion, &row.Unsent} {
			d.trim()
		}
		out[region] = *row
	}
	return out
}

func (r *Row) place(id string, copies int, region string, sent map[string]truth.Record) {
	record, ok := sent[id]
	switch {
	case !ok:
		r.Unsent.add(id)
	case record.Source.Region != region:
		r.WrongRegion.add(id)
	default:
		for range copies - 1 {
			r.Duplicated.add(id)
		}
	}
}
