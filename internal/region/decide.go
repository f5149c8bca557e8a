// SPDX-License-Identifier: Apache-2.0

package region

// The resource attributes that decide on the region of telemetry, in the order of their weight.
const (
	AttributeRegion = "kof.region"
	AttributeTenant = "kof.tenant"
	AttributeCloud  = "cloud.region"
)

// Decide returns the name of the region that telemetry with these attributes belongs to, and the attribute that decided, "" for the home
// region: its kof.region; the region of its kof.tenant; its cloud.region, if the directory knows it; else the home region. Empty texts
// count as not set. The name may be unknown to the directory only where kof.region or home gives it.
func (d *Directory) Decide(home, explicit, tenant, cloud string) (name, by string) {
	if explicit != "" {
		return explicit, AttributeRegion
	}
	if t, ok := d.Tenants[tenant]; ok && tenant != "" {
		return t.Region, AttributeTenant
	}
	if _, ok := d.Regions[cloud]; ok && cloud != "" {
		return cloud, AttributeCloud
	}
	return home, ""
}
