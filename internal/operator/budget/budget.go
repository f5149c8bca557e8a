// SPDX-License-Identifier: Apache-2.0

// Package budget turns budgets, what a part of the platform may cost in a calendar month, into alerting rules in Prometheus' format. What is spent
// is read from the series that regions record of the opencost receiver's counters (CostSeries).
package budget

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Label marks ConfigMaps with budgets: each key is a file of them.
const Label = "k0rdent.mirantis.com/kof-budgets"

const (
	// MaxFileBytes bounds one file of budgets.
	MaxFileBytes = 256 << 10
	// MaxBudgets bounds how many one file holds: each is up to MaxThresholds + 5 rules, computed every quarter of an hour.
	MaxBudgets = 200
	// MaxThresholds bounds how many steps of spending one budget tells of.
	MaxThresholds = 10
	// maxThreshold is 1,000 %.
	maxThreshold = 10
)

// Budget of a calendar month in UTC.
type Budget struct {
	Amount     float64    `yaml:"amount"`     // in Currency, for the whole month; above 0
	Currency   string     `yaml:"currency"`   // three letters; "": whatever the costs are in
	Scope      Scope      `yaml:"scope"`      // whose costs
	Thresholds Thresholds `yaml:"thresholds"` // when to tell
}

// Scope says whose costs count: those for which everything holds that is set. At least one is.
type Scope struct {
	Cluster   string            `yaml:"cluster"`
	Namespace string            `yaml:"namespace"` // volumes and load balancers included, without a share of idle nodes
	Tenant    string            `yaml:"tenant"`
	Label     map[string]string `yaml:"label"` // one label of namespaces, as kube_namespace_labels has it
}

// Thresholds are shares of the amount, above 0 to 10.
type Thresholds struct {
	Spent    []float64 `yaml:"spent"`    // of what was spent; none: 0.8 and 1
	Forecast *float64  `yaml:"forecast"` // of what will be spent by the end of the month; none: 1
}

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	// Without capitals, which kube-state-metrics and the opencost receiver turn into different names.
	labelForm = regexp.MustCompile(`^([a-z0-9.-]{1,253}/)?[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)
)

// Parse reads a file of budgets by name. All problems are returned, joined, each with the path of its key.
func Parse(text string) (map[string]Budget, error) {
	if len(text) > MaxFileBytes {
		return nil, fmt.Errorf("found %d bytes; allowed: at most %d", len(text), MaxFileBytes)
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	var out map[string]Budget
	if err := d.Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("found a second document; allowed: one map of budgets by name")
	}
	if len(out) > MaxBudgets {
		return nil, fmt.Errorf("found %d budgets; allowed: at most %d in a file", len(out), MaxBudgets)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if !nameForm.MatchString(name) {
			errs = append(errs, fmt.Errorf("found the name %q; allowed: up to 63 small letters, digits, dots and dashes", name))
		}
		for _, err := range out[name].problems() {
			errs = append(errs, fmt.Errorf("%s.%w", name, err))
		}
		out[name] = out[name].withDefaults()
	}
	return out, errors.Join(errs...)
}

// Claim notes in owners that budgets are those of a file, and returns which of their names another file has already: two budgets of one name would
// give the same alerts.
func Claim(owners map[string]string, budgets map[string]Budget, file string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(budgets)) {
		if other, taken := owners[name]; taken {
			errs = append(errs, fmt.Errorf("%s: found a budget of this name in %s, too; allowed: each name once", name, other))
			continue
		}
		owners[name] = file
	}
	return errors.Join(errs...)
}

func (b Budget) problems() []error {
	var errs []error
	bad := func(ok bool, key string, found any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: found %v; allowed: %s", key, found, allowed))
		}
	}
	bad(b.Amount > 0 && !math.IsInf(b.Amount, 0), "amount", b.Amount, "a number above 0")
	bad(b.Currency == "" || currencyForm.MatchString(b.Currency), "currency", fmt.Sprintf("%q", b.Currency), "three capital letters, as EUR")
	s := b.Scope
	bad(s.Cluster != "" || s.Namespace != "" || s.Tenant != "" || len(s.Label) > 0, "scope", "nothing", "at least one of cluster, namespace, tenant, label")
	bad(len(s.Label) <= 1, "scope.label", fmt.Sprintf("%d labels", len(s.Label)), "one")
	for key, value := range s.Label {
		bad(labelForm.MatchString(key), "scope.label", fmt.Sprintf("%q", key), "the key of a Kubernetes label in small letters, as team or example.com/team")
		bad(value != "", "scope.label."+key, "nothing", "the label's value")
	}
	bad(len(b.Thresholds.Spent) <= MaxThresholds, "thresholds.spent", fmt.Sprintf("%d thresholds", len(b.Thresholds.Spent)), fmt.Sprintf("at most %d", MaxThresholds))
	for i, t := range b.Thresholds.Spent {
		bad(share(t), fmt.Sprintf("thresholds.spent[%d]", i), t, "a share above 0 to 10, as 0.8")
		bad(i == 0 || t > b.Thresholds.Spent[i-1], fmt.Sprintf("thresholds.spent[%d]", i), t, "more than the one before")
	}
	if f := b.Thresholds.Forecast; f != nil {
		bad(share(*f), "thresholds.forecast", *f, "a share above 0 to 10, as 1.0")
	}
	return errs
}

func share(t float64) bool { return t > 0 && t <= maxThreshold }

func (b Budget) withDefaults() Budget {
	if len(b.Thresholds.Spent) == 0 {
		b.Thresholds.Spent = []float64{0.8, 1}
	}
	if b.Thresholds.Forecast == nil {
		one := 1.0
		b.Thresholds.Forecast = &one
	}
	return b
}
