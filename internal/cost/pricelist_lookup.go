// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"regexp"
	"strings"
)

// awsProviderID takes the instance out of AWS's provider ID, as OpenCost does: aws:///zone/instance.
var awsProviderID = regexp.MustCompile(`aws:///([^/]+)/([^/]+)`)

// nodeValue is the value of an InstanceIDField for a node.
func nodeValue(field string, n *Node) string {
	switch {
	case field == "metadata.name":
		return n.Name
	case field == "spec.providerID":
		if m := awsProviderID.FindStringSubmatch(n.ProviderID); m != nil {
			return m[2]
		}
		return strings.TrimPrefix(n.ProviderID, "azure://")
	}
	return metadataValue(field, n.Labels, n.Annotations)
}

// metadataValue reads a label or annotation. A label's name may itself hold dots: all after the prefix is the name.
func metadataValue(field string, labels, annotations map[string]string) string {
	if key, ok := strings.CutPrefix(field, "metadata.labels."); ok {
		return labels[key]
	}
	if key, ok := strings.CutPrefix(field, "metadata.annotations."); ok {
		return annotations[key]
	}
	return ""
}

// node returns the price of a node and whether its own row or one of its class (region and instance type) gave it.
// With compat only the field of the last row is looked at, and a class keeps the price of its first row.
func (l *PriceList) node(n *Node, compat bool) (price float64, exact, ok bool) {
	if l == nil {
		return 0, false, false
	}
	fields := l.nodeFields
	if compat && len(fields) > 1 {
		fields = fields[len(fields)-1:]
	}
	region := n.Region()
	for _, f := range fields {
		v := strings.ToLower(nodeValue(f, n))
		if v == "" {
			continue
		}
		if p, ok := l.nodes[f][strings.ToLower(region)+","+v]; ok && l.regions {
			return p, true, true
		}
		if p, ok := l.nodes[f][v]; ok {
			return p, true, true
		}
	}
	keys := []string{region + "," + n.InstanceType()}
	if !compat {
		if n.InstanceType() == "" {
			return 0, false, false // without a type there is no class: OpenCost would match any row without one
		}
		keys = append(keys, ","+n.InstanceType())
	}
	for _, k := range keys {
		if m, ok := l.classes[k]; ok {
			if compat {
				return m.first, false, true
			}
			return m.sum / m.n, false, true
		}
	}
	return 0, false, false
}

// gpuModel returns the price per GPU of the node's model. known is false if no label of the list tells a model.
func (l *PriceList) gpuModel(n *Node) (price float64, known, ok bool) {
	if l == nil {
		return 0, false, false
	}
	for _, f := range l.gpuFields {
		model, has := n.Labels[f]
		if !has {
			model, has = n.Labels[strings.ToLower(f)]
		}
		if !has {
			continue
		}
		model = strings.ToLower(model)
		if p, ok := l.gpus[strings.ToLower(n.Region())+","+model]; ok && l.regions {
			return p, true, true
		}
		p, ok := l.gpus[model]
		return p, true, ok
	}
	return 0, false, false
}

// gpuLabel returns the price per GPU that a row of class gpulabel gives to nodes with a certain label.
func (l *PriceList) gpuLabel(n *Node) (float64, bool) {
	if l == nil || len(l.gpuLabels) == 0 {
		return 0, false
	}
	best, found := "", false
	for k, v := range n.Labels {
		// Of several labels with a price the first by name counts, so that the answer is always the same.
		if key := k + "=" + v; (!found || key < best) && hasPrice(l.gpuLabels, key) {
			best, found = key, true
		}
	}
	return l.gpuLabels[best], found
}

func hasPrice(m map[string]float64, key string) bool {
	_, ok := m[key]
	return ok
}

// Volume is what the price of a persistent volume depends on.
type Volume struct {
	Name         string
	StorageClass string
	Capacity     string // spec.capacity.storage as written, for instance 10Gi
	Region       string
	Labels       map[string]string
	Annotations  map[string]string
}

// volume returns the price of a volume per GiB-hour.
func (l *PriceList) volume(v *Volume) (float64, bool) {
	if l == nil {
		return 0, false
	}
	for _, f := range l.pvFields {
		var id string
		switch f {
		case "metadata.name":
			id = v.Name
		case "spec.storageClassName":
			id = v.StorageClass
		case "spec.capacity.storage":
			id = v.Capacity
		default:
			id = metadataValue(f, v.Labels, v.Annotations)
		}
		id = strings.ToLower(id)
		if id == "" {
			continue
		}
		if p, ok := l.volumes[f][strings.ToLower(v.Region)+","+id]; ok && l.regions {
			return p, true
		}
		if p, ok := l.volumes[f][id]; ok {
			return p, true
		}
	}
	return 0, false
}
