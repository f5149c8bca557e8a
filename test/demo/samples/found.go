// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"fmt"
	"math"

	"github.com/k0rdent/kof/test/demo/truth"
)

// tolerance is the relative difference up to which a stored value is the sent one: VictoriaMetrics keeps values as
// decimals and may round the 16th digit of a float64.
const tolerance = 1e-12

// Series is one stored series with its samples, as /api/v1/export of VictoriaMetrics gives it.
type Series struct {
	// Labels include __name__.
	Labels map[string]string
	// Timestamps are in milliseconds since 1970; as many as there are Values.
	Timestamps []int64
	Values     []float64
}

type instant struct {
	source string
	at     int64
}

// IDs returns the identifiers of the stored samples, each as often as it is stored. A sample whose value is not the
// one that was sent gets an identifier that nobody sent. Series that no source has sent (up, target_info and others that
// a collector makes) are passed over, and so are staleness markers.
func (r *Recorder) IDs(stored []Series, sent map[string]truth.Record) map[string]int {
	scrapes := scrapeNumbers(stored)
	ids := map[string]int{}
	for _, series := range stored {
		source, name := series.Labels[InstanceLabel], series.Labels["__name__"]
		own, ok := r.own(source, name, series.Labels)
		if !ok {
			continue
		}
		k := key(name, own)
		for i, at := range series.Timestamps {
			value := series.Values[i]
			if math.IsNaN(value) {
				continue
			}
			id := timedID(source, k, at)
			if n, ok := scrapes[instant{source, at}]; ok {
				id = scrapedID(source, k, n)
			}
			if record, ok := sent[id]; ok && !same(value, record.Value) {
				id = fmt.Sprintf("%s: stored value %v, sent %v", id, value, record.Value)
			}
			ids[id]++
		}
	}
	return ids
}

func scrapeNumbers(stored []Series) map[instant]uint64 {
	numbers := map[instant]uint64{}
	for _, series := range stored {
		if series.Labels["__name__"] != SequenceSeries {
			continue
		}
		for i, at := range series.Timestamps {
			if value := series.Values[i]; !math.IsNaN(value) {
				numbers[instant{series.Labels[InstanceLabel], at}] = uint64(value)
			}
		}
	}
	return numbers
}

func same(a, b float64) bool {
	return a == b || math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
}
