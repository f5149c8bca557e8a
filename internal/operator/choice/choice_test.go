// SPDX-License-Identifier: Apache-2.0

package choice

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const platform = "kcm-system"

func candidates() []Region {
	return []Region{
		{Namespace: platform, Object: "eu1", Name: "eu-west-1", Zone: "eu", Cloud: "aws", Location: "eu-west-1"},
		{Namespace: platform, Object: "us1", Name: "us1", Zone: "us", Cloud: "aws", Location: "us-east-1"},
		{Namespace: platform, Object: "us2", Name: "us2", Zone: "us", Cloud: "aws", Location: "us-east-1"},
		{Namespace: platform, Object: "azure", Name: "az", Zone: "eu", Cloud: "azure", Location: "westeurope"},
		{Namespace: "team", Object: "os", Name: "team-os", Zone: "t", Cloud: "openstack", Location: "RegionOne"},
		{Namespace: "team", Object: "eu1", Name: "team-eu1", Zone: "t"},
		{Namespace: platform, Object: "home", Name: "home", Zone: "home", Fallback: true},
	}
}

func TestChoose(t *testing.T) {
	for name, tt := range map[string]struct {
		cluster Cluster
		drop    string // Name of a region that isn't there
		want    string
		rule    Rule
		reason  string
		says    []string
	}{
		"label":                                {cluster: Cluster{Namespace: "a", Region: "us2", Cloud: "aws", Location: "eu-west-1"}, want: "us2", rule: Label},
		"label names the region":               {cluster: Cluster{Namespace: "a", Region: "eu-west-1"}, want: "eu-west-1", rule: Label},
		"label with namespace":                 {cluster: Cluster{Namespace: "a", Region: "eu1", RegionNamespace: "team"}, want: "team-eu1", rule: Label},
		"label in another's namespace":         {cluster: Cluster{Namespace: "a", Region: "os"}, rule: Label, reason: ReasonNotFound, says: []string{`"os"`, "a or kcm-system"}},
		"label of nothing, place would match":  {cluster: Cluster{Namespace: "a", Region: "no", Cloud: "aws", Location: "eu-west-1"}, rule: Label, reason: ReasonNotFound},
		"label ambiguous":                      {cluster: Cluster{Namespace: "team", Region: "eu1"}, rule: Label, reason: ReasonTie, says: []string{"kcm-system/eu1 and team/eu1"}},
		"label of the namespace alone":         {cluster: Cluster{Namespace: "a", RegionNamespace: "team"}, rule: Label, reason: ReasonBadLabels},
		"aws":                                  {cluster: Cluster{Namespace: "a", Cloud: "aws", Location: "eu-west-1"}, want: "eu-west-1", rule: Location},
		"azure":                                {cluster: Cluster{Namespace: "a", Cloud: "azure", Location: "westeurope"}, want: "az", rule: Location},
		"same location of another cloud":       {cluster: Cluster{Namespace: "a", Cloud: "gcp", Location: "westeurope"}, want: "home", rule: Fallback},
		"location tie":                         {cluster: Cluster{Namespace: "a", Cloud: "aws", Location: "us-east-1"}, rule: Location, reason: ReasonTie, says: []string{"kcm-system/us1 and kcm-system/us2"}},
		"location of own namespace":            {cluster: Cluster{Namespace: "team", Cloud: "openstack", Location: "RegionOne"}, want: "team-os", rule: Location},
		"location of another's namespace":      {cluster: Cluster{Namespace: "a", Cloud: "openstack", Location: "RegionOne"}, want: "home", rule: Fallback},
		"adopted: regionless":                  {cluster: Cluster{Namespace: "a", Cloud: "adopted"}, want: "home", rule: Fallback},
		"adopted, no fallback":                 {cluster: Cluster{Namespace: "a", Cloud: "adopted"}, drop: "home", rule: Fallback, reason: ReasonNoRegion, says: []string{"place is not known"}},
		"unknown location, no fallback":        {cluster: Cluster{Namespace: "a", Cloud: "aws", Location: "x"}, drop: "home", rule: Fallback, reason: ReasonNoRegion, says: []string{"aws x"}},
		"regions without place match no place": {cluster: Cluster{Namespace: "team"}, drop: "home", rule: Fallback, reason: ReasonNoRegion},
	} {
		t.Run(name, func(t *testing.T) {
			var regions []Region
			for _, r := range candidates() {
				if r.Name != tt.drop {
					regions = append(regions, r)
				}
			}
			got, rule, err := Choose(tt.cluster, platform, regions)
			require.Equal(t, tt.rule, rule)
			if tt.reason == "" {
				require.NoError(t, err)
				require.Equal(t, tt.want, got.Name)
				return
			}
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.reason, e.Reason)
			require.Zero(t, got)
			for _, s := range tt.says {
				require.Contains(t, e.Message, s)
			}
		})
	}
	two := append(candidates(), Region{Namespace: platform, Object: "other", Name: "other", Fallback: true})
	_, _, err := Choose(Cluster{Namespace: "a"}, platform, two)
	require.ErrorContains(t, err, "kcm-system/home and kcm-system/other")
}

// TestChooseIsTotal draws worlds: there is always a region that may be chosen or an error with a reason, the same in every order of the
// list and every time; an error of a tie names every region in it; and regions of other namespaces are only chosen by full label.
func TestChooseIsTotal(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	outcomes := map[string]int{}
	for range 50_000 {
		regions := make([]Region, random.IntN(7))
		for i := range regions {
			regions[i] = Region{
				Namespace: pick("a", "b", platform), Object: pick("r1", "r2", "r3"), Name: string(rune('A' + i)), Zone: pick("z1", "z2"),
				Cloud: pick("aws", "gcp", ""), Location: pick("l1", "l2", ""), Fallback: random.IntN(5) == 0,
			}
		}
		c := Cluster{
			Namespace: pick("a", "b", platform), Region: pick("", "", "r1", "r2", "A"), RegionNamespace: pick("", "", "", "a", "b"),
			Cloud: pick("aws", "gcp", "adopted"), Location: pick("l1", "l2", ""),
		}
		got, rule, err := Choose(c, platform, regions)
		var e *Error
		if err == nil {
			require.Contains(t, regions, got)
			own := got.Namespace == c.Namespace || got.Namespace == platform
			require.True(t, own || rule == Label && c.RegionNamespace == got.Namespace)
			outcomes[string(rule)]++
		} else {
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Reason)
			require.NotEmpty(t, e.Message)
			outcomes[e.Reason]++
		}
		random.Shuffle(len(regions), func(i, j int) { regions[i], regions[j] = regions[j], regions[i] })
		again, rule2, err2 := Choose(c, platform, regions)
		require.Equal(t, got, again)
		require.Equal(t, rule, rule2)
		require.Equal(t, err, err2)
	}
	for _, o := range []string{string(Label), string(Location), string(Fallback), ReasonTie, ReasonNotFound, ReasonNoRegion, ReasonBadLabels} {
		require.Positive(t, outcomes[o], o)
	}
	t.Log(outcomes)
}
