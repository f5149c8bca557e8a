// SPDX-License-Identifier: Apache-2.0

// Package admission says at once, to who changes an object, what the operator would say of it later in a condition. Refused is what can't
// become right by itself; what another object can mend, such as a region that isn't there yet, is a warning. It fails open: what couldn't
// be checked is let through, and the conditions say what is wrong.
package admission

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// Region returns why a Region would not be accepted, or would have another refused that counts now. old is nil of a new one. What doesn't
// change the spec is fine, whatever the spec is.
func Region(items []v1beta1.Region, old *v1beta1.Region, wanted v1beta1.Region) error {
	if wanted.DeletionTimestamp != nil || old != nil && equality.Semantic.DeepEqual(old.Spec, wanted.Spec) {
		return nil
	}
	before := regions.Accept(regions.InOrder(items))
	after := regions.Accept(regions.InOrder(with(items, wanted)))
	id := client.ObjectKeyFromObject(&wanted)
	var errs []error
	if refused, is := after.Refused[id]; is {
		errs = append(errs, fmt.Errorf("%s: %s", refused.Reason, refused.Message))
	}
	for _, other := range slices.SortedFunc(maps.Keys(after.Refused), compare) {
		if _, was := before.Refused[other]; !was && other != id {
			errs = append(errs, fmt.Errorf("Region %s, which is in force, would be refused (%s): %s", other, after.Refused[other].Reason, after.Refused[other].Message))
		}
	}
	return errors.Join(errs...)
}

// with returns Regions with one changed, or added as the newest.
func with(items []v1beta1.Region, wanted v1beta1.Region) []v1beta1.Region {
	out := slices.Clone(items)
	newest := time.Now()
	for i := range out {
		if t := out[i].CreationTimestamp.Time; t.After(newest) {
			newest = t
		}
		if out[i].Namespace == wanted.Namespace && out[i].Name == wanted.Name {
			wanted.CreationTimestamp = out[i].CreationTimestamp
			out[i] = wanted
			return out
		}
	}
	wanted.CreationTimestamp = metav1.NewTime(newest.Add(time.Second))
	return append(out, wanted)
}

func compare(a, b types.NamespacedName) int {
	switch {
	case a.String() < b.String():
		return -1
	case a == b:
		return 0
	}
	return 1
}
