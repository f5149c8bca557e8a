// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/internal/cost"
)

// defaultsAt is the release of OpenCost v1.120.0, whose default prices are pinned: their age is counted from it.
var defaultsAt = time.Date(2026, time.April, 10, 0, 0, 0, 0, time.UTC)

var unitKeys = []string{
	"cpu", "spot_cpu", "ram", "spot_ram", "gpu", "spot_gpu", "storage", "zone_egress", "region_egress", "internet_egress",
	"nat_egress", "nat_ingress", "load_balancer",
}

// unitPrice is the place of a unit price by its key, nil if there is no such key.
func unitPrice(p *cost.Prices, key string) *float64 {
	return map[string]*float64{
		"cpu": &p.CPU, "spot_cpu": &p.SpotCPU, "ram": &p.RAM, "spot_ram": &p.SpotRAM, "gpu": &p.GPU, "spot_gpu": &p.SpotGPU,
		"storage": &p.Storage, "zone_egress": &p.ZoneEgress, "region_egress": &p.RegionEgress,
		"internet_egress": &p.InternetEgress, "nat_egress": &p.NATEgress, "nat_ingress": &p.NATIngress,
		"load_balancer": &p.LoadBalancer,
	}[key]
}

// defaults are the default unit prices with the overrides of the configuration.
func (c *PricesConfig) defaults() (cost.Prices, error) {
	p, err := cost.DefaultPrices(c.Defaults)
	if err != nil {
		return p, err
	}
	for k, v := range c.Unit {
		if to := unitPrice(&p, k); to != nil {
			*to = v
		}
	}
	return p, nil
}

func (c *PricesConfig) currency() cost.Currency {
	return cost.Currency{Code: c.Currency.Code, PerUSD: c.Currency.PerUSD}
}

// maxLoggedProblems bounds the rows of a price file that are named in the log after a change.
const maxLoggedProblems = 20

// pricer holds the prices in force.
type pricer struct {
	files    *cost.Files
	base     cost.Resolver
	resolver atomic.Pointer[cost.Resolver]
	problems atomic.Int64
	lastErr  string
	logger   *zap.Logger
}

func newPricer(c *Config, logger *zap.Logger) (*pricer, error) {
	defaults, err := c.Prices.defaults()
	if err != nil {
		return nil, err
	}
	p := &pricer{
		files:  cost.NewFiles(c.Prices.CSV, c.Prices.InstanceTable),
		logger: logger,
		base: cost.Resolver{
			Defaults: defaults, DefaultsAt: defaultsAt, Extended: c.Prices.ExtendedResources,
			Discount:  cost.Discount(c.Prices.Discount, c.Prices.NegotiatedDiscount),
			SpotLabel: c.Prices.SpotLabel.Key, SpotValue: c.Prices.SpotLabel.Value, GPULabel: c.Prices.GPULabel,
			VGPUsPerGPU: c.Prices.VGPUsPerGPU, Compat: c.Compat == compatOpenCost,
		},
	}
	p.files.Load()
	p.apply()
	return p, nil
}

// apply puts what the files hold into force and says what is wrong with them, once per change.
func (p *pricer) apply() {
	r := p.base
	p.files.Apply(&r)
	p.resolver.Store(&r)
	rows, count, err := p.files.Problems(maxLoggedProblems)
	text := ""
	if err != nil {
		text = err.Error()
	}
	for _, row := range rows {
		text += "\n" + row.Error()
	}
	if text != p.lastErr {
		p.lastErr = text
		if err != nil {
			p.logger.Error("Price file can't be used, the last good prices stay in force", zap.Error(err))
		}
		for _, row := range rows {
			p.logger.Warn("Bad row in price file", zap.String("file", row.File), zap.Int("line", row.Line),
				zap.String("column", row.Column), zap.String("value", row.Value), zap.String("reason", row.Reason))
		}
		if count > len(rows) {
			p.logger.Warn("More bad rows in price files", zap.Int("count", count-len(rows)))
		}
	}
	if err != nil {
		count++
	}
	p.problems.Store(int64(count))
}

// watch follows the files until the context ends; changed is called after every change.
func (p *pricer) watch(ctx context.Context, changed func()) {
	err := p.files.Watch(ctx, func() {
		p.apply()
		changed()
	})
	if err != nil {
		p.logger.Error("Price files aren't watched: changes count after a restart only", zap.Error(err))
	}
}
