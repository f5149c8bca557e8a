// SPDX-License-Identifier: Apache-2.0

package cost

import "time"

// Counter integrates an hourly price over time: the cost of what is simply there, such as a volume or a load balancer.
type Counter struct {
	total float64
	price float64
	at    time.Time
	start time.Time
}

// Set charges the time since the last call by the price of then, and takes the price from now on. The first call starts
// the counter. A gap longer than maxGap (0: no limit) and a clock that went back charge nothing.
func (c *Counter) Set(now time.Time, pricePerHour float64, maxGap time.Duration) (total float64, start time.Time) {
	if c.at.IsZero() {
		c.at, c.start = now, now
	}
	if d := now.Sub(c.at); d > 0 {
		if maxGap == 0 || d <= maxGap {
			c.total += c.price * d.Hours()
		}
		c.at = now
	}
	c.price = pricePerHour
	return c.total, c.start
}

// Efficiency is OpenCost's: used ÷ requested. Without a request it is 1 if anything was used at a cost, else 0.
// It can exceed 1.
func Efficiency(used, requested, cost float64) float64 {
	if requested > 0 {
		return used / requested
	}
	if used == 0 || cost == 0 {
		return 0
	}
	return 1
}

// TotalEfficiency weighs the efficiencies of CPU and RAM by their cost; 0 where nothing costs.
func TotalEfficiency(cpuEff, cpuCost, ramEff, ramCost float64) float64 {
	if cpuCost+ramCost == 0 {
		return 0
	}
	return (cpuEff*cpuCost + ramEff*ramCost) / (cpuCost + ramCost)
}
