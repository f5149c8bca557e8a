// SPDX-License-Identifier: Apache-2.0

package region

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

const nameRule = `1 to 63 letters, digits, "-", "_", ".", a letter or a digit at both ends`

var validName = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

// located is a value with where it stands, for the checks across regions.
type located struct {
	path  string
	line  int
	value string
}

// parsedRegion is a region with what the checks across regions need.
type parsedRegion struct {
	region   *Region
	stores   []located // what identifies the store behind an endpoint, see checkURL
	failover []located
}

func (c *checker) directory(n *yaml.Node) *Directory {
	f := c.fields("", n, "regions", "tenants")
	if f == nil {
		return nil
	}
	d := &Directory{}
	if f["regions"] == nil {
		c.addf("regions", n.Line, "missing; allowed: 1 to %d regions", MaxRegions)
	} else {
		d.Regions = c.regions("regions", f["regions"])
	}
	if f["tenants"] != nil {
		d.Tenants = c.tenants("tenants", f["tenants"], d.Regions)
	}
	return d
}

// regions returns nil if the mapping itself can't be used.
func (c *checker) regions(path string, n *yaml.Node) map[string]*Region {
	entries, ok := c.mapping(path, n)
	if !ok {
		return nil
	}
	if len(entries) == 0 || len(entries) > MaxRegions {
		c.addf(path, n.Line, "found %d; allowed: 1 to %d regions", len(entries), MaxRegions)
		return nil
	}
	regions := make(map[string]*Region, len(entries))
	parsed := make([]*parsedRegion, 0, len(entries))
	for _, e := range entries {
		at := child(path, e.name)
		c.name(at, e.line, e.name)
		p := c.region(at, e)
		if !c.unique(at, e) {
			continue
		}
		regions[e.name] = p.region
		parsed = append(parsed, p)
	}
	c.failovers(parsed, regions)
	c.stores(parsed)
	return regions
}

func (c *checker) region(path string, e entry) *parsedRegion {
	r := &Region{Name: e.name, TLS: TLS{MinVersion: "1.2"}}
	p := &parsedRegion{region: r}
	f := c.fields(path, e.value, "zone", "metrics", "logs", "traces", "auth", "tls", "failover")
	if f == nil {
		return p
	}
	if n := f["zone"]; n == nil {
		c.addf(child(path, "zone"), e.line, "missing; allowed: %s", nameRule)
	} else if zone, ok := c.text(child(path, "zone"), n); ok && c.name(child(path, "zone"), n.Line, zone) {
		r.Zone = zone
	}
	signals := []struct {
		key       string
		into      *Endpoint
		protocols []string // the first is the default
	}{
		{"metrics", &r.Metrics, []string{string(RemoteWrite), string(OTLPHTTP), string(OTLPgRPC)}},
		{"logs", &r.Logs, []string{string(OTLPHTTP), string(OTLPgRPC)}},
		{"traces", &r.Traces, []string{string(OTLPHTTP), string(OTLPgRPC)}},
	}
	none := true
	for _, s := range signals {
		n := f[s.key]
		if n == nil {
			continue
		}
		none = false
		var store *located
		*s.into, store = c.endpoint(child(path, s.key), n, s.protocols)
		if store != nil {
			p.stores = append(p.stores, *store)
		}
	}
	if none {
		c.addf(path, e.line, "no endpoint; allowed: at least one of metrics, logs, traces")
	}
	if n := f["auth"]; n != nil {
		r.Auth = c.auth(child(path, "auth"), n)
	}
	if n := f["tls"]; n != nil {
		r.TLS = c.tls(child(path, "tls"), n)
	}
	if n := f["failover"]; n != nil {
		p.failover = c.list(child(path, "failover"), n)
	}
	for _, l := range p.failover {
		r.Failover = append(r.Failover, l.value)
	}
	return p
}

// name checks the name of a region, zone or tenant.
func (c *checker) name(path string, line int, s string) bool {
	ok := validName.MatchString(s)
	if !ok {
		c.addf(path, line, "found the name %s; allowed: %s", quote(s), nameRule)
	}
	return ok
}

// list returns the texts of a list.
func (c *checker) list(path string, n *yaml.Node) []located {
	if !c.plain(path, n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		c.addf(path, n.Line, "found %s; allowed: a list of regions", kindOf(n))
		return nil
	}
	var items []located
	for i, v := range n.Content {
		if s, ok := c.text(item(path, i), v); ok {
			items = append(items, located{path: item(path, i), line: v.Line, value: s})
		}
	}
	return items
}

// tenants checks against regions, unless that is nil: then the regions' own problem is the one to report.
func (c *checker) tenants(path string, n *yaml.Node, regions map[string]*Region) map[string]Tenant {
	entries, ok := c.mapping(path, n)
	if !ok || len(entries) == 0 {
		return nil
	}
	if len(entries) > MaxTenants {
		c.addf(path, n.Line, "found %d; allowed: at most %d tenants", len(entries), MaxTenants)
		return nil
	}
	tenants := make(map[string]Tenant, len(entries))
	for _, e := range entries {
		at := child(path, e.name)
		c.name(at, e.line, e.name)
		c.unique(at, e)
		f := c.fields(at, e.value, "region")
		if f == nil {
			continue
		}
		if f["region"] == nil {
			c.addf(child(at, "region"), e.line, "missing; allowed: one of the regions")
			continue
		}
		region, ok := c.text(child(at, "region"), f["region"])
		if !ok {
			continue
		}
		if regions != nil && regions[region] == nil {
			c.addf(child(at, "region"), f["region"].Line, "found the unknown region %s; allowed: one of the regions", quote(region))
		}
		tenants[e.name] = Tenant{Region: region}
	}
	return tenants
}
