// SPDX-License-Identifier: Apache-2.0

package region

// failovers checks that failover stays within the zone.
func (c *checker) failovers(parsed []*parsedRegion, regions map[string]*Region) {
	for _, p := range parsed {
		seen := make(map[string]int, len(p.failover))
		for _, l := range p.failover {
			const allowed = "allowed: other regions of the same zone, each once"
			if first, again := seen[l.value]; again {
				c.addf(l.path, l.line, "found region %s a second time, first in line %d; %s", quote(l.value), first, allowed)
				continue
			}
			seen[l.value] = l.line
			switch to := regions[l.value]; {
			case l.value == p.region.Name:
				c.addf(l.path, l.line, "found the region itself; %s", allowed)
			case to == nil:
				c.addf(l.path, l.line, "found the unknown region %s; %s", quote(l.value), allowed)
			case p.region.Zone == "" || to.Zone == "":
				// The zone that is missing or bad is reported where it belongs.
			case to.Zone != p.region.Zone:
				c.addf(l.path, l.line, "found region %s of zone %s, but this region is of zone %s; %s",
					quote(l.value), quote(to.Zone), quote(p.region.Zone), allowed)
			}
		}
	}
}

// stores checks that no store serves regions of two zones: it would put the data of one zone with the other's.
func (c *checker) stores(parsed []*parsedRegion) {
	type use struct {
		zone string
		at   located
	}
	first := make(map[string]use)
	for _, p := range parsed {
		if p.region.Zone == "" {
			continue
		}
		for _, s := range p.stores {
			f, known := first[s.value]
			switch {
			case !known:
				first[s.value] = use{zone: p.region.Zone, at: s}
			case f.zone != p.region.Zone:
				c.addf(s.path, s.line, "found the endpoint of %s (line %d) of zone %s, but this region is of zone %s; allowed: endpoints of one zone only",
					f.at.path, f.at.line, quote(f.zone), quote(p.region.Zone))
			}
		}
	}
}
