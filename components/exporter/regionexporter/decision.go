// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/k0rdent/kof/internal/region"
)

// The resource attributes that decide on the region, in the order of their weight.
const (
	attrRegion      = region.AttributeRegion
	attrTenant      = region.AttributeTenant
	attrCloudRegion = region.AttributeCloud
)

// decide returns the name of the region that a resource belongs to; see [region.Directory.Decide]. A value that isn't a string counts
// as its text: a region that nobody could have meant is unknown, and so held, where one that is passed over would go to the home region.
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
	name, _ := dir.Decide(home, explicit, tenant, cloud)
	return name
}
