// SPDX-License-Identifier: Apache-2.0

// Package controller keeps the outputs of package output as the ClusterDeployments and Regions ask for them. Nothing depends on having
// seen a deletion: every output leads to what it belongs to, and goes when that is gone. So there are no finalizers to get stuck.
package controller

import (
	"errors"
	"fmt"
	"time"

	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/credential"
)

// Options of the operator.
type Options struct {
	SystemNamespace    string // where outputs are that belong to no single cluster; regions of it are for clusters of all namespaces
	AgentNamespace     string // of the charts on the clusters
	CollectorsTemplate string // ServiceTemplate of the chart kof-collectors; "": no MultiClusterService is written
	StorageTemplate    string // ServiceTemplate of the chart kof-storage; likewise
	PromxyURL          string // for Grafana
	RecordingRules     bool   // vmalert has somewhere to write what recording rules give; without, it would refuse all rules for the sake of one
	RunbookURL         string // what the addresses of the alerts' pages begin with; "": alerts of budgets name none
	Rehoming           choice.Timing
	Rotation           credential.Policy
	Workers            int // clusters reconciled at once

	Now func() time.Time // for tests; nil: time.Now
}

// Default options.
func Default() Options {
	return Options{
		SystemNamespace: "kof", AgentNamespace: "kof", PromxyURL: "http://kof-promxy:8082", Workers: 4,
		RunbookURL: "https://github.com/k0rdent/kof/blob/main/docs/runbooks",
		Rehoming:   choice.Timing{Prepare: 10 * time.Minute, Drain: time.Hour},
		Rotation:   credential.Policy{Interval: 30 * 24 * time.Hour, Overlap: time.Hour},
	}
}

// Validate returns all problems, joined.
func (o Options) Validate() error {
	var errs []error
	check := func(ok bool, flag string, found any, allowed string) {
		if !ok {
			errs = append(errs, fmt.Errorf("--%s: found %v; allowed: %s", flag, found, allowed))
		}
	}
	check(o.SystemNamespace != "", "system-namespace", `""`, "a namespace")
	check(o.AgentNamespace != "", "agent-namespace", `""`, "a namespace")
	check(o.Workers >= 1 && o.Workers <= 64, "workers", o.Workers, "1 to 64")
	check(o.Rehoming.Prepare >= time.Second, "rehoming-prepare", o.Rehoming.Prepare, "at least 1s")
	check(o.Rehoming.Drain >= time.Second, "rehoming-drain", o.Rehoming.Drain, "at least 1s")
	check(o.Rotation.Overlap >= time.Second, "rotation-overlap", o.Rotation.Overlap, "at least 1s")
	check(o.Rotation.Interval == 0 || o.Rotation.Interval >= 3*o.Rotation.Overlap, "rotation-interval", o.Rotation.Interval,
		"0 (only on request) or at least three times --rotation-overlap")
	return errors.Join(errs...)
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}
