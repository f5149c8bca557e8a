// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/k0rdent/kof/test/demo/podlogs"
)

// What exists in the demo. agent.yaml names the same namespaces, services and tenants.
const (
	homeRegion  = "eu-west-1"
	otherRegion = "us-east-1"
	// lostRegion is one that the directory does not know.
	lostRegion = "mars-north-1"
	// unknownLane is the region exporter's name for what it holds of such regions.
	unknownLane = "_unknown"

	clusterName  = "demo"
	hostInterval = 5 * time.Second // of this machine's metrics
	lineInterval = 50 * time.Millisecond
	rotateBytes  = 64 << 10 // every 20 seconds or so
)

// regions are those of the directory, with the zone of each.
var regions = []struct{ name, zone string }{{homeRegion, "eu"}, {otherRegion, "us"}}

// tenants are those of the directory, with the region of each.
var tenants = []struct{ name, region string }{{"globex", homeRegion}, {"acme", otherRegion}}

// pods write logs. A namespace's tenant decides on the region; kube-system has none, which means the home region.
var pods = []podlogs.Pod{
	{Namespace: "globex-shop", Name: "storefront-7d9c5b7f6-x2x8k", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a01", Container: "storefront", Region: homeRegion},
	{Namespace: "globex-billing", Name: "invoices-0", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a02", Container: "invoices", Region: homeRegion},
	{Namespace: "kube-system", Name: "coredns-76f75df574-9fk2d", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a03", Container: "coredns", Region: homeRegion},
	{Namespace: "acme-shop", Name: "storefront-6b8f9d4c5-7h2lp", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a04", Container: "storefront", Region: otherRegion},
	{Namespace: "acme-shop", Name: "storefront-6b8f9d4c5-q9v4m", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a05", Container: "storefront", Region: otherRegion},
	{Namespace: "acme-billing", Name: "invoices-0", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a06", Container: "invoices", Region: otherRegion},
	{Namespace: "lost", Name: "rover-0", UID: "5f0c1f4e-6a5e-4a53-9d41-3c1f0e6f7a07", Container: "rover", Region: lostRegion},
}

// services are instances of the shop. What is sent by OTLP says its region in either way there is; what is scraped gets
// it from the tenant.
var services = []struct {
	name, region string
	// addrEnv is the variable by which agent.yaml gets the address to scrape.
	addrEnv  string
	resource attribute.KeyValue
}{
	{"globex-checkout", homeRegion, "KOF_DEMO_GLOBEX_ADDR", attribute.String("cloud.region", homeRegion)},
	{"acme-checkout", otherRegion, "KOF_DEMO_ACME_ADDR", attribute.String("kof.region", otherRegion)},
}
