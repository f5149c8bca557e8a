// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/k0rdent/kof/internal/cost"
)

// The bounds of the durations and lists.
const (
	minInterval   = time.Second
	maxInterval   = 10 * time.Minute
	maxLabelNames = 64
)

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// problems collects what is wrong, each with the path of its key.
type problems []error

func (p *problems) add(path string, found any, allowed string) {
	*p = append(*p, fmt.Errorf("%s: %v: %s", path, found, allowed))
}

// Validate returns all problems of the configuration, each with the path of the key, what was found and what is allowed.
func (c *Config) Validate() error {
	var p problems
	switch c.Mode {
	case modeNode:
		c.Kubelet.validate(&p)
		if c.Node == "" {
			p.add("node", `""`, "must be the name of the node, for instance ${env:KOF_NODE_NAME}")
		}
		if c.LeaderElector != nil {
			p.add("k8s_leader_elector", *c.LeaderElector, "is for mode cluster only: every node prices itself")
		}
	case modeCluster:
		if c.Storage != nil {
			p.add("storage", *c.Storage, "is for mode node only: in a cluster the next leader may run elsewhere")
		}
	default:
		p.add("mode", fmt.Sprintf("%q", c.Mode), "must be node or cluster")
	}
	if c.Compat != compatCorrected && c.Compat != compatOpenCost {
		p.add("compat", fmt.Sprintf("%q", c.Compat), "must be corrected or opencost")
	}
	if c.CollectionInterval < minInterval || c.CollectionInterval > maxInterval {
		p.add("collection_interval", c.CollectionInterval, fmt.Sprintf("must be from %s to %s", minInterval, maxInterval))
	}
	if c.MaxGap < c.CollectionInterval {
		p.add("max_gap", c.MaxGap, "must not be shorter than collection_interval")
	}
	if c.Kubernetes.Timeout <= 0 {
		p.add("kubernetes::timeout", c.Kubernetes.Timeout, "must be more than 0")
	}
	c.Prices.validate(&p)
	for path, names := range map[string][]string{"nodes": c.Labels.Nodes, "namespaces": c.Labels.Namespaces, "pods": c.Labels.Pods} {
		if len(names) > maxLabelNames {
			p.add("labels::"+path, len(names), fmt.Sprintf("must not be more than %d names", maxLabelNames))
		}
		if i := slices.Index(names, ""); i >= 0 {
			p.add(fmt.Sprintf("labels::%s[%d]", path, i), `""`, "must be the name of a label")
		}
	}
	slices.SortFunc(p, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(p...)
}

func (c *KubeletConfig) validate(p *problems) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		p.add("kubelet::endpoint", fmt.Sprintf("%q", c.Endpoint), "must be a URL, for instance https://${env:KOF_HOST_IP}:10250")
	}
	if c.Timeout <= 0 {
		p.add("kubelet::timeout", c.Timeout, "must be more than 0")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		p.add("kubelet::cert_file", fmt.Sprintf("%q", c.CertFile), "must be given together with kubelet::key_file")
	}
}

func (c *PricesConfig) validate(p *problems) {
	if _, err := c.defaults(); err != nil {
		p.add("prices::defaults", fmt.Sprintf("%q", c.Defaults), err.Error())
	}
	prices := &cost.Prices{}
	for _, k := range slices.Sorted(maps.Keys(c.Unit)) {
		if unitPrice(prices, k) == nil {
			p.add("prices::unit::"+k, c.Unit[k], "unknown key: there are "+strings.Join(unitKeys, ", "))
		} else if err := cost.CheckPrice(c.Unit[k]); err != nil {
			p.add("prices::unit::"+k, c.Unit[k], err.Error())
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.ExtendedResources)) {
		if err := cost.CheckPrice(c.ExtendedResources[k]); err != nil {
			p.add("prices::extended_resources::"+k, c.ExtendedResources[k], err.Error())
		}
		if cost.IsGPU(k) {
			p.add("prices::extended_resources::"+k, c.ExtendedResources[k], "is counted as a GPU: set prices::unit::gpu")
		}
	}
	if c.ManagementFee != nil {
		if err := cost.CheckPrice(*c.ManagementFee); err != nil {
			p.add("prices::management_fee", *c.ManagementFee, err.Error())
		}
	}
	for path, v := range map[string]float64{"discount": c.Discount, "negotiated_discount": c.NegotiatedDiscount} {
		if !(v >= 0 && v <= 1) {
			p.add("prices::"+path, v, "must be from 0 to 1")
		}
	}
	if !(c.VGPUsPerGPU > 0) || math.IsInf(c.VGPUsPerGPU, 0) {
		p.add("prices::vgpus_per_gpu", c.VGPUsPerGPU, "must be more than 0")
	}
	if !currencyCode.MatchString(c.Currency.Code) {
		p.add("prices::currency::code", fmt.Sprintf("%q", c.Currency.Code), "must be three capital letters, for instance EUR")
	}
	if f := c.Currency.PerUSD; !(f > 0) || math.IsInf(f, 0) || c.Currency.Code == "USD" && f != 1 {
		p.add("prices::currency::per_usd", f, "must be more than 0, and 1 for USD")
	}
}
