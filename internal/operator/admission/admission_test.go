// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/regions"
)

var born = time.Unix(1_800_000_000, 0)

func region(namespace, name string, age int, spec v1beta1.RegionSpec) v1beta1.Region {
	return v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(born.Add(-time.Duration(age) * time.Hour))}, Spec: spec}
}

func inForce() []v1beta1.Region {
	return []v1beta1.Region{
		region("kof", "eu1", 9, v1beta1.RegionSpec{Name: "eu1", Zone: "eu", Cloud: "aws", Location: "eu-west-1", Domain: "eu1.example"}),
		region("kof", "us1", 8, v1beta1.RegionSpec{Name: "us1", Zone: "us", Cloud: "aws", Location: "us-east-1", Domain: "us1.example"}),
		region("kof", "us2", 7, v1beta1.RegionSpec{Name: "us2", Zone: "us", Cloud: "aws", Location: "us-east-1", Domain: "us2.example"}),
		region("other", "bad", 1, v1beta1.RegionSpec{Name: "eu1", Domain: "bad.example"}), // refused since it was made
	}
}

func TestRegion(t *testing.T) {
	items := inForce()
	for name, tt := range map[string]struct {
		old    *v1beta1.Region
		wanted v1beta1.Region
		err    string
	}{
		"new":              {nil, region("kof", "new", 0, v1beta1.RegionSpec{Name: "new", Domain: "new.example"}), ""},
		"name taken":       {nil, region("kof", "new", 0, v1beta1.RegionSpec{Name: "us1", Domain: "new.example"}), `NameTaken: the name "us1" is that of Region kof/us1`},
		"endpoint clash":   {nil, region("kof", "new", 0, v1beta1.RegionSpec{Name: "new", Domain: "us1.example"}), `Refused: regions.us1.logs.endpoint: found the endpoint of regions.new.logs.endpoint of zone "new"`},
		"the same zone":    {nil, region("kof", "new", 0, v1beta1.RegionSpec{Name: "new", Zone: "us", Domain: "us1.example"}), ""},
		"older one":        {&items[0], region("kof", "eu1", 9, v1beta1.RegionSpec{Name: "eu1", Zone: "eu", Domain: "us1.example"}), "Region kof/us1, which is in force, would be refused (Refused): "},
		"unchanged":        {&items[3], items[3], ""},
		"changed, and bad": {&items[3], region("other", "bad", 1, v1beta1.RegionSpec{Name: "eu1", Domain: "bad2.example"}), "NameTaken"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Region(items, tt.old, tt.wanted)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.err)
		})
	}
	require.Equal(t, inForce(), items, "what is given isn't changed")
}

func deployment(t *testing.T, labels map[string]string, config map[string]any) *kcm.ClusterDeployment {
	t.Helper()
	text, err := json.Marshal(config)
	require.NoError(t, err)
	cd := &kcm.ClusterDeployment{Spec: kcm.Spec{Template: "aws-standalone-1", Config: runtime.RawExtension{Raw: text}}}
	cd.Namespace, cd.Name, cd.Labels = "kof", "shop", labels
	return cd
}

func TestCluster(t *testing.T) {
	items := inForce()
	child := func(more map[string]string) map[string]string {
		out := map[string]string{kcm.LabelRole: kcm.RoleChild}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	annotations := func(a map[string]any) map[string]any {
		return map[string]any{"region": "eu-west-1", "clusterAnnotations": a}
	}
	regionalLabels := map[string]string{kcm.LabelRole: kcm.RoleRegional}
	inEU := v1beta1.RegionAssignmentSpec{ClusterName: "shop", Region: "eu1", Zone: "eu", Rule: "Location"}
	for name, tt := range map[string]struct {
		old, wanted      *kcm.ClusterDeployment
		assigned         v1beta1.RegionAssignmentSpec
		warning, refused string
	}{
		"fine":             {wanted: deployment(t, child(nil), map[string]any{"region": "eu-west-1"})},
		"not KOF's":        {wanted: deployment(t, nil, annotations(map[string]any{kcm.AnnotationCollectors: "- bad"}))},
		"unknown role":     {wanted: deployment(t, map[string]string{kcm.LabelRole: "Child"}, nil), warning: `found "Child", which KOF takes for none; allowed: child, regional`},
		"tie":              {wanted: deployment(t, child(nil), map[string]any{"region": "us-east-1"}), warning: "tie between kof/us1 and kof/us2"},
		"no region":        {wanted: deployment(t, child(nil), map[string]any{"region": "mars"}), warning: "there is no region in aws mars"},
		"unknown region":   {wanted: deployment(t, child(map[string]string{kcm.LabelRegional: "nope"}), nil), warning: `the label names the regional cluster "nope"`},
		"half a name":      {wanted: deployment(t, child(map[string]string{kcm.LabelRegionalNamespace: "kof"}), nil), refused: "but none for its name"},
		"bad values":       {wanted: deployment(t, child(nil), annotations(map[string]any{kcm.AnnotationCollectors: "- bad"})), refused: "kof-collectors-values]: found what is not a YAML mapping"},
		"bad config":       {wanted: deployment(t, child(nil), nil), refused: "spec.config: "},
		"stays":            {wanted: deployment(t, child(nil), map[string]any{"region": "us-east-1"}), assigned: inEU, warning: "tie"},
		"to another zone":  {wanted: deployment(t, child(map[string]string{kcm.LabelRegional: "us1"}), nil), assigned: inEU, warning: `from zone "eu" to zone "us"`},
		"no domain":        {wanted: deployment(t, regionalLabels, nil), warning: "kof-regional-domain]: missing"},
		"regional":         {wanted: deployment(t, regionalLabels, annotations(map[string]any{kcm.AnnotationDomain: "shop.example"}))},
		"storage values":   {wanted: deployment(t, regionalLabels, annotations(map[string]any{kcm.AnnotationDomain: "shop.example", kcm.AnnotationStorage: "a: 1\na: 2"})), refused: "kof-storage-values]"},
		"regional's name":  {wanted: deployment(t, map[string]string{kcm.LabelRole: kcm.RoleRegional, kcm.LabelName: "us1"}, annotations(map[string]any{kcm.AnnotationDomain: "shop.example"})), refused: "NameTaken"},
		"regional's clash": {wanted: deployment(t, regionalLabels, annotations(map[string]any{kcm.AnnotationDomain: "us1.example"})), refused: "endpoints of one zone only"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "bad config" {
				tt.wanted.Spec.Config.Raw = []byte(`["a"]`)
			}
			for _, old := range []*kcm.ClusterDeployment{nil, deployment(t, child(map[string]string{kcm.LabelTenant: "x"}), nil)} {
				warnings, err := Cluster(regions.Accept(regions.InOrder(items)), items, "kof", old, tt.wanted, tt.assigned)
				if tt.refused != "" {
					require.ErrorContains(t, err, tt.refused)
					continue
				}
				require.NoError(t, err)
				if tt.warning == "" {
					require.Empty(t, warnings)
					continue
				}
				require.Len(t, warnings, 1)
				require.Contains(t, warnings[0], tt.warning)
			}
			warnings, err := Cluster(regions.Accept(regions.InOrder(items)), items, "kof", tt.wanted, tt.wanted, tt.assigned)
			require.NoError(t, err, "what changes nothing passes")
			require.Empty(t, warnings)
			going := tt.wanted.DeepCopy()
			going.DeletionTimestamp = &metav1.Time{Time: born}
			_, err = Cluster(regions.Accept(regions.InOrder(items)), items, "kof", nil, going, tt.assigned)
			require.NoError(t, err, "what is being deleted passes")
		})
	}
}

func TestRegionalStays(t *testing.T) {
	items := append(inForce(), region("kof", "shop", 0, v1beta1.RegionSpec{Name: "shop", Zone: "eu", Domain: "shop.example", Failover: []string{"eu1"}, ClusterDeployment: "shop"}))
	cd := func(name string, a map[string]any) *kcm.ClusterDeployment {
		return deployment(t, map[string]string{kcm.LabelRole: kcm.RoleRegional, kcm.LabelName: name}, map[string]any{"clusterAnnotations": a})
	}
	for want, wanted := range map[string]*kcm.ClusterDeployment{
		"":                             cd("shop", map[string]any{kcm.AnnotationDomain: "new.example", kcm.AnnotationZone: "eu"}),
		`found "new"; allowed: "shop"`: cd("new", map[string]any{kcm.AnnotationDomain: "shop.example", kcm.AnnotationZone: "eu"}),
		`found "us"; allowed: "eu"`:    cd("shop", map[string]any{kcm.AnnotationDomain: "shop.example", kcm.AnnotationZone: "us"}),
		`found "shop"; allowed: "eu"`:  cd("shop", map[string]any{kcm.AnnotationDomain: "shop.example"}),
		"endpoints of one zone only":   cd("shop", map[string]any{kcm.AnnotationDomain: "us1.example", kcm.AnnotationZone: "eu"}),
	} {
		_, err := Cluster(regions.Accept(regions.InOrder(items)), items, "kof", nil, wanted, v1beta1.RegionAssignmentSpec{})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}
