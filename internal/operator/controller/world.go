// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/output"
)

// regions is which Regions count. It isn't changed after it was made.
type regions struct {
	key        string
	specs      []v1beta1.RegionSpec // accepted, oldest first
	byName     map[string]v1beta1.RegionSpec
	objects    map[string]types.NamespacedName // by the region's name
	candidates []choice.Region
	refused    map[types.NamespacedName]refusal
}

type refusal struct{ reason, message string }

// Reasons of a Region that isn't accepted.
const (
	reasonNameTaken  = "NameTaken"
	reasonBadRegion  = "Refused"
	reasonTooMany    = "TooManyRegions"
	reasonAccepted   = "Accepted"
	maxRegions       = 500 // the bound of a ConfigMap, 1 MiB, at some 1.5 KiB a region; the format itself allows 1,000
	maxMessageLength = 1024
)

// world remembers which Regions count: to check a directory of hundreds for each cluster would cost too much.
type world struct {
	mu   sync.Mutex
	last *regions
}

func (w *world) load(ctx context.Context, reader client.Reader) (*regions, error) {
	var list v1beta1.RegionList
	if err := reader.List(ctx, &list); err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(list.Items, func(r v1beta1.Region) bool { return r.DeletionTimestamp != nil })
	slices.SortFunc(items, func(a, b v1beta1.Region) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	var key strings.Builder
	for _, r := range items {
		fmt.Fprintf(&key, "%s/%d ", r.UID, r.Generation)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil || w.last.key != key.String() {
		w.last = accept(items)
		w.last.key = key.String()
	}
	return w.last, nil
}

// accept goes from the oldest Region to the newest, so that what is in force stays when something that doesn't go with it is added.
func accept(items []v1beta1.Region) *regions {
	out := &regions{byName: map[string]v1beta1.RegionSpec{}, objects: map[string]types.NamespacedName{}, refused: map[types.NamespacedName]refusal{}}
	var first []v1beta1.RegionSpec // of each name
	names := map[string]bool{}
	for _, r := range items {
		if !names[r.Spec.Name] && len(first) < maxRegions {
			names[r.Spec.Name] = true
			first = append(first, r.Spec)
		}
	}
	allGood := output.CheckDirectory(first) == nil
	for _, r := range items {
		id := client.ObjectKeyFromObject(&r)
		if other, taken := out.objects[r.Spec.Name]; taken {
			out.refused[id] = refusal{reasonNameTaken, fmt.Sprintf("the name %q is that of Region %s, which is older", r.Spec.Name, other)}
			continue
		}
		if len(out.specs) >= maxRegions {
			out.refused[id] = refusal{reasonTooMany, fmt.Sprintf("there are %d regions already, the most that are allowed", maxRegions)}
			continue
		}
		// All at once if possible: one by one takes time with the square of their number.
		if !allGood {
			if err := output.CheckDirectory(append(slices.Clone(out.specs), r.Spec)); err != nil {
				out.refused[id] = refusal{reasonBadRegion, short(err.Error())}
				continue
			}
		}
		out.specs = append(out.specs, r.Spec)
		out.byName[r.Spec.Name], out.objects[r.Spec.Name] = r.Spec, id
		out.candidates = append(out.candidates, choice.Region{
			Namespace: r.Namespace, Object: r.Name, Name: r.Spec.Name, Zone: output.Zone(r.Spec),
			Cloud: r.Spec.Cloud, Location: r.Spec.Location, Fallback: r.Spec.Fallback,
		})
	}
	return out
}

func short(s string) string {
	if len(s) <= maxMessageLength {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessageLength], "") + "…"
}

// needed returns the regions that a cluster's agents have to know: its home, the other one while it is re-homed, and the stand-ins of its home.
func (w *regions) needed(a v1beta1.RegionAssignmentSpec) []v1beta1.RegionSpec {
	wanted := []string{a.Region}
	if a.Moving != nil {
		wanted = append(wanted, a.Moving.Other)
	}
	wanted = append(wanted, output.StandIns(w.byName[a.Region], w.byName)...)
	var out []v1beta1.RegionSpec
	for i, name := range wanted {
		if spec, found := w.byName[name]; found && !slices.Contains(wanted[:i], name) {
			out = append(out, spec)
		}
	}
	return out
}
