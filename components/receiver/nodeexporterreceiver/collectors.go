// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

// collectorInfo is what the configuration has to know of a collector.
type collectorInfo struct {
	byDefault bool
	// ownNetwork says that it asks the kernel about the network of the process, and can't be pointed elsewhere.
	ownNetwork bool
	options    map[string]optionKind
}

var deviceFilter = map[string]optionKind{"device_include": optionRegexp, "device_exclude": optionRegexp}

// collectors are those that may be enabled. Left out are those that ask other services, read every process, need rights that
// an agent doesn't have, or expose files of the user.
var collectors = map[string]collectorInfo{
	"arp":          {byDefault: true, options: deviceFilter},
	"bonding":      {byDefault: true},
	"conntrack":    {byDefault: true},
	"cpu":          {byDefault: true, options: map[string]optionKind{"guest": optionBool, "info": optionBool}},
	"cpufreq":      {byDefault: true},
	"diskstats":    {byDefault: true, options: deviceFilter},
	"dmi":          {byDefault: true},
	"edac":         {byDefault: true},
	"entropy":      {byDefault: true},
	"filefd":       {byDefault: true},
	"filesystem":   {byDefault: true, options: filesystemOptions},
	"hwmon":        {byDefault: true, options: hwmonOptions},
	"kernel_hung":  {byDefault: true},
	"loadavg":      {byDefault: true},
	"mdadm":        {byDefault: true},
	"meminfo":      {byDefault: true},
	"netclass":     {byDefault: true, options: map[string]optionKind{"ignored_devices": optionRegexp, "ignore_invalid_speed": optionBool}},
	"netdev":       {byDefault: true, options: deviceFilter},
	"netstat":      {byDefault: true, options: map[string]optionKind{"fields": optionRegexp}},
	"nvme":         {byDefault: true},
	"os":           {byDefault: true},
	"pressure":     {byDefault: true},
	"schedstat":    {byDefault: true},
	"sockstat":     {byDefault: true},
	"softnet":      {byDefault: true},
	"stat":         {byDefault: true, options: map[string]optionKind{"softirq": optionBool}},
	"thermal_zone": {byDefault: true},
	"time":         {byDefault: true},
	"timex":        {byDefault: true},
	"udp_queues":   {byDefault: true},
	"uname":        {byDefault: true},
	"vmstat":       {byDefault: true, options: map[string]optionKind{"fields": optionRegexp}},

	"bcache":              {},
	"bcachefs":            {},
	"btrfs":               {},
	"buddyinfo":           {},
	"cgroups":             {},
	"cpu_vulnerabilities": {},
	"dmmultipath":         {},
	"fibrechannel":        {},
	"infiniband":          {options: deviceFilter},
	"interrupts":          {options: interruptsOptions},
	"ipvs":                {options: map[string]optionKind{"backend_labels": optionText}},
	"ksmd":                {},
	"lnstat":              {},
	"meminfo_numa":        {},
	"nfs":                 {},
	"nfsd":                {},
	"powersupplyclass":    {},
	"rapl":                {},
	"slabinfo":            {options: map[string]optionKind{"slabs_include": optionRegexp, "slabs_exclude": optionRegexp}},
	"softirqs":            {},
	"swap":                {},
	"tapestats":           {},
	"watchdog":            {},
	"xfrm":                {},
	"xfs":                 {},
	"zfs":                 {},
	"zoneinfo":            {},

	"ethtool":       {ownNetwork: true, options: deviceFilter},
	"network_route": {ownNetwork: true},
	"qdisc":         {ownNetwork: true, options: deviceFilter},
	"tcpstat":       {ownNetwork: true},
	"wifi":          {ownNetwork: true},
}

var (
	filesystemOptions = map[string]optionKind{
		"mount_points_include": optionRegexp, "mount_points_exclude": optionRegexp,
		"fs_types_include": optionRegexp, "fs_types_exclude": optionRegexp,
		"stat_workers": optionCount,
	}
	hwmonOptions = map[string]optionKind{
		"chip_include": optionRegexp, "chip_exclude": optionRegexp, "sensor_include": optionRegexp, "sensor_exclude": optionRegexp,
	}
	interruptsOptions = map[string]optionKind{"name_include": optionRegexp, "name_exclude": optionRegexp, "include_zeros": optionBool}
)
