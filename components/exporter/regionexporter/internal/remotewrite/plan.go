// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A plan is how the labels of points of one shape are merged: points that have the same attribute keys in the same order,
// under resources that give the same labels. Points of one metric nearly always have one shape, so that sorting, name
// normalisation and clashes are paid once and a point costs a comparison of its keys and a copy of its values.
type plan struct {
	present uint64 // resource.present that it was made for
	keys    []string
	ops     []op
	joined  []int32 // attribute indexes of the opJoin ops
	// labels is the number of labels that a series has if no value is empty.
	labels int
	reason Reason // why points of this shape can't be encoded
}

type opKind uint8

const (
	opResource  opKind = iota // copy the labels of the resource's slots from..to
	opName                    // place of __name__
	opExtra                   // place of le or quantile
	opAttribute               // label from attribute from
	opJoin                    // label from several attributes, joined[from:to]
)

type op struct {
	kind     opKind
	from, to int32
	// slot is the resource's label that shows through when the point's own value is empty, -1 for none.
	slot int32
	name *labelName
}

// fits tells whether the plan is for points with these attributes and, if so, takes their values.
func (e *Encoder) fits(p *plan, attrs pcommon.Map) bool {
	n := attrs.Len()
	if p.ops == nil || p.present != e.resource.present || len(p.keys) != n {
		return false
	}
	if cap(e.values) < n {
		e.values = make([]string, n)
	}
	values, keys := e.values[:n], p.keys
	i := 0
	for k, v := range attrs.All() {
		if k != keys[i] {
			return false
		}
		if s := v.Str(); s != "" {
			values[i] = s
		} else {
			values[i] = e.text(v)
		}
		i++
	}
	e.values = values
	return true
}

// shape makes the metric's plan fit a point, and takes the values of the point's attributes.
func (e *Encoder) shape(m *metricName, attrs pcommon.Map, extra string) Reason {
	p := &m.plan
	if !e.fits(p, attrs) {
		// Attributes without a value are no labels, so more attributes than labels may be fine, but plans are kept.
		if attrs.Len() > 4*e.maxLabels {
			return ReasonTooManyLabels
		}
		p.keys = p.keys[:0]
		for k := range attrs.All() {
			p.keys = append(p.keys, k)
		}
		e.buildPlan(p, extra, ownedByEncoder)
		e.fits(p, attrs)
	}
	if p.reason == representable && p.labels > e.maxLabels && e.countLabels(p) > e.maxLabels {
		return ReasonTooManyLabels
	}
	return p.reason
}

// planItem is one candidate for a label.
type planItem struct {
	kind  opKind
	index int32 // slot or attribute
	key   string
	name  *labelName
}

var (
	nameItem     = newLabelName(nameLabel)
	leItem       = newLabelName(leLabel)
	quantileItem = newLabelName(quantileLabel)
)

// ownedByEncoder tells the labels that a point's attribute can't set. vm_account_id and vm_project_id choose the tenant
// at VictoriaMetrics' multitenant endpoints.
func ownedByEncoder(r *resource, name, extra string) bool {
	switch name {
	case nameLabel, "vm_account_id", "vm_project_id":
		return true
	case extra:
		return extra != ""
	}
	return slices.ContainsFunc(r.slots, func(s resourceLabel) bool { return s.identity && s.label == name })
}

// buildPlan makes p the plan for points with the attributes p.keys and the extra label (le, quantile or none).
func (e *Encoder) buildPlan(p *plan, extra string, owned func(r *resource, name, extra string) bool) {
	r := &e.resource
	p.present, p.reason, p.labels = r.present, representable, 0
	p.ops, p.joined = append(p.ops[:0], op{})[:0], p.joined[:0] // never nil: nil is "no plan"

	items := e.items[:0]
	for i, name := range r.names {
		if r.present&(1<<i) != 0 {
			items = append(items, planItem{kind: opResource, index: int32(i), name: name})
		}
	}
	items = append(items, planItem{kind: opName, name: nameItem})
	switch extra {
	case leLabel:
		items = append(items, planItem{kind: opExtra, name: leItem})
	case quantileLabel:
		items = append(items, planItem{kind: opExtra, name: quantileItem})
	}
	for i, key := range p.keys {
		name := e.names.label(key)
		p.keys[i] = name.key // a copy: the plan outlives the point
		if name.name != "" && owned(r, name.name, extra) {
			name = name.exportedName()
		}
		if name.name == "" {
			p.reason = ReasonInvalidName
		}
		items = append(items, planItem{kind: opAttribute, index: int32(i), key: key, name: name})
	}
	slices.SortFunc(items, func(a, b planItem) int {
		return cmp.Or(cmp.Compare(a.name.name, b.name.name), cmp.Compare(a.kind, b.kind),
			cmp.Compare(a.key, b.key), cmp.Compare(a.index, b.index))
	})
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].name.name == items[i].name.name {
			j++
		}
		p.addLabel(items[i:j])
		i = j
	}
	clear(items)
	e.items = items
}

// addLabel adds the label that all items are candidates for; the resource's own comes first, then attributes by key.
func (p *plan) addLabel(items []planItem) {
	p.labels++
	o := op{kind: items[0].kind, slot: -1, name: items[0].name}
	if o.kind == opResource {
		if slot := items[0].index; len(items) == 1 {
			// Slots between two neighbours that the resource doesn't set are empty: one copy takes both.
			if n := len(p.ops); n > 0 && p.ops[n-1].kind == opResource {
				p.ops[n-1].to = slot + 1
				return
			}
			o.from, o.to = slot, slot+1
			p.ops = append(p.ops, o)
			return
		}
		o.slot = items[0].index
		items = items[1:]
		o.kind = opAttribute
	}
	if len(items) > 1 {
		o.kind = opJoin
		o.from = int32(len(p.joined))
		for _, it := range items {
			p.joined = append(p.joined, it.index)
		}
		o.to = int32(len(p.joined))
	} else {
		o.from = items[0].index
	}
	p.ops = append(p.ops, o)
}
