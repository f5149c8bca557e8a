// SPDX-License-Identifier: Apache-2.0

package remotewrite

// separator joins the values of attributes that have the same label name, as the OpenTelemetry specification says.
const separator = ';'

// appendLabels appends the labels that the plan p gives to the point whose values were taken. name is an encoded
// __name__ label. The returned offsets say where in dst __name__ and the extra label belong; the latter is left out.
func (e *Encoder) appendLabels(dst []byte, p *plan, name []byte) (labels []byte, nameAt, extraAt int) {
	r := &e.resource
	for i := range p.ops {
		o := &p.ops[i]
		switch o.kind {
		case opResource:
			dst = append(dst, r.labels(o.from, o.to)...)
		case opName:
			nameAt = len(dst)
			dst = append(dst, name...)
		case opExtra:
			extraAt = len(dst)
		default:
			value := ""
			if o.kind == opAttribute {
				value = e.values[o.from]
			} else {
				value = e.joinValues(p.joined[o.from:o.to])
			}
			if value != "" {
				dst = e.appendValue(dst, o.name, value)
			} else if o.slot >= 0 {
				dst = append(dst, r.labels(o.slot, o.slot+1)...)
			}
		}
	}
	return dst, nameAt, extraAt
}

// joinValues joins the values that are not empty; one that equals what is there already is not repeated.
func (e *Encoder) joinValues(attributes []int32) string {
	e.join = e.join[:0]
	for _, a := range attributes {
		v := e.values[a]
		switch {
		case v == "" || v == string(e.join):
			continue
		case len(e.join) > 0:
			e.join = append(e.join, separator)
		}
		e.join = append(e.join, v[:min(len(v), MaxLabelValueLength+1)]...)
		if len(e.join) > MaxLabelValueLength {
			break // the rest would be cut off anyway
		}
	}
	return string(e.join)
}

// countLabels is the number of labels of the point whose values were taken.
func (e *Encoder) countLabels(p *plan) int {
	n := p.labels
	for i := range p.ops {
		o := &p.ops[i]
		switch {
		case o.slot >= 0:
		case o.kind == opAttribute && e.values[o.from] == "":
			n--
		case o.kind == opJoin && e.joinValues(p.joined[o.from:o.to]) == "":
			n--
		}
	}
	return n
}

// seriesTemplate holds the labels that all series of a histogram or summary point share, in three pieces: __name__ goes
// between the first two, le or quantile between the last two.
type seriesTemplate struct {
	labels          []byte
	nameAt, extraAt int
}

// beginPoint prepares the template for the point whose values were taken.
func (e *Encoder) beginPoint(p *plan) {
	t := &e.series
	t.labels, t.nameAt, t.extraAt = e.appendLabels(t.labels[:0], p, nil)
}

// tooLarge tells whether n series of the template would exceed MaxPointSize.
func (t *seriesTemplate) tooLarge(n int, name []byte) bool {
	const framingAndSample = 64
	return n > MaxPointSize/(len(t.labels)+len(name)+framingAndSample)
}

// appendSeries appends a series of the template with an encoded __name__, an encoded extra label (or none) and a value.
func (e *Encoder) appendSeries(dst []byte, name, extra []byte, value float64) []byte {
	t := &e.series
	start := len(dst)
	dst = beginSeries(dst)
	dst = append(dst, t.labels[:t.nameAt]...)
	dst = append(dst, name...)
	dst = append(dst, t.labels[t.nameAt:t.extraAt]...)
	dst = append(dst, extra...)
	dst = append(dst, t.labels[t.extraAt:]...)
	dst = e.sample.append(dst, value)
	e.result.Samples++
	return endSeries(dst, start)
}
