// SPDX-License-Identifier: Apache-2.0

// Package costs is the commands `kofctl costs`, what Kubernetes costs, and `kofctl rightsizing`, what containers should request.
package costs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k0rdent/kof/internal/finops"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/promql"
)

var formats = []string{"table", "csv", "json", "focus"}

// flags are what both commands have.
type flags struct {
	metrics promql.Config
	match   []string
	window  string
	end     string
}

func (f *flags) add(c *cobra.Command, window string) {
	f.metrics.Flags(c.Flags())
	c.Flags().StringVar(&f.window, "window", window, "how far back: 1h to 366d")
	c.Flags().StringVar(&f.end, "end", "", "end of the window, as 2026-11-01T00:00:00Z or 2026-11-01 (default: now)")
	c.Flags().StringArrayVar(&f.match, "match", nil, "only series with this label, as namespace=shop or cluster=~prod-.* (may be repeated; what has no such label, as idle has no namespace, is left out)")
}

// store returns where to ask, and for when; all problems joined.
func (f *flags) store(env *command.Env, now time.Time) (finops.Store, finops.Window, error) {
	s := finops.Store{Querier: querier{&f.metrics}}
	errs := []error{f.metrics.Validate()}
	if env.Namespace != "" {
		errs = append(errs, fmt.Errorf("--namespace: found %q, but it is that of the management cluster; set --match namespace=%s", env.Namespace, env.Namespace))
	}
	if !f.metrics.Set() {
		errs = append(errs, errors.New("--metrics-url: not set; set it to Promxy, or to VictoriaMetrics of each region"))
	}
	for _, text := range f.match {
		m, err := finops.ParseMatch(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--match: %w", err))
		}
		s.Match = append(s.Match, m)
	}
	if f.end != "" {
		parsed, err := time.Parse(time.RFC3339, f.end)
		if err != nil {
			parsed, err = time.Parse(time.DateOnly, f.end)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--end: found %q; allowed: as 2026-11-01T00:00:00Z or 2026-11-01", f.end))
		}
		now = parsed
	}
	window, err := finops.ParseWindow(f.window, now)
	if err != nil {
		errs = append(errs, fmt.Errorf("--window: %w", err))
	}
	return s, window, errors.Join(errs...)
}

// querier asks the stores of the flags.
type querier struct{ *promql.Config }

func (q querier) Query(ctx context.Context, expression string, at time.Time) ([]finops.Sample, error) {
	found, err := q.Config.Query(ctx, expression, at)
	out := make([]finops.Sample, len(found))
	for i, f := range found {
		out[i] = finops.Sample{Labels: f.Labels, Value: f.Value}
	}
	return out, err
}

// settings are the flags of `kofctl costs`.
type settings struct {
	flags
	by, shareIdle        string
	shared               []string
	efficiency, forecast bool
	top                  int
	names                finops.FocusNames
}

// New returns the command `kofctl costs`.
func New(env *command.Env) *cobra.Command {
	s := &settings{}
	c := &cobra.Command{
		Use:   "costs",
		Short: "What Kubernetes costs, by cluster, region, tenant, namespace, workload, pod or label",
		Long: "What Kubernetes costs, from the counters of KOF's agents. The output is a table, csv, json, or focus: CSV in the columns of FOCUS " +
			finops.FocusVersion + ",\na line for each day (UTC). See docs/finops.md.",
		Example: "  kofctl costs --metrics-url http://127.0.0.1:8082 --by namespace --window 30d\n" +
			"  kofctl costs --metrics-url http://127.0.0.1:8082 --by label:team --share-idle proportional -o csv\n" +
			"  kofctl costs --metrics-url http://127.0.0.1:8082 --by workload --match namespace=shop -o focus > focus.csv",
		Args: func(c *cobra.Command, given []string) error {
			if !slices.Contains(formats, env.Format()) {
				return command.Usage(fmt.Errorf("--output: found %q; allowed: %s", env.Format(), strings.Join(formats, ", ")))
			}
			return command.Usage(command.Args()(c, given))
		},
		RunE: func(c *cobra.Command, _ []string) error { return s.run(c.Context(), env, time.Now()) },
	}
	s.add(c, "30d")
	f := c.Flags()
	f.StringVar(&s.by, "by", "namespace", "what costs are shown by: "+strings.Join(finops.Views, ", "))
	f.StringVar(&s.shareIdle, "share-idle", "none", "none: idle is a line of its own; proportional: spread over the containers of its cluster, by resource")
	f.StringSliceVar(&s.shared, "share-namespaces", nil, "namespaces whose cost is spread over all others of their cluster, as kube-system,monitoring")
	f.BoolVar(&s.efficiency, "efficiency", true, "with what was used of what was requested; table, csv and json")
	f.BoolVar(&s.forecast, "forecast", false, "with the month's cost until now, and at its end; table, csv and json")
	f.IntVar(&s.top, "top", 50, "lines of a table, the dearest first; the others become one (0: all)")
	f.StringVar(&s.names.Provider, "provider", "KOF", "ProviderName, PublisherName and InvoiceIssuerName of focus")
	f.StringVar(&s.names.BillingAccount, "billing-account", "kof", "BillingAccountId and BillingAccountName of focus")
	return c
}

func (s *settings) run(ctx context.Context, env *command.Env, now time.Time) error {
	store, window, err := s.store(env, now)
	errs := []error{err}
	o := finops.Options{Window: window, SharedNamespaces: s.shared, Efficiency: s.efficiency, Forecast: s.forecast, ShareIdle: s.shareIdle == "proportional"}
	if o.View, err = finops.ParseView(s.by); err != nil {
		errs = append(errs, fmt.Errorf("--by: %w", err))
	}
	if s.shareIdle != "none" && s.shareIdle != "proportional" {
		errs = append(errs, fmt.Errorf("--share-idle: found %q; allowed: none, proportional", s.shareIdle))
	}
	if s.top < 0 {
		errs = append(errs, fmt.Errorf("--top: found %d; allowed: 0 (all) and more", s.top))
	}
	if s.names.Provider == "" || s.names.BillingAccount == "" {
		errs = append(errs, errors.New("--provider, --billing-account: found an empty name; allowed: any text"))
	}
	if err := errors.Join(errs...); err != nil {
		return command.Usage(err)
	}
	if env.Format() == "focus" {
		return finops.Focus(ctx, store, o, s.names, env.Out)
	}
	r, err := finops.Costs(ctx, store, o)
	if err != nil {
		return err
	}
	if env.Format() == "csv" {
		return writeCSV(env.Out, r)
	}
	return env.Print(report{r, s.top})
}
