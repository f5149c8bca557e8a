// SPDX-License-Identifier: Apache-2.0

package finops

import "context"

// measured is what was used and requested, by resource, summed up over a window's collections.
type measured struct{ used, requested map[string]float64 }

// efficiency computes what was used of what was requested. Idle isn't in it: it says how well those who pay use what they asked for.
func (t table) efficiency(ctx context.Context, s Store, o Options, l *lookup) error {
	by := l.by()
	if l.Name == "workload" {
		by = []string{"cluster", "namespace", "pod"} // the series of use don't name it, those of cost do
	}
	rows := map[string][]*Row{} // by keys, of all currencies
	for _, r := range t {
		key := (&Row{Keys: r.Keys}).name()
		rows[key] = append(rows[key], r)
		r.measured = measured{map[string]float64{}, map[string]float64{}}
	}
	for _, metric := range []string{"kof_container_used", "kof_container_requested"} {
		found, err := s.sum(ctx, "sum_over_time", s.selector(metric, `resource=~"cpu|ram"`), append(append([]string(nil), by...), "resource"), o.Window)
		if err != nil {
			return err
		}
		for _, f := range found {
			for _, r := range rows[(&Row{Keys: l.row(f.Labels)}).name()] {
				into := r.measured.used
				if metric == "kof_container_requested" {
					into = r.measured.requested
				}
				into[f.Labels["resource"]] += f.Value
			}
		}
	}
	for _, r := range t {
		r.Efficiency = r.measured.efficiency(r.CPU, r.RAM)
	}
	return nil
}

// efficiency is OpenCost's: used ÷ requested of each resource, weighted by its cost. What uses without a request counts as 1.
func (m measured) efficiency(cpuCost, ramCost float64) *float64 {
	if cpuCost+ramCost <= 0 || len(m.used)+len(m.requested) == 0 {
		return nil
	}
	of := func(resource string) float64 {
		switch used, requested := m.used[resource], m.requested[resource]; {
		case requested > 0:
			return used / requested
		case used > 0:
			return 1
		default:
			return 0
		}
	}
	e := (of("cpu")*cpuCost + of("ram")*ramCost) / (cpuCost + ramCost)
	return &e
}
