// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/region"
)

// Names of the directory where agents look for it.
const (
	DirectoryName = "kof-regions"
	DirectoryKey  = "regions.yaml"
)

// Zone of a region.
func Zone(s v1beta1.RegionSpec) string { return cmp.Or(s.Zone, s.Name) }

// EndpointsOf returns a region's endpoints: what the spec says, or the paths of the VMAuth of the chart kof-storage below its domain.
func EndpointsOf(s v1beta1.RegionSpec) v1beta1.Endpoints {
	var e v1beta1.Endpoints
	if s.Endpoints != nil {
		e = *s.Endpoints
	}
	if s.Domain != "" {
		auth := "https://vmauth." + s.Domain
		e.Metrics = cmp.Or(e.Metrics, auth+"/vm/insert/0/prometheus/api/v1/write")
		e.Logs = cmp.Or(e.Logs, auth+"/vli/insert/opentelemetry/v1/logs")
		e.Traces = cmp.Or(e.Traces, auth+"/jaeger/insert/v1/traces")
		e.MetricsQuery = cmp.Or(e.MetricsQuery, auth+"/vm/select/0/prometheus")
		e.LogsQuery = cmp.Or(e.LogsQuery, auth+"/vls")
		e.TracesQuery = cmp.Or(e.TracesQuery, auth+"/jaeger")
	}
	return e
}

// Directory returns a region directory in the format of package region. Credentials are files of the chart kof-collectors. A stand-in
// that is not among the regions is left out.
func Directory(regions []v1beta1.RegionSpec) string {
	known := map[string]v1beta1.RegionSpec{}
	for _, r := range regions {
		known[r.Name] = r
	}
	all := map[string]any{}
	for _, r := range regions {
		e := EndpointsOf(r)
		files := "/etc/kof/credentials/" + r.Name
		entry := map[string]any{
			"zone": Zone(r),
			"auth": map[string]any{"basic": map[string]any{"username_file": files + "/username", "password_file": files + "/password"}},
		}
		for signal, url := range map[string]string{"metrics": e.Metrics, "logs": e.Logs, "traces": e.Traces} {
			if url != "" {
				entry[signal] = map[string]any{"endpoint": url}
			}
		}
		if f := StandIns(r, known); len(f) > 0 {
			entry["failover"] = f
		}
		all[r.Name] = entry
	}
	return toYAML(map[string]any{"regions": all})
}

// StandIns are the regions that take over for one: those of its failover that are known and of its zone.
func StandIns(r v1beta1.RegionSpec, known map[string]v1beta1.RegionSpec) []string {
	var out []string
	for _, name := range r.Failover {
		if other, found := known[name]; found && name != r.Name && Zone(other) == Zone(r) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// CheckDirectory returns what agents would refuse a directory of these regions for.
func CheckDirectory(regions []v1beta1.RegionSpec) error {
	_, err := region.Parse([]byte(Directory(regions)))
	return err
}

// DirectoryConfigMap is the directory for collectors on the management cluster.
func DirectoryConfigMap(namespace string, regions []v1beta1.RegionSpec) *unstructured.Unstructured {
	u := object("v1", "ConfigMap", namespace, DirectoryName, map[string]any{"data": map[string]any{DirectoryKey: Directory(regions)}})
	u.SetLabels(map[string]string{LabelManagedBy: ManagedBy, LabelPart: PartDirectory})
	return u
}
