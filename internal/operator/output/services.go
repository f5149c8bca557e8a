// SPDX-License-Identifier: Apache-2.0

package output

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/names"
)

// Services returns the MultiClusterServices that carry values and bundles: one to every cluster that sends, one to every regional cluster.
// Empty templates: none. They are cluster-scoped, so that nothing in a namespace can own them.
func Services(collectorsTemplate, storageTemplate, agentNamespace string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	if collectorsTemplate != "" {
		out = append(out, service("kof-collectors", collectorsTemplate, agentNamespace, valuesKind,
			[]any{kcm.RoleChild, kcm.RoleRegional}, []string{bundleKind}))
	}
	if storageTemplate != "" {
		bundles := make([]string, UserShards)
		for i := range bundles {
			bundles[i] = usersKind + "-" + strconv.Itoa(i)
		}
		out = append(out, service("kof-storage", storageTemplate, agentNamespace, storageKind, []any{kcm.RoleRegional}, bundles))
	}
	return out
}

func service(name, template, namespace, values string, roles []any, bundles []string) *unstructured.Unstructured {
	refs := make([]any, len(bundles))
	for i, b := range bundles {
		refs[i] = map[string]any{"kind": "Secret", "name": names.InTemplate(b), "deploymentType": "Remote", "optional": true}
	}
	u := object(kcm.GroupVersion.String(), "MultiClusterService", "", name, map[string]any{"spec": map[string]any{
		"clusterSelector": map[string]any{"matchExpressions": []any{map[string]any{"key": kcm.LabelRole, "operator": "In", "values": roles}}},
		"serviceSpec": map[string]any{
			"services": []any{map[string]any{
				"name": name, "namespace": namespace, "template": template,
				"values": `{{ index (getResource "KofValues").data "` + ValuesKey + `" }}`,
			}},
			"templateResourceRefs": []any{map[string]any{
				"identifier": "KofValues", "resource": map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": names.InTemplate(values)},
			}},
			"policyRefs": refs,
		},
	}})
	u.SetLabels(map[string]string{LabelManagedBy: ManagedBy})
	return u
}

const storageKind = "kof-storage-values"

// StorageValues are the values of the chart kof-storage for a region: the annotation's, over those of the storage class and the certificates.
func (o Owner) StorageValues(cluster, class, email, domain, text string) (*unstructured.Unstructured, error) {
	own := map[string]any{}
	global := map[string]any{}
	if class != "" {
		global["storageClass"] = class
	}
	if domain != "" {
		global["domain"] = domain
	}
	if len(global) > 0 {
		own["global"] = global
	}
	if email != "" {
		own["certManager"] = map[string]any{"email": email}
	}
	over, err := MergeValues(text, nil)
	if err != nil {
		return nil, err
	}
	merge(own, over)
	return o.object("v1", "ConfigMap", names.In(storageKind, cluster), PartStorage, map[string]any{"data": map[string]any{ValuesKey: toYAML(own)}}), nil
}

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return hex.EncodeToString(b[:8])
}
