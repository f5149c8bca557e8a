// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// focusColumn is what FOCUS 1.2 says of a column: the tables "Content constraints" of specification/columns of its repository at tag v1.2.
type focusColumn struct {
	mandatory, nulls bool
	kind             string   // Decimal, String, Date/Time, JSON
	allowed          []string // nil: not specified
}

var focusSpec = map[string]focusColumn{
	"BilledCost": {true, false, "Decimal", nil}, "BillingAccountId": {true, false, "String", nil}, "BillingAccountName": {true, true, "String", nil},
	"BillingCurrency": {true, false, "Currency", nil}, "BillingPeriodEnd": {true, false, "Date/Time", nil}, "BillingPeriodStart": {true, false, "Date/Time", nil},
	"ChargeCategory": {true, false, "String", []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}}, "ChargeClass": {true, true, "String", []string{"Correction"}},
	"ChargeDescription": {true, true, "String", nil}, "ChargeFrequency": {false, false, "String", []string{"One-Time", "Recurring", "Usage-Based"}},
	"ChargePeriodEnd": {true, false, "Date/Time", nil}, "ChargePeriodStart": {true, false, "Date/Time", nil}, "ContractedCost": {true, false, "Decimal", nil},
	"EffectiveCost": {true, false, "Decimal", nil}, "InvoiceIssuerName": {true, false, "String", nil}, "ListCost": {true, false, "Decimal", nil},
	"PricingQuantity": {true, true, "Decimal", nil}, "PricingUnit": {true, true, "String", []string{"Hours"}}, "ProviderName": {true, false, "String", nil},
	"PublisherName": {true, false, "String", nil}, "RegionId": {false, true, "String", nil}, "RegionName": {false, true, "String", nil},
	"ResourceId": {false, true, "String", nil}, "ResourceName": {false, true, "String", nil}, "ResourceType": {false, true, "String", nil},
	"ServiceCategory": {true, false, "String", []string{"AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools", "Multicloud",
		"Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other"}},
	"ServiceName":        {true, false, "String", nil},
	"ServiceSubcategory": {false, false, "String", []string{"Containers", "Block Storage", "Application Networking", "Other (Management and Governance)"}},
	"SubAccountId":       {false, true, "String", nil}, "SubAccountName": {false, true, "String", nil}, "SubAccountType": {false, true, "String", nil}, "Tags": {false, true, "JSON", nil},
}

var (
	focusNumber   = regexp.MustCompile(`^-?\d+(\.\d+)?(E-?\d+)?$`)
	focusDate     = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
	focusCurrency = regexp.MustCompile(`^[A-Z]{3}$`)
)

func requireFocusField(t *testing.T, name, value string) {
	t.Helper()
	spec := focusSpec[name]
	if value == "" {
		require.True(t, spec.nulls, "%s is null", name)
		return
	}
	require.Equal(t, strings.TrimSpace(value), value)
	require.NotContains(t, []string{"null", "NULL", "-", "Not Applicable"}, value)
	switch spec.kind {
	case "Decimal":
		require.Regexp(t, focusNumber, value, name)
	case "Date/Time":
		require.Regexp(t, focusDate, value, name)
	case "Currency":
		require.Regexp(t, focusCurrency, value, name)
	case "JSON":
		require.NoError(t, json.Unmarshal([]byte(value), &map[string]string{}), name)
	}
	if spec.allowed != nil {
		require.Contains(t, spec.allowed, value, name)
	}
}

func TestFocus(t *testing.T) {
	for name, spec := range focusSpec {
		require.True(t, !spec.mandatory || slices.Contains(FocusColumns, name), "%s is mandatory", name)
	}
	for _, name := range FocusColumns {
		_, known := focusSpec[name]
		require.True(t, known || strings.HasPrefix(name, "x_"), name)
	}
	w := newWorld(t, end, 5*time.Minute)
	for _, by := range []string{"cluster", "region", "tenant", "namespace", "workload", "pod", "label:cost-center"} {
		t.Run(by, func(t *testing.T) {
			o := w.options(t, by, "48h")
			var out bytes.Buffer
			require.NoError(t, Focus(t.Context(), w.store, o, FocusNames{"Example Inc", "platform"}, &out))
			lines, err := csv.NewReader(&out).ReadAll()
			require.NoError(t, err)
			require.Equal(t, FocusColumns, lines[0])
			sums := map[string]float64{}
			var first, last time.Time
			for _, line := range lines[1:] {
				of := map[string]string{}
				for i, name := range FocusColumns {
					of[name] = line[i]
					requireFocusField(t, name, line[i])
				}
				requireFocusRules(t, of)
				v, err := strconv.ParseFloat(of["BilledCost"], 64)
				require.NoError(t, err)
				sums[of["BillingCurrency"]] += v / 48
				from, to := period(t, of, "ChargePeriod")
				if first.IsZero() {
					first = from
				}
				last = to
			}
			require.Equal(t, o.Window, Window{first, last})
			require.InDeltaMapValues(t, whole(), sums, 1e-6)
		})
	}
}

func period(t *testing.T, of map[string]string, name string) (from, to time.Time) {
	t.Helper()
	from, err := time.Parse(time.RFC3339, of[name+"Start"])
	require.NoError(t, err)
	to, err = time.Parse(time.RFC3339, of[name+"End"])
	require.NoError(t, err)
	require.True(t, from.Before(to))
	return from, to
}

// requireFocusRules checks what the specification asks of columns together.
func requireFocusRules(t *testing.T, of map[string]string) {
	t.Helper()
	from, to := period(t, of, "ChargePeriod")
	begins, ends := period(t, of, "BillingPeriod")
	require.False(t, from.Before(begins), "the charge is in the billing period")
	require.False(t, to.After(ends))
	require.Equal(t, begins.AddDate(0, 1, 0), ends)
	require.LessOrEqual(t, to.Sub(from), 24*time.Hour)
	hours, err := strconv.ParseFloat(of["PricingQuantity"], 64)
	require.NoError(t, err)
	require.InDelta(t, to.Sub(from).Hours(), hours, 1e-9)
	for name, needs := range map[string][]string{"RegionId": {"RegionName"}, "ResourceId": {"ResourceName", "ResourceType"}, "SubAccountId": {"SubAccountName", "SubAccountType"}} {
		for _, n := range needs {
			require.Equal(t, of[name] == "", of[n] == "", "%s is null exactly when %s is", n, name)
		}
	}
	for _, c := range []string{"ListCost", "ContractedCost", "EffectiveCost"} {
		require.Equal(t, of["BilledCost"], of[c])
	}
}

func TestFocusLine(t *testing.T) {
	v, err := ParseView("workload")
	require.NoError(t, err)
	r := &Row{Keys: []string{"prod", "shop", "deployment", "web"}, Currency: "USD", CPU: 1.5}
	day := Window{time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	require.Equal(t, []string{
		"1.5", "platform", "platform", "USD", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z", "Usage", "", "cpu of workload prod/shop/deployment/web", "Usage-Based",
		"2026-12-01T00:00:00Z", "2026-11-30T00:00:00Z", "1.5", "1.5", "Example Inc", "1.5", "24", "Hours", "Example Inc", "Example Inc", "eu-west-1", "eu-west-1",
		"prod/shop/deployment/web", "web", "Deployment", "Compute", "Kubernetes", "Containers", "prod/shop", "shop", "Namespace",
		`{"kof/cluster":"prod","kof/namespace":"shop","kof/workload":"web","kof/workload_kind":"deployment"}`, "cpu",
	}, focusLine(v, r, components[0], 1.5, day, FocusNames{"Example Inc", "platform"}, map[string]string{"prod": "eu-west-1"}))
}
