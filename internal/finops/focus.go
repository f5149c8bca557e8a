// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FocusVersion is the version of the FinOps Open Cost and Usage Specification (https://focus.finops.org) that Focus follows.
const FocusVersion = "1.2"

// FocusNames are who a dataset is of.
type FocusNames struct {
	// Provider is the name of provider, publisher and invoice issuer: whoever bills for the clusters.
	Provider string
	// BillingAccount is whom it is billed to.
	BillingAccount string
}

// FocusColumns are the columns in order: the mandatory ones of version 1.2, the conditional and recommended ones that the counters can fill, and
// one of KOF's own. An empty field is null.
var FocusColumns = []string{
	"BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass",
	"ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
	"PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
	"ServiceCategory", "ServiceName", "ServiceSubcategory", "SubAccountId", "SubAccountName", "SubAccountType", "Tags", "x_Component",
}

// component is a part of a row's cost, as FOCUS classifies it.
type component struct {
	name, category, subcategory string
	of                          func(*Row) float64
}

var components = []component{
	{"cpu", "Compute", "Containers", func(r *Row) float64 { return r.CPU }},
	{"ram", "Compute", "Containers", func(r *Row) float64 { return r.RAM }},
	{"gpu", "Compute", "Containers", func(r *Row) float64 { return r.GPU }},
	{"other", "Compute", "Containers", func(r *Row) float64 { return r.Other }},
	{"idle", "Compute", "Containers", func(r *Row) float64 { return r.Idle }},
	{"volume", "Storage", "Block Storage", func(r *Row) float64 { return r.Volume }},
	{"load balancer", "Networking", "Application Networking", func(r *Row) float64 { return r.LoadBalancer }},
	{"management", "Management and Governance", "Other (Management and Governance)", func(r *Row) float64 { return r.Management }},
	{"shared", "Compute", "Containers", func(r *Row) float64 { return r.Shared }},
}

// Focus writes a FOCUS dataset as CSV: for each day (UTC) of the window, a line for each row of the view and component of its cost. Prices are those
// that the receiver has, discounts off, so that the four costs of a line are equal.
func Focus(ctx context.Context, s Store, o Options, names FocusNames, w io.Writer) error {
	regions := map[string]string{}
	if err := (&lookup{}).known(ctx, s, o.Window, "kubecost_cluster_info", regions, "region", "cluster"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(FocusColumns); err != nil {
		return err
	}
	found := false
	for _, day := range o.Window.Days() {
		o.Window, o.Efficiency, o.Forecast = day, false, false
		rows, err := collect(ctx, s, o)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(keys(rows)) {
			for _, c := range components {
				cost := c.of(rows[name])
				if cost == 0 {
					continue
				}
				found = true
				if err := out.Write(focusLine(o.View, rows[name], c, cost, day, names, regions)); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	if !found && out.Error() == nil {
		return ErrNone
	}
	return out.Error()
}

func keys(t table) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range t {
			if !yield(k) {
				return
			}
		}
	}
}

// focusLine returns the fields of a line, in the order of FocusColumns.
func focusLine(v View, r *Row, c component, cost float64, day Window, names FocusNames, regions map[string]string) []string {
	of := map[string]string{}
	for i, column := range v.Columns {
		of[column] = r.Keys[i]
	}
	cluster, namespace := of["cluster"], of["namespace"]
	if strings.HasPrefix(namespace, "__") {
		namespace = ""
	}
	region := regions[cluster]
	if v.Name == "region" && of["region"] != Unknown {
		region = of["region"]
	}
	var id, name, kind, subAccount string
	if namespace != "" {
		subAccount = cluster + "/" + namespace
	}
	switch {
	case of["workload"] != "":
		id, name, kind = strings.Join(r.Keys, "/"), of["workload"], of["workload_kind"]
	case of["pod"] != "":
		id, name, kind = strings.Join(r.Keys, "/"), of["pod"], "pod"
	case v.Name == "cluster":
		id, name, kind = cluster, cluster, "cluster"
	}
	billing, amount := month(day.Start), strconv.FormatFloat(cost, 'f', -1, 64)
	return []string{
		amount, names.BillingAccount, names.BillingAccount, r.Currency, focusTime(billing.End), focusTime(billing.Start), "Usage", "",
		fmt.Sprintf("%s of %s %s", c.name, v.Name, strings.Join(r.Keys, "/")), "Usage-Based", focusTime(day.End), focusTime(day.Start), amount, amount, names.Provider, amount,
		strconv.FormatFloat(day.Length().Hours(), 'f', -1, 64), "Hours", names.Provider, names.Provider, region, region, id, name, titled(kind),
		c.category, "Kubernetes", c.subcategory, subAccount, namespace, only(subAccount != "", "Namespace"), tags(v, of), c.name,
	}
}

func focusTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func titled(kind string) string {
	if kind == "" {
		return ""
	}
	return strings.ToUpper(kind[:1]) + kind[1:]
}

func only(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

// tags are the label that the view is by, as it is, and what KOF knows besides, prefixed as FOCUS asks of a provider's tags.
func tags(v View, of map[string]string) string {
	all := map[string]string{}
	for column, value := range of {
		switch {
		case value == "" || strings.HasPrefix(value, "__"):
		case v.label != "":
			all[column] = value
		default:
			all["kof/"+column] = value
		}
	}
	if len(all) == 0 {
		return ""
	}
	text, _ := json.Marshal(all) // of strings it can't fail
	return string(text)
}
