// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"cmp"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// The attributes that identify a target; see
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#resource-attributes-1.
const (
	serviceNameKey      = "service.name"
	serviceNamespaceKey = "service.namespace"
	serviceInstanceKey  = "service.instance.id"
)

const (
	jobLabel      = "job"
	instanceLabel = "instance"
)

// resourceLabel is a label that all series of a resource carry.
type resourceLabel struct {
	attribute string // that gives the value
	label     string
	// identity keeps points from setting the label, also where the resource doesn't.
	identity bool
}

func builtinLabels() []resourceLabel {
	return []resourceLabel{
		{attribute: serviceNameKey, label: jobLabel}, // with the namespace, see prepareResource
		{attribute: serviceInstanceKey, label: instanceLabel},
		{attribute: "k8s.cluster.name", label: "cluster", identity: true},
		{attribute: "kof.cluster.namespace", label: "clusterNamespace", identity: true},
		{attribute: "kof.tenant", label: "tenant", identity: true},
		{attribute: "k8s.node.name", label: "node"},
		{attribute: "k8s.namespace.name", label: "namespace"},
		{attribute: "k8s.pod.name", label: "pod"},
		{attribute: "k8s.container.name", label: "container"},
	}
}

// resource holds the encoded labels of the resource at hand.
type resource struct {
	slots  []resourceLabel // sorted by label; at most 64, the bits of present
	names  []*labelName    // by slot
	mapped map[string]bool // attributes that target_info need not repeat
	target uint64          // slots of job and instance

	present uint64 // slots that have a value
	// encoded holds the labels of all slots in order, that of slot i at offsets[i] to offsets[i+1].
	encoded []byte
	offsets []int
}

func (r *resource) init(extra map[string]string, n *names) {
	r.slots = builtinLabels()
	for _, attr := range slices.Sorted(maps.Keys(extra)) {
		r.slots = append(r.slots, resourceLabel{attribute: attr, label: extra[attr]})
	}
	slices.SortFunc(r.slots, func(a, b resourceLabel) int { return cmp.Compare(a.label, b.label) })
	r.mapped = map[string]bool{serviceNamespaceKey: true}
	for i, s := range r.slots {
		r.names = append(r.names, newLabelName(s.label))
		r.mapped[s.attribute] = true
		if s.label == jobLabel || s.label == instanceLabel {
			r.target |= 1 << i
		}
	}
	r.offsets = make([]int, len(r.slots)+1)
}

// labels returns the encoded labels of the slots from (inclusive) to to (exclusive).
func (r *resource) labels(from, to int32) []byte {
	return r.encoded[r.offsets[from]:r.offsets[to]]
}

// prepareResource encodes the labels that the resource gives to all of its series.
func (e *Encoder) prepareResource(attrs pcommon.Map) {
	r := &e.resource
	r.present = 0
	r.encoded = r.encoded[:0]
	for i, s := range r.slots {
		r.offsets[i] = len(r.encoded)
		v, ok := attrs.Get(s.attribute)
		if !ok {
			continue
		}
		value := e.text(v)
		if s.label == jobLabel {
			value = e.job(attrs, value)
		}
		if value == "" {
			continue
		}
		r.encoded = e.appendValue(r.encoded, r.names[i], value)
		r.present |= 1 << i
	}
	r.offsets[len(r.slots)] = len(r.encoded)
}

// job is the name of a service, preceded by its namespace if it has one.
func (e *Encoder) job(attrs pcommon.Map, name string) string {
	v, ok := attrs.Get(serviceNamespaceKey)
	if !ok || name == "" {
		return name
	}
	ns := e.text(v)
	if ns == "" {
		return name
	}
	return ns + "/" + name
}

// text is the text of an attribute's value; strings, booleans and recent integers take no allocation.
func (e *Encoder) text(v pcommon.Value) string {
	if s := v.Str(); s != "" {
		return s
	}
	if v.Type() == pcommon.ValueTypeInt {
		return e.names.int(v.Int())
	}
	return v.AsString()
}

// appendValue appends a label, with the value made to fit.
func (e *Encoder) appendValue(dst []byte, name *labelName, value string) []byte {
	clean, truncated := cleanValue(value)
	if truncated {
		e.result.Truncated++
	}
	return appendNamedLabel(dst, name, clean)
}
