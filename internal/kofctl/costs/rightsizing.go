// SPDX-License-Identifier: Apache-2.0

package costs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/k0rdent/kof/internal/finops"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/output"
)

// advices is what `kofctl rightsizing` found.
type advices struct {
	Advice []finops.Advice `json:"advice"`

	top    int
	window finops.Window
}

// NewRightsizing returns the command `kofctl rightsizing`.
func NewRightsizing(env *command.Env) *cobra.Command {
	var f flags
	var cpu, ram, headroom float64
	var top int
	c := env.Command("rightsizing", "What containers should request, from what they used, and what that saves in a month", command.Args(),
		func(c *cobra.Command, _ []string) error {
			store, window, err := f.store(env, time.Now())
			errs := []error{err}
			for _, p := range []struct {
				flag  string
				value float64
			}{{"--cpu-percentile", cpu}, {"--memory-percentile", ram}} {
				if !(p.value > 0 && p.value <= 100) {
					errs = append(errs, fmt.Errorf("%s: found %g; allowed: more than 0, up to 100", p.flag, p.value))
				}
			}
			if !(headroom >= 0 && headroom <= 1000) {
				errs = append(errs, fmt.Errorf("--headroom: found %g; allowed: 0 to 1000", headroom))
			}
			if top < 0 {
				errs = append(errs, fmt.Errorf("--top: found %d; allowed: 0 (all) and more", top))
			}
			if err := errors.Join(errs...); err != nil {
				return command.Usage(err)
			}
			found, err := finops.Rightsizing(c.Context(), store, finops.RightsizingOptions{
				Window: window, CPUPercentile: cpu / 100, RAMPercentile: ram / 100, Headroom: headroom / 100,
			})
			if err != nil {
				return err
			}
			return env.Print(advices{found, top, window})
		})
	c.Example = "  kofctl rightsizing --metrics-url http://127.0.0.1:8082 --match namespace=shop --window 7d"
	f.add(c, "7d")
	c.Flags().Float64Var(&cpu, "cpu-percentile", 95, "percentile of a pod's CPU over the window")
	c.Flags().Float64Var(&ram, "memory-percentile", 100, "percentile of a pod's memory; 100 is the maximum")
	c.Flags().Float64Var(&headroom, "headroom", 15, "percent added to it")
	c.Flags().IntVar(&top, "top", 50, "lines of a table, the greatest saving first (0: all)")
	return c
}

// Tables shows the greatest savings.
func (a advices) Tables() []output.Table {
	t := output.Table{
		Title:   fmt.Sprintf("%s to %s (UTC)", a.window.Start.Format(time.DateTime), a.window.End.Format(time.DateTime)),
		Columns: []string{"cluster", "namespace", "kind", "workload", "container", "resource", "pods", "requested", "used", "advised", "saving per month", "currency"},
	}
	savings := map[string]float64{}
	var currencies []string
	for i, v := range a.Advice {
		if _, ok := savings[v.Currency]; !ok {
			currencies = append(currencies, v.Currency)
		}
		savings[v.Currency] += v.Saving
		if a.top > 0 && i >= a.top {
			continue
		}
		t.Rows = append(t.Rows, []string{v.Cluster, v.Namespace, v.WorkloadKind, v.Workload, v.Container, v.Resource, strconv.Itoa(v.Pods),
			quantity(v.Resource, v.Requested), quantity(v.Resource, v.Used), quantity(v.Resource, v.Advised), money(v.Saving), v.Currency})
	}
	for _, c := range currencies {
		t.Notes = append(t.Notes, fmt.Sprintf("All %d pieces of advice together save %s %s a month; negative is more than is requested now.", len(a.Advice), money(savings[c]), c))
	}
	return []output.Table{t}
}

// quantity is written as Kubernetes takes it: 250m, 64Mi.
func quantity(resource string, v float64) string {
	if resource == "ram" {
		return fmt.Sprintf("%.0fMi", math.Ceil(v/(1<<20)))
	}
	return fmt.Sprintf("%.0fm", math.Ceil(v*1000-1e-6))
}
