// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"errors"
	"fmt"
	"math"
)

// GiB is the number of bytes in the unit that memory and storage are priced in.
const GiB = 1 << 30

// HoursPerMonth converts monthly prices to hourly ones, as OpenCost does.
const HoursPerMonth = 730

// Prices is a set of default unit prices in US dollars.
type Prices struct {
	CPU     float64 // per core-hour
	SpotCPU float64 // per core-hour of a spot node
	RAM     float64 // per GiB-hour
	SpotRAM float64 // per GiB-hour of a spot node
	GPU     float64 // per GPU-hour
	SpotGPU float64 // per GPU-hour of a spot node
	Storage float64 // per GiB-hour

	ZoneEgress     float64 // per GiB between zones
	RegionEgress   float64 // per GiB between regions
	InternetEgress float64 // per GiB to the internet
	NATEgress      float64 // per GiB out through a NAT gateway
	NATIngress     float64 // per GiB in through a NAT gateway

	LoadBalancer float64 // per load balancer and hour
}

// The names of the pinned sets of default prices. OpenCost has two, and which one applies there depends on whether it
// finds its default.json; here the choice is explicit.
const (
	// SetOpenCostJSON is OpenCost's configs/default.json, what its container image uses.
	SetOpenCostJSON = "opencost-json"
	// SetOpenCostGo is OpenCost's DefaultPricing(), what it uses without any file.
	SetOpenCostGo = "opencost-go"
)

// DefaultPrices returns a pinned set of prices, or an error that names the sets there are.
func DefaultPrices(set string) (Prices, error) {
	p := Prices{
		CPU: 0.031611, SpotCPU: 0.006655,
		RAM: 0.004237, SpotRAM: 0.000892,
		GPU: 0.95, SpotGPU: 0.308,
		Storage:    0.00005479452,
		ZoneEgress: 0.01, RegionEgress: 0.01, InternetEgress: 0.12,
		NATEgress: 0.045, NATIngress: 0.045,
		LoadBalancer: 0.025,
	}
	switch set {
	case SetOpenCostJSON:
	case SetOpenCostGo:
		p.CPU, p.SpotCPU = 0.021811, 0.006543
		p.RAM, p.SpotRAM = 0.002923, 0.000877
	default:
		return Prices{}, fmt.Errorf("unknown set of prices %q (there are %q and %q)", set, SetOpenCostJSON, SetOpenCostGo)
	}
	return p, nil
}

// unit returns the unit prices of CPU, RAM and GPU for an on-demand or a spot node.
func (p Prices) unit(spot bool) (cpu, ram, gpu float64) {
	if spot {
		return p.SpotCPU, p.SpotRAM, p.SpotGPU
	}
	return p.CPU, p.RAM, p.GPU
}

// CheckPrice refuses what can't be a price: a negative number, NaN and the infinities.
func CheckPrice(v float64) error {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return errors.New("a price must be a finite number")
	case v < 0:
		return errors.New("a price must not be negative")
	}
	return nil
}

// Discount joins two discounts that apply one after the other, each from 0 to 1: 1 - (1-a)(1-b).
func Discount(a, b float64) float64 { return 1 - (1-a)*(1-b) }

// Currency converts dollars by a fixed factor.
type Currency struct {
	Code   string  // ISO 4217, the value of the label
	PerUSD float64 // units of the currency for one dollar
}

// GKE and EKS charge this much per cluster and hour; the other platforms that OpenCost knows charge nothing.
const managedControlPlane = 0.10

// ManagementFee returns the platform that a node's labels tell and its fee per cluster and hour in dollars, by the
// rules of OpenCost's providers. An unknown platform is "" and costs nothing.
func ManagementFee(nodeLabels map[string]string) (provisioner string, perHour float64) {
	switch {
	case has(nodeLabels, "eks.amazonaws.com/nodegroup"):
		return "EKS", managedControlPlane
	case has(nodeLabels, "cloud.google.com/gke-nodepool"):
		return "GKE", managedControlPlane
	case has(nodeLabels, "kops.k8s.io/instancegroup"):
		return "KOPS", 0
	}
	return "", 0
}

func has(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}
