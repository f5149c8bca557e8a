// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math/bits"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

var targetInfoName = appendLabel(nil, nameLabel, "target_info")

// ownedByResource tells the labels that target_info's attributes can't set: all that the resource's series have in
// common, by which target_info is joined to them.
func ownedByResource(r *resource, name, _ string) bool {
	if name == nameLabel {
		return true
	}
	for i, s := range r.slots {
		if s.label == name {
			return r.present&(1<<i) != 0
		}
	}
	return ownedByEncoder(r, name, "")
}

// appendTargetInfo appends the resource's target_info, if it has attributes that are not labels of all its series, and a
// job or instance to join by.
func (e *Encoder) appendTargetInfo(dst []byte, attrs pcommon.Map) []byte {
	r, p := &e.resource, &e.info
	if r.present&r.target == 0 {
		return dst
	}
	room := e.maxLabels - 1 - bits.OnesCount64(r.present)
	fits := p.ops != nil && p.present == r.present
	keys := e.infoKeys[:0]
	e.values = e.values[:0]
	for k, v := range attrs.All() {
		if len(keys) >= room {
			break
		}
		if r.mapped[k] || e.names.label(k).name == "" {
			continue
		}
		value := e.text(v)
		if value == "" {
			continue
		}
		fits = fits && len(keys) < len(p.keys) && p.keys[len(keys)] == k
		keys = append(keys, k)
		e.values = append(e.values, value)
	}
	e.infoKeys = keys
	if len(keys) == 0 {
		return dst
	}
	if !fits || len(keys) != len(p.keys) {
		p.keys = append(p.keys[:0], keys...)
		e.buildPlan(p, "", ownedByResource)
	}
	clear(keys) // the strings are the caller's
	if p.reason != representable {
		return dst
	}
	e.sample.setTimestamp(e.newest)
	start := len(dst)
	dst = beginSeries(dst)
	dst, _, _ = e.appendLabels(dst, p, targetInfoName)
	dst = e.sample.append(dst, 1)
	e.result.Samples++
	return endSeries(dst, start)
}
