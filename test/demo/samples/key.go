// SPDX-License-Identifier: Apache-2.0

// Package samples gives every sample of a metric that the demo sends an identifier, and finds the same identifiers in
// what a metrics store exports.
//
// A sample that is sent with its own time (OTLP) is identified by its series and that time. A sample that is scraped
// gets its time from the scraper; it is identified by its series and the number of the scrape, which the endpoint
// serves as the series SequenceSeries and which therefore is found at the same time in the store.
package samples

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// SequenceSeries is the counter of scrapes that a scraped source serves; its value is the number of the scrape.
const SequenceSeries = "demo_scrape_sequence_total"

// InstanceLabel tells the sources of samples apart in the store. Prometheus sets it for scraped targets, the
// translation from OTLP sets it from service.instance.id.
const InstanceLabel = "instance"

// key names a series: its name and labels in a fixed order. The label le is written as the shortest decimal, because
// 1, 1.0 and 1e0 are the same bound.
func key(name string, labels map[string]string) string {
	var b strings.Builder
	b.WriteString(name)
	b.WriteByte('{')
	for i, label := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteByte(',')
		}
		value := labels[label]
		if label == "le" {
			if bound, err := strconv.ParseFloat(value, 64); err == nil {
				value = strconv.FormatFloat(bound, 'g', -1, 64)
			}
		}
		fmt.Fprintf(&b, "%s=%q", label, value)
	}
	b.WriteByte('}')
	return b.String()
}

func timedID(source, series string, unixMilli int64) string {
	return fmt.Sprintf("%s: %s@%d", source, series, unixMilli)
}

func scrapedID(source, series string, scrape uint64) string {
	return fmt.Sprintf("%s: %s#%d", source, series, scrape)
}
