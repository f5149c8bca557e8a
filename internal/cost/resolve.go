// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Source is where a price comes from, best first.
type Source string

// The sources of prices in the order in which they are asked.
const (
	SourceOverride Source = "override" // label or annotation of the node
	SourceList     Source = "csv"      // price list in OpenCost's schema
	SourceTable    Source = "table"    // instance-type table
	SourceDefault  Source = "default"  // default unit prices
)

// The labels or annotations of a node that set its prices; an annotation wins over a label of the same name.
const (
	OverrideNode = "k0rdent.mirantis.com/kof-node-hourly-cost" // $/h of the whole node
	OverrideCPU  = "k0rdent.mirantis.com/kof-cpu-hourly-cost"  // $/core-h
	OverrideRAM  = "k0rdent.mirantis.com/kof-ram-hourly-cost"  // $/GiB-h
	OverrideGPU  = "k0rdent.mirantis.com/kof-gpu-hourly-cost"  // $/GPU-h
)

// Resolver finds the price of a node or volume. It is not changed after it is made, so it may be shared.
type Resolver struct {
	Defaults    Prices
	DefaultsAt  time.Time          // the date of the default prices, for their age
	Extended    map[string]float64 // $/h per unit of an extended resource, by its name
	Discount    float64            // on CPU and RAM, 0 to 1, joined of list and negotiated discount by [Discount]
	SpotLabel   string             // label beside the well-known ones that marks spot nodes
	SpotValue   string
	GPULabel    string  // compat only: label that OpenCost's custom provider takes for a GPU
	VGPUsPerGPU float64 // AWS virtual GPUs per GPU, 0 for 10
	Compat      bool    // what OpenCost computes instead of what it means to compute
	List        *PriceList
	ListAt      time.Time // when the list was written
	Table       *InstanceTable
}

// Extended is the price of an extended resource of a node.
type Extended struct {
	Resource string
	Capacity float64
	Price    float64 // $/h per unit
}

// NodePrice is what a node costs, in dollars and before discount.
type NodePrice struct {
	Cores, GiB float64
	GPUs       GPUs
	CPU        float64 // $/core-h
	RAM        float64 // $/GiB-h
	GPU        float64 // $/GPU-h
	Extended   []Extended
	Spot       bool
	Discount   float64 // on CPU and RAM, 0 to 1
	Source     Source  // the best source that gave any of the prices
	AsOf       time.Time
	Problems   []string // overrides that can't be used

	uncounted float64 // cores that OpenCost leaves out of the total
}

// Total is node_total_hourly_cost: capacity times unit price over all resources, before discount.
func (p NodePrice) Total() float64 {
	t := (p.Cores-p.uncounted)*p.CPU + p.GiB*p.RAM + p.GPUs.Physical*p.GPU
	for _, e := range p.Extended {
		t += e.Capacity * e.Price
	}
	return t
}

// Node returns the price of the node. It always has an answer: the default unit prices are the last source.
func (r *Resolver) Node(n *Node, now time.Time) NodePrice {
	if r.Compat {
		return r.openCostNode(n)
	}
	p := NodePrice{
		Cores: n.Cores, GiB: n.MemoryBytes / GiB, GPUs: CountGPUs(n, r.VGPUsPerGPU),
		Spot: n.Spot(r.SpotLabel, r.SpotValue), Discount: r.Discount, Source: SourceDefault, AsOf: r.DefaultsAt,
	}
	p.CPU, p.RAM, p.GPU = r.Defaults.unit(p.Spot)
	p.Extended = r.extended(n, p.GPU)
	gpu, gpuOK := r.gpuPrice(n)
	total, source, asOf, ok := r.nodePrice(n, p.Spot, &p.Problems, now)
	if ok {
		p.Source, p.AsOf = source, asOf
		// A price list gives the price of the node without its GPUs where it prices GPUs by themselves.
		split(&p, total, gpuOK && source == SourceList)
	}
	if gpuOK && p.Source != SourceOverride {
		p.GPU, p.Source, p.AsOf = gpu, SourceList, r.ListAt
	}
	for _, o := range []struct {
		key  string
		unit *float64
	}{{OverrideCPU, &p.CPU}, {OverrideRAM, &p.RAM}, {OverrideGPU, &p.GPU}} {
		if v, ok := override(n, o.key, &p.Problems); ok {
			*o.unit, p.Source, p.AsOf = v, SourceOverride, now
		}
	}
	if p.GPUs.Physical == 0 {
		p.GPU = 0
	}
	return p
}

// nodePrice asks for the price of the whole node.
func (r *Resolver) nodePrice(n *Node, spot bool, problems *[]string, now time.Time) (float64, Source, time.Time, bool) {
	if v, ok := override(n, OverrideNode, problems); ok {
		return v, SourceOverride, now, true
	}
	if v, _, ok := r.List.node(n, false); ok {
		return v, SourceList, r.ListAt, true
	}
	if v, ok := r.Table.price(n.InstanceType(), n.Region(), spot); ok {
		return v, SourceTable, r.Table.AsOf, true
	}
	return 0, "", time.Time{}, false
}

// gpuPrice returns the price per GPU of the list, by label first, then by model.
func (r *Resolver) gpuPrice(n *Node) (float64, bool) {
	if v, ok := r.List.gpuLabel(n); ok {
		return v, true
	}
	v, _, ok := r.List.gpuModel(n)
	return v, ok
}

// extended prices the extended resources that have a price: those of the configuration, and MIG slices by the part of a
// GPU that they are.
func (r *Resolver) extended(n *Node, gpu float64) []Extended {
	var out []Extended
	for name, capacity := range n.Extended {
		if IsGPU(name) || capacity <= 0 {
			continue
		}
		price, ok := r.Extended[name]
		if share := MIGShare(name); !ok && share > 0 {
			price, ok = share*gpu, true
		}
		if ok {
			out = append(out, Extended{name, capacity, price})
		}
	}
	slices.SortFunc(out, func(a, b Extended) int { return cmp.Compare(a.Resource, b.Resource) })
	return out
}

// split spreads the price of a whole node over its resources in proportion to the unit prices that p holds: OpenCost's
// ratios. unit = total × default ÷ Σ(default × capacity), so that capacity times unit sums up to the total. Where nothing
// has a default price, all goes to the CPU.
func split(p *NodePrice, total float64, gpuApart bool) {
	gpu := p.GPU
	if gpuApart {
		p.GPU = 0
	}
	sum := p.Total()
	if sum <= 0 {
		p.CPU, p.RAM = total, 0
		if p.Cores > 0 {
			p.CPU = total / p.Cores
		}
	} else {
		f := total / sum
		p.CPU *= f
		p.RAM *= f
		p.GPU *= f
		for i := range p.Extended {
			p.Extended[i].Price *= f
		}
	}
	if gpuApart {
		p.GPU = gpu
	}
}

func override(n *Node, key string, problems *[]string) (float64, bool) {
	s, ok := n.Annotations[key]
	if !ok {
		if s, ok = n.Labels[key]; !ok {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		*problems = append(*problems, fmt.Sprintf("node %s: %s: %q: not a number", n.Name, key, s))
		return 0, false
	}
	if err := CheckPrice(v); err != nil {
		*problems = append(*problems, fmt.Sprintf("node %s: %s: %q: %v", n.Name, key, s, err))
		return 0, false
	}
	return v, true
}

// maxVolumeGiB is the capacity above which OpenCost takes a volume's size for a mistake and its cost for zero: 10 PiB.
const maxVolumeGiB = 10 << 20

// Volume returns the price of a volume per GiB-hour and its source.
func (r *Resolver) Volume(v *Volume) (float64, Source, time.Time) {
	if p, ok := r.List.volume(v); ok {
		return p, SourceList, r.ListAt
	}
	return r.Defaults.Storage, SourceDefault, r.DefaultsAt
}

// VolumeCost is the cost of a volume for some hours; one above 10 PiB costs nothing, as in OpenCost.
func VolumeCost(pricePerGiBHour, gib, hours float64) float64 {
	if gib > maxVolumeGiB {
		return 0
	}
	return pricePerGiBHour * gib * hours
}
