// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// Rows that belong to nobody in particular, named as OpenCost names them.
const (
	Idle       = "__idle__"
	Management = "__management__"
	Shared     = "__shared__"    // shared namespaces where there is nobody to share them
	Unmounted  = "__unmounted__" // volumes of no claim
	Unlabelled = "__unlabelled__"
	Unknown    = "__unknown__"
	NoTenant   = "__no_tenant__"
)

// promxyRegion is the label by which Promxy tells the region that it has a series from. Without Promxy, the region is that of the node.
const promxyRegion = "promxyCluster"

// Views are what costs can be shown by; label takes a key.
var Views = []string{"cluster", "region", "tenant", "namespace", "workload", "pod", "label:KEY"}

// View is what costs are shown by.
type View struct {
	Name    string
	Columns []string // names of a row's keys
	label   string   // in kube_*_labels, of label:KEY
}

// ParseView reads the name of a view.
func ParseView(name string) (View, error) {
	columns := map[string][]string{
		"cluster": {"cluster"}, "region": {"region"}, "tenant": {"tenant"}, "namespace": {"cluster", "namespace"},
		"workload": {"cluster", "namespace", "workload_kind", "workload"}, "pod": {"cluster", "namespace", "pod"},
	}
	if c, ok := columns[name]; ok {
		return View{Name: name, Columns: c}, nil
	}
	if key, ok := strings.CutPrefix(name, "label:"); ok && key != "" {
		return View{Name: name, Columns: []string{key}, label: "label_" + promLabel(key)}, nil
	}
	return View{}, fmt.Errorf("found %q; allowed: %s", name, strings.Join(Views, ", "))
}

// promLabel is the name that the receiver and kube-state-metrics give to a label of Kubernetes, without the prefix.
func promLabel(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, key)
}

// lookup is a view with what it has to look up in other series.
type lookup struct {
	View
	labels    map[string]string // label:KEY: value by cluster, namespace and pod, or cluster and namespace
	byPod     bool
	regions   map[string]string // region by cluster and node
	ofCluster map[string]string // region by cluster
	workloads map[string]string // workload_kind and workload by cluster, namespace and pod, as the containers' series tell
}

// prepare asks for what the view needs to know.
func (v View) prepare(ctx context.Context, s Store, w Window) (*lookup, error) {
	l := &lookup{View: v, labels: map[string]string{}, regions: map[string]string{}, ofCluster: map[string]string{}, workloads: map[string]string{}}
	switch {
	case v.label != "":
		return l, l.prepareLabels(ctx, s, w)
	case v.Name == "region":
		if err := l.known(ctx, s, w, "node_total_hourly_cost", l.regions, "region", "cluster", "node"); err != nil {
			return nil, err
		}
		return l, l.known(ctx, s, w, "kubecost_cluster_info", l.ofCluster, "region", "cluster")
	}
	return l, nil
}

func (l *lookup) prepareLabels(ctx context.Context, s Store, w Window) error {
	if err := l.known(ctx, s, w, "kube_pod_labels", l.labels, l.label, "cluster", "namespace", "pod"); err != nil {
		return err
	}
	l.byPod = len(l.labels) > 0
	if err := l.known(ctx, s, w, "kube_namespace_labels", l.labels, l.label, "cluster", "namespace"); err != nil {
		return err
	}
	if len(l.labels) == 0 {
		return fmt.Errorf("label:%s: neither kube_pod_labels nor kube_namespace_labels has %s; name the label under labels of the cluster collector's opencost receiver",
			l.Columns[0], l.label)
	}
	return nil
}

// known fills in the value of a label by others: as it was at the end of the window or, of what was gone by then, in the window.
func (l *lookup) known(ctx context.Context, s Store, w Window, metric string, into map[string]string, label string, by ...string) error {
	for _, back := range []int64{600, int64(w.Length().Seconds())} {
		// Without the matchers: these series lack most labels that costs have.
		found, err := s.bounded(ctx, fmt.Sprintf(`group by (%s, %s) (last_over_time(%s{%s!=""}[%ds]))`, strings.Join(by, ", "), label, metric, label, back), w.End)
		if err != nil {
			return err
		}
		fresh := map[string]string{}
		for _, f := range found {
			key, value := keyOf(f.Labels, by), f.Labels[label]
			if _, there := into[key]; there {
				continue
			}
			if old, there := fresh[key]; !there || value < old {
				fresh[key] = value // of two at once the first in order, so that the answer is the same each time
			}
		}
		for key, value := range fresh {
			into[key] = value
		}
	}
	return nil
}

// by are the labels that costs are asked for by, beside those that all need.
func (l *lookup) by() []string {
	switch {
	case l.Name == "region":
		return []string{"cluster", "node", promxyRegion}
	case l.Name == "tenant":
		return []string{"cluster", "tenant"}
	case l.Name == "workload":
		return []string{"cluster", "namespace", "pod", "workload_kind", "workload"}
	case l.label != "" && l.byPod:
		return []string{"cluster", "namespace", "pod"}
	case l.label != "":
		return []string{"cluster", "namespace"}
	}
	return l.Columns
}

// row returns the keys of the row that a series belongs to, by its labels.
func (l *lookup) row(labels map[string]string) []string {
	cluster, namespace, pod := labels["cluster"], labels["namespace"], labels["pod"]
	switch {
	case l.Name == "cluster":
		return []string{cluster}
	case l.Name == "region" && labels[promxyRegion] != "":
		return []string{labels[promxyRegion]}
	case l.Name == "region":
		if r, ok := l.regions[cluster+"\x00"+labels["node"]]; ok {
			return []string{r}
		}
		if r, ok := l.ofCluster[cluster]; ok {
			return []string{r}
		}
		return []string{Unknown}
	case l.Name == "tenant":
		return []string{cmp.Or(labels["tenant"], NoTenant)}
	case l.label != "":
		for _, key := range []string{cluster + "\x00" + namespace + "\x00" + pod, cluster + "\x00" + namespace} {
			if value, ok := l.labels[key]; ok {
				return []string{value}
			}
		}
		return []string{Unlabelled}
	}
	if namespace == "" {
		namespace = Unmounted
	}
	switch l.Name {
	case "namespace":
		return []string{cluster, namespace}
	case "pod":
		if pod == "" {
			pod = labels["service_name"]
		}
		return []string{cluster, namespace, pod}
	}
	return l.workloadRow(cluster, namespace, pod, labels)
}

func (l *lookup) workloadRow(cluster, namespace, pod string, labels map[string]string) []string {
	kind, name := labels["workload_kind"], labels["workload"]
	switch known := l.workloads[cluster+"\x00"+namespace+"\x00"+pod]; {
	case kind != "":
		l.workloads[cluster+"\x00"+namespace+"\x00"+pod] = kind + "\x00" + name
	case known != "":
		kind, name, _ = strings.Cut(known, "\x00")
	case labels["service_name"] != "":
		kind, name = "service", labels["service_name"]
	default:
		kind, name = "pod", pod // as unmounted volumes: pod="unmounted-pvs"
	}
	return []string{cluster, namespace, kind, name}
}
