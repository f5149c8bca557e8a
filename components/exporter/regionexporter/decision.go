// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/k0rdent/kof/internal/region"
)

// The resource attributes that decide on the region, in the order of their weight.
const (
	attrRegion      = "kof.region"
	attrTenant      = "kof.tenant"
	attrCloudRegion = "cloud.region"
)

// decide returns the name of the region that a resource belongs to: its kof.region; the region of its kof.tenant; its
// cloud.region, if the directory knows it; else the home region. The name may be unknown to the directory only where kof.region
// gives it. A value that isn't a string counts as its text: a region that nobody could have meant is unknown, and so held, where one
// that is passed over would go to the home region. Empty texts count as not set.
func decide(dir *region.Directory, home string, resource pcommon.Map) string {
	var explicit, tenant, cloud string
	for key, value := range resource.All() {
		switch key {
		case attrRegion:
			explicit = value.AsString()
		case attrTenant:
			tenant = value.AsString()
		case attrCloudRegion:
			cloud = value.AsString()
		}
	}
	if explicit != "" {
		return explicit
	}
	if t, ok := dir.Tenants[tenant]; ok && tenant != "" {
		return t.Region
	}
	if _, ok := dir.Regions[cloud]; ok && cloud != "" {
		return cloud
	}
	return home
}
