// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/manifest"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
	"github.com/k0rdent/kof/internal/region"
)

// with adds what a file of Regions, or a region directory, would change.
func (w *world) with(r *Report, path string) error {
	text, err := manifest.Read(path, os.Stdin)
	if err != nil {
		return err
	}
	documents, err := manifest.Documents(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(documents) == 0 {
		return fmt.Errorf("%s: found nothing; allowed: Region manifests, or a region directory", path)
	}
	var items []v1beta1.Region
	if documents[0].Kind == "" {
		d, err := region.Parse(text)
		if err != nil {
			return fmt.Errorf("%s is refused as a region directory:\n%w", path, err)
		}
		items = w.directory(d)
	} else {
		if items, err = w.apply(r, documents); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	v := w.view(items)
	r.With = &v
	r.Changes = changes(r.Now, v)
	return nil
}

// apply returns the Regions as they were after `kubectl apply` of the documents, and notes what would be refused.
func (w *world) apply(r *Report, documents []manifest.Document) ([]v1beta1.Region, error) {
	items := slices.Clone(w.items)
	var touched []client.ObjectKey
	for i, d := range documents {
		if d.Kind != "Region" {
			return nil, fmt.Errorf("document in line %d: kind: found %q; allowed: Region", d.Line, d.Kind)
		}
		next, err := d.Region()
		if err != nil {
			return nil, err
		}
		if next.Namespace == "" {
			next.Namespace = w.system
		}
		key := client.ObjectKeyFromObject(&next)
		touched = append(touched, key)
		at := slices.IndexFunc(items, func(r v1beta1.Region) bool { return client.ObjectKeyFromObject(&r) == key })
		if at < 0 {
			// What is new is newer than what is there.
			next.CreationTimestamp = metav1.NewTime(w.now.Add(time.Duration(i+1) * time.Second))
			items = append(items, next)
			continue
		}
		old := items[at].Spec
		if old.Name != next.Spec.Name {
			r.Problems = append(r.Problems, fmt.Sprintf("Region %s: spec.name: found %q; allowed: %q, the name of a region can't change", key, next.Spec.Name, old.Name))
			continue
		}
		if output.Zone(old) != output.Zone(next.Spec) {
			r.Problems = append(r.Problems, fmt.Sprintf("Region %s: spec.zone: found %q; allowed: %q, the zone of a region can't change", key, output.Zone(next.Spec), output.Zone(old)))
			continue
		}
		items[at].Spec = next.Spec
	}
	set := regions.Accept(items)
	for _, key := range touched {
		if refused, is := set.Refused[key]; is {
			r.Problems = append(r.Problems, fmt.Sprintf("Region %s is refused (%s): %s", key, refused.Reason, strings.ReplaceAll(refused.Message, "\n", "; ")))
		}
	}
	return items, nil
}

// directory returns the Regions as a directory has them. What a directory doesn't say (cloud, location, fallback, object) is that of the Region of
// the name that is there.
func (w *world) directory(d *region.Directory) []v1beta1.Region {
	byName := map[string]v1beta1.Region{}
	for _, r := range w.items {
		byName[r.Spec.Name] = r
	}
	var items []v1beta1.Region
	for name, r := range d.Regions {
		item, found := byName[name]
		if !found {
			item.Namespace, item.Name = w.system, strings.ToLower(name)
		}
		item.Spec.Name, item.Spec.Zone, item.Spec.Domain, item.Spec.Failover = name, r.Zone, "", r.Failover
		item.Spec.Endpoints = &v1beta1.Endpoints{Metrics: r.Metrics.URL, Logs: r.Logs.URL, Traces: r.Traces.URL}
		items = append(items, item)
	}
	return regions.InOrder(items)
}

// changes between two views.
func changes(now, with View) []Change {
	var out []Change
	add := func(what, a, b string) {
		if a != b {
			out = append(out, Change{What: what, Now: a, With: b})
		}
	}
	add("region", cmp.Or(now.NextIsTo, now.Region), cmp.Or(with.NextIsTo, with.Region))
	add("next step", now.Next, with.Next)
	add("why", now.Reason, with.Reason)
	add("region is known", fmt.Sprint(now.Known), fmt.Sprint(with.Known))
	type key struct{ region, use string }
	before, after := map[key]Endpoint{}, map[key]Endpoint{}
	var keys []key
	for _, e := range slices.Concat(now.Endpoints, with.Endpoints) {
		if k := (key{e.Region, e.Use}); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, e := range now.Endpoints {
		before[key{e.Region, e.Use}] = e
	}
	for _, e := range with.Endpoints {
		after[key{e.Region, e.Use}] = e
	}
	for _, k := range keys {
		a, b := before[k], after[k]
		of := fmt.Sprintf(" of %s (%s)", k.region, k.use)
		add("zone"+of, a.Zone, b.Zone)
		add("metrics"+of, a.Metrics, b.Metrics)
		add("logs"+of, a.Logs, b.Logs)
		add("traces"+of, a.Traces, b.Traces)
	}
	return out
}
