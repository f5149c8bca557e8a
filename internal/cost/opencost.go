// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"math"
	"strconv"
)

// provided is what one of OpenCost's providers says about a node; a nil price is one it leaves empty.
type provided struct {
	cost, cpu, ram, gpu *float64
	gpus                *float64
}

// openCostNode computes what OpenCost v1.120.0 does for its CSV provider (with a list) or its custom provider (without),
// with all that is known to be wrong there. Overrides, the instance table and extended resources aren't looked at: it
// has none of them.
func (r *Resolver) openCostNode(n *Node) NodePrice {
	p := NodePrice{
		Cores: math.Ceil(n.Cores), GiB: n.MemoryBytes / GiB, Discount: r.Discount, Source: SourceDefault, AsOf: r.DefaultsAt,
	}
	if n.Cores != math.Trunc(n.Cores) {
		p.uncounted = p.Cores // the total is made of the capacity as written, and 3920m is no number
	}
	var prov provided
	if r.List != nil {
		prov = r.csvProvider(n, &p)
	} else {
		prov = r.customProvider(n)
	}
	if g := CountGPUs(n, r.VGPUsPerGPU); g.Physical > 0 {
		p.GPUs = g
		prov.gpus = &g.Physical
	} else if prov.gpus != nil {
		p.GPUs = GPUs{*prov.gpus, *prov.gpus}
	}
	r.openCostSplit(n, prov, &p)
	p.CPU, p.RAM, p.GPU = finite(p.CPU, r.Defaults.CPU), finite(p.RAM, r.Defaults.RAM), finite(p.GPU, r.Defaults.GPU)
	return p
}

// customProvider: the key "default,spot,gpu" doesn't exist there, so that a node which is both is free, and the GPU's
// price is only filled for nodes with the configured label.
func (r *Resolver) customProvider(n *Node) provided {
	spot := r.SpotLabel != "" && has(n.Labels, r.SpotLabel) && n.Labels[r.SpotLabel] == r.SpotValue
	gpu := r.GPULabel != "" && has(n.Labels, r.GPULabel)
	cpu, ram, _ := r.Defaults.unit(spot)
	out := provided{cpu: &cpu, ram: &ram}
	if gpu {
		one, price := 1.0, r.Defaults.GPU
		if spot {
			cpu, ram, price = 0, 0, 0
		}
		out.gpu, out.gpus = &price, &one
	}
	return out
}

func (r *Resolver) csvProvider(n *Node, p *NodePrice) provided {
	price, exact, ok := r.List.node(n, true)
	if !ok {
		cpu, ram := r.Defaults.CPU, r.Defaults.RAM
		return provided{cpu: &cpu, ram: &ram}
	}
	p.Source, p.AsOf = SourceList, r.ListAt
	if !exact {
		price = six(price)
	}
	out := provided{cost: &price}
	if gpu, known, _ := r.List.gpuModel(n); known {
		count := n.Extended[resourceGPU]
		unit := six(gpu)
		total := six(price + gpu*count)
		out.gpu, out.gpus, out.cost = &unit, &count, &total
	}
	return out
}

// openCostSplit is the branches of CostModel.GetNodeCost in their order.
func (r *Resolver) openCostSplit(n *Node, prov provided, p *NodePrice) {
	d := r.Defaults
	label, labelOK := r.List.gpuLabel(n)
	switch {
	case n.InstanceType() == "rke2":
		p.CPU, p.RAM, p.GPU = six(d.CPU), six(d.RAM), six(d.GPU)
		if labelOK {
			p.GPU = six(label)
		}
	case prov.gpus != nil && prov.gpu == nil:
		if labelOK {
			// Only the GPU gets a price: CPU and RAM keep what the provider said, which for a list is nothing.
			p.CPU, p.RAM, p.GPU = value(prov.cpu), value(prov.ram), label
			return
		}
		cpuRatio, gpuRatio := ratio(d.CPU, d.RAM, 10), ratio(d.GPU, d.RAM, 100)
		var node float64
		switch {
		case prov.cost != nil:
			node = *prov.cost
		case prov.cpu != nil:
			node = *prov.cpu // the price of one core for the whole node
		default:
			node = d.CPU*p.Cores + d.RAM*n.MemoryBytes + *prov.gpus*d.GPU // bytes where GiB are meant
		}
		ram := zeroNaN(node / (*prov.gpus*gpuRatio + p.Cores*cpuRatio + p.GiB))
		p.CPU, p.RAM, p.GPU = six(ram*cpuRatio), six(ram), six(ram*gpuRatio)
	case prov.ram == nil:
		cpuRatio := ratio(d.CPU, d.RAM, 10)
		node := d.CPU*p.Cores + d.RAM*p.GiB
		switch {
		case prov.cost != nil:
			node = *prov.cost - value(prov.gpu) // the price of one GPU, however many there are
		case prov.cpu != nil:
			node = *prov.cpu
		}
		ram := zeroNaN(node / (p.Cores*cpuRatio + p.GiB))
		p.CPU, p.RAM, p.GPU = six(ram*cpuRatio), six(ram), value(prov.gpu)
		if d.RAM == 0 {
			p.CPU, p.RAM = six(node/max(p.Cores, 1)), 0
		}
	default:
		p.CPU, p.RAM, p.GPU = value(prov.cpu), value(prov.ram), value(prov.gpu)
	}
}

// six rounds as a print with %f does.
func six(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 6, 64), 64)
	if err != nil {
		return v
	}
	return out
}

func ratio(a, b, ifNaN float64) float64 {
	if v := a / b; !math.IsNaN(v) {
		return v
	}
	return ifNaN
}

func zeroNaN(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

func finite(v, otherwise float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return otherwise
	}
	return v
}

func value(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}

// OutlierGuard is OpenCost's guard against sudden jumps, for compat: a CPU or RAM price of 30 times its running average
// or more isn't recorded. Its comparison is strict, so that the price 0 is never recorded either.
type OutlierGuard struct {
	cpu, ram, cpuN, ramN float64
}

const outlierFactor = 30

// Admit tells which of the prices OpenCost would record; the total needs both to pass once more.
func (g *OutlierGuard) Admit(cpu, ram float64) (cpuOK, ramOK, totalOK bool) {
	if g.cpuN == 0 {
		g.cpu, g.ram, g.cpuN, g.ramN = cpu, ram, 1, 1
	}
	if cpuOK = cpu < outlierFactor*g.cpu; cpuOK {
		g.cpu = (g.cpu*g.cpuN + cpu) / (g.cpuN + 1)
		g.cpuN++
	}
	if ramOK = ram < outlierFactor*g.ram; ramOK {
		g.ram = (g.ram*g.ramN + ram) / (g.ramN + 1)
		g.ramN++
	}
	return cpuOK, ramOK, cpu < outlierFactor*g.cpu && ram < outlierFactor*g.ram
}
