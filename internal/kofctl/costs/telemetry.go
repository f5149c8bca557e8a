// SPDX-License-Identifier: Apache-2.0

package costs

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/k0rdent/kof/internal/finops"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/output"
)

// telemetry is what `kofctl telemetry` found.
type telemetry struct {
	Sent []finops.Sent `json:"sent"`

	top    int
	window finops.Window
}

// NewTelemetry returns the command `kofctl telemetry`.
func NewTelemetry(env *command.Env) *cobra.Command {
	var f flags
	var price float64
	var top int
	var c *cobra.Command
	c = env.Command("telemetry", "What the telemetry of each namespace comes to: items, bytes, and the price of sending them", command.Args(), func(*cobra.Command, []string) error {
		store, window, err := f.store(env, time.Now())
		errs := []error{err}
		if !(price >= 0 && price <= 1e6) {
			errs = append(errs, fmt.Errorf("--egress-price: found %g; allowed: 0 and more", price))
		}
		if top < 0 {
			errs = append(errs, fmt.Errorf("--top: found %d; allowed: 0 (all) and more", top))
		}
		if err := errors.Join(errs...); err != nil {
			return command.Usage(err)
		}
		of := &price
		if !c.Flags().Changed("egress-price") {
			of = nil
		}
		found, err := finops.Telemetry(c.Context(), store, window, of)
		if err != nil {
			return err
		}
		return env.Print(telemetry{found, top, window})
	})
	c.Example = "  kofctl telemetry --metrics-url http://127.0.0.1:8082 --window 7d --egress-price 0.09"
	f.add(c, "7d")
	c.Flags().Float64Var(&price, "egress-price", 0, "price of a GiB that is sent (default: the cluster's kubecost_network_internet_egress_cost)")
	c.Flags().IntVar(&top, "top", 50, "lines of a table, the most bytes first (0: all)")
	return c
}

// Tables shows those who send the most.
func (a telemetry) Tables() []output.Table {
	t := output.Table{
		Title:   fmt.Sprintf("%s to %s (UTC)", a.window.Start.Format(time.DateTime), a.window.End.Format(time.DateTime)),
		Columns: []string{"cluster", "namespace", "signal", "items", "bytes", "on the wire", "egress cost"},
	}
	var bytes, wire, cost float64
	for i, s := range a.Sent {
		bytes, wire = bytes+s.Bytes, wire+s.WireBytes
		egress := ""
		if s.Egress != nil {
			cost += *s.Egress
			egress = money(*s.Egress)
		}
		if a.top == 0 || i < a.top {
			t.Rows = append(t.Rows, []string{s.Cluster, s.Namespace, s.Signal, strconv.FormatFloat(s.Items, 'f', 0, 64), size(s.Bytes), size(s.WireBytes), egress})
		}
	}
	t.Rows = append(t.Rows, []string{"TOTAL", "", "", "", size(bytes), size(wire), money(cost)})
	return []output.Table{t}
}

func size(bytes float64) string { return humanize.IBytes(uint64(max(0, bytes))) }
