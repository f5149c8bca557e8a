// SPDX-License-Identifier: Apache-2.0

package output

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/names"
)

// Cluster is what is known of a cluster that sends telemetry.
type Cluster struct {
	Owner
	TelemetryName string
	Tenant        string
	Region        string                      // home
	Regions       []v1beta1.RegionSpec        // those that its agents know: home, another while it is re-homed, stand-ins
	Logins        map[string]credential.Login // in use, by region
	Values        string                      // of the user, merged below what is decided here
}

// ValuesName is the ConfigMap of a cluster's values, BundleName the Secret of the objects that go with them.
const (
	valuesKind = "kof-values"
	bundleKind = "kof-bundle"
	ValuesKey  = "values.yaml"
)

// secretName of a region's login on the cluster.
func secretName(region string) string { return names.Across("kof-login", "", region) }

// ClusterObjects returns the values of the chart kof-collectors for a cluster, and the bundle of what they name: the region directory and the
// credentials. agentNamespace is where the chart is installed.
func ClusterObjects(c Cluster, agentNamespace string) ([]*unstructured.Unstructured, error) {
	values, err := MergeValues(c.Values, c.values())
	if err != nil {
		return nil, err
	}
	acceptUnattributed(values, c.Regions)
	namespace := object("v1", "Namespace", "", agentNamespace, map[string]any{})
	namespace.SetLabels(map[string]string{"pod-security.kubernetes.io/enforce": "privileged"}) // agents read the nodes' files
	on := []*unstructured.Unstructured{
		namespace,
		object("v1", "ConfigMap", agentNamespace, DirectoryName, map[string]any{"data": map[string]any{DirectoryKey: Directory(c.Regions)}}),
	}
	for _, r := range c.Regions {
		login := c.Logins[r.Name]
		on = append(on, object("v1", "Secret", agentNamespace, secretName(r.Name), map[string]any{
			"type": "Opaque", "data": data(map[string]string{"username": login.Username, "password": login.Password}),
		}))
	}
	return []*unstructured.Unstructured{
		c.object("v1", "ConfigMap", names.In(valuesKind, c.Name), PartValues, map[string]any{"data": map[string]any{ValuesKey: toYAML(values)}}),
		c.bundle(names.In(bundleKind, c.Name), PartBundle, on),
	}, nil
}

func (c Cluster) values() map[string]any {
	credentials := map[string]any{}
	for _, r := range c.Regions {
		credentials[r.Name] = map[string]any{"secret": secretName(r.Name)}
	}
	out := map[string]any{
		"cluster":         map[string]any{"name": c.TelemetryName, "namespace": c.Namespace},
		"region":          c.Region,
		"regions":         map[string]any{}, // the directory's alone
		"regionDirectory": map[string]any{"configMap": DirectoryName, "key": DirectoryKey, "credentials": credentials},
	}
	if c.Tenant != "" {
		out["tenant"] = c.Tenant
	}
	return out
}

// acceptUnattributed has agents take OTLP of unknown senders as the cluster's own, where its values don't say otherwise: the directory names no
// tenants, so with regions of one zone it can't belong elsewhere. The chart can't see that, and would refuse it.
func acceptUnattributed(values map[string]any, regions []v1beta1.RegionSpec) {
	for _, r := range regions {
		if Zone(r) != Zone(regions[0]) {
			return
		}
	}
	otlp, isMap := values["otlp"].(map[string]any)
	if values["otlp"] == nil {
		otlp, isMap = map[string]any{}, true
	}
	if _, set := otlp["unattributed"]; set || !isMap {
		return // what isn't a map is for the chart to refuse
	}
	otlp["unattributed"] = "accept"
	values["otlp"] = otlp
}

// MaxValuesBytes bounds the values in an annotation.
const MaxValuesBytes = 128 << 10

// MergeValues merges values over those in a text of YAML: mappings key by key, everything else replaces. The error names no value.
func MergeValues(text string, over map[string]any) (map[string]any, error) {
	if len(text) > MaxValuesBytes {
		return nil, fmt.Errorf("found %d bytes; allowed: at most %d", len(text), MaxValuesBytes)
	}
	base := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(text), &base); err != nil {
		return nil, errors.New("found what is not a YAML mapping with each key once; allowed: Helm values")
	}
	if base == nil {
		base = map[string]any{}
	}
	merge(base, over)
	return base, nil
}

func merge(into, from map[string]any) {
	for k, v := range from {
		below, isMap := v.(map[string]any)
		if old, was := into[k].(map[string]any); isMap && was && len(below) > 0 {
			merge(old, below)
			continue
		}
		into[k] = v
	}
}
