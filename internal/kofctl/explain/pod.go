// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/output"
	"github.com/k0rdent/kof/internal/operator/kcm"
	operator "github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/region"
)

// Labels that agents take attributes from, as the configuration of the chart kof-collectors has it.
const (
	labelRegion = "k0rdent.mirantis.com/kof-region"     // of a namespace
	labelPlace  = "topology.kubernetes.io/region"       // of a node
	fromHome    = "home region of the cluster's agents" // in place of an attribute
)

// PodReport is what the command found of a pod.
type PodReport struct {
	Cluster   string `json:"cluster"` // namespace/name of the ClusterDeployment
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Node      string `json:"node"`

	Region string `json:"region"` // of the pod's telemetry
	// By is what decided: kof.region, kof.tenant, cloud.region, or the home region.
	By    string `json:"by"`
	Known bool   `json:"known"` // whether the agents' directory has the region; otherwise telemetry is held

	// Attributes that decide, in their order.
	Attributes []Attribute `json:"attributes"`
	Endpoints  []Endpoint  `json:"endpoints"`
}

// Attribute is one that telemetry of the pod has.
type Attribute struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"` // "": not set
	From      string `json:"from"`
	Decides   bool   `json:"decides"`
}

func explainPod(ctx context.Context, env *command.Env, o options, name string) error {
	namespace, pod, qualified := strings.Cut(name, "/")
	switch {
	case !qualified || namespace == "" || pod == "":
		return command.Usage(fmt.Errorf("found the pod %q; allowed: NAMESPACE/NAME", name))
	case o.cluster == "" || o.clusterKubeconfig == "":
		return command.Usage(errors.New("a pod needs --cluster, the cluster that it runs on, and --cluster-kubeconfig, which leads there"))
	case o.with != "":
		return command.Usage(errors.New("--with: found with a pod; allowed: with a cluster"))
	}
	management, closeIdle, err := env.Client()
	if err != nil {
		return err
	}
	defer closeIdle()
	w, err := load(ctx, management, env, o.system, o.cluster)
	if err != nil {
		return err
	}
	there := &command.Env{Kubeconfig: o.clusterKubeconfig}
	child, closeChild, err := there.Client()
	if err != nil {
		return fmt.Errorf("--cluster-kubeconfig: %w", err)
	}
	defer closeChild()
	r, err := w.pod(ctx, child, o.agents, types.NamespacedName{Namespace: namespace, Name: pod})
	if err != nil {
		return err
	}
	if err := env.Print(r); err != nil {
		return err
	}
	if !r.Known {
		return command.ErrFound
	}
	return nil
}

// pod decides as the region exporter does, by what the agents' processors take from the cluster's objects.
func (w *world) pod(ctx context.Context, child client.Reader, agents string, key types.NamespacedName) (*PodReport, error) {
	home := w.assignment.Spec.Region
	if home == "" {
		return nil, fmt.Errorf("cluster %s/%s has no region yet; `kofctl explain %s/%s` says why", w.cd.Namespace, w.cd.Name, w.cd.Namespace, w.cd.Name)
	}
	var pod corev1.Pod
	if err := child.Get(ctx, key, &pod); err != nil {
		return nil, fmt.Errorf("pod: %w", err)
	}
	var namespace corev1.Namespace
	if err := child.Get(ctx, types.NamespacedName{Name: key.Namespace}, &namespace); err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	var node corev1.Node
	if pod.Spec.NodeName != "" {
		if err := child.Get(ctx, types.NamespacedName{Name: pod.Spec.NodeName}, &node); err != nil {
			return nil, fmt.Errorf("node: %w", err)
		}
	}
	var directory corev1.ConfigMap
	if err := child.Get(ctx, types.NamespacedName{Namespace: agents, Name: operator.DirectoryName}, &directory); err != nil {
		return nil, fmt.Errorf("region directory of the agents: %w", err)
	}
	d, err := region.Parse([]byte(directory.Data[operator.DirectoryKey]))
	if err != nil {
		return nil, fmt.Errorf("region directory of the agents, ConfigMap %s/%s, is refused:\n%w", agents, operator.DirectoryName, err)
	}
	from := func(first, of, then, otherwise string) (value, source string) {
		if first != "" {
			return first, of
		}
		if then != "" {
			return then, otherwise
		}
		return "", of
	}
	tenant, tenantFrom := from(namespace.Labels[kcm.LabelTenant], "namespace label "+kcm.LabelTenant, w.cd.Labels[kcm.LabelTenant], "label of the ClusterDeployment")
	cloud, cloudFrom := from(node.Labels[labelPlace], "node label "+labelPlace, home, fromHome)
	r := &PodReport{
		Cluster: w.cd.Namespace + "/" + w.cd.Name, Namespace: key.Namespace, Pod: key.Name, Node: pod.Spec.NodeName, Endpoints: []Endpoint{},
		Attributes: []Attribute{
			{Attribute: region.AttributeRegion, Value: namespace.Labels[labelRegion], From: "namespace label " + labelRegion},
			{Attribute: region.AttributeTenant, Value: tenant, From: tenantFrom},
			{Attribute: region.AttributeCloud, Value: cloud, From: cloudFrom},
			{Value: home, From: fromHome},
		},
	}
	r.Region, r.By = d.Decide(home, r.Attributes[0].Value, tenant, cloud)
	for i := range r.Attributes {
		r.Attributes[i].Decides = r.Attributes[i].Attribute == r.By
	}
	r.By = cmp.Or(r.By, fromHome)
	found, known := d.Regions[r.Region]
	r.Known = known
	if known {
		r.Endpoints = append(r.Endpoints, endpointOf(found, "home"))
		for _, name := range found.Failover {
			r.Endpoints = append(r.Endpoints, endpointOf(d.Regions[name], "failover"))
		}
	}
	return r, nil
}

func endpointOf(r *region.Region, use string) Endpoint {
	return Endpoint{Region: r.Name, Use: use, Zone: r.Zone, Metrics: r.Metrics.URL, Logs: r.Logs.URL, Traces: r.Traces.URL}
}

// Tables shows the explanation of a pod.
func (r *PodReport) Tables() []output.Table {
	head := output.Table{
		Title: fmt.Sprintf("Pod %s/%s of cluster %s, on node %s", r.Namespace, r.Pod, r.Cluster, cmp.Or(r.Node, "none")),
		Rows:  [][]string{{"Region:", r.Region}, {"Decided by:", r.By}},
	}
	if !r.Known {
		head.Notes = []string{"The agents' directory has no such region: telemetry is held on the node until it does."}
	}
	attributes := output.Table{Title: "Attributes, the first that leads to a region decides:", Columns: []string{"attribute", "value", "from", ""}}
	for _, a := range r.Attributes {
		decides := " "
		if a.Decides {
			decides = "decides"
		}
		attributes.Rows = append(attributes.Rows, []string{a.Attribute, a.Value, a.From, decides})
	}
	return append([]output.Table{head, attributes}, View{Endpoints: r.Endpoints}.endpointTable())
}
