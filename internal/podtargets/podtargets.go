// SPDX-License-Identifier: Apache-2.0

package podtargets

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/kubernetes"
	"github.com/prometheus/prometheus/discovery/targetgroup"
)

// Labels of kubernetes_sd_configs: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod
const (
	labelPodIP            = "__meta_kubernetes_pod_ip"
	labelContainer        = "__meta_kubernetes_pod_container_name"
	labelPort             = "__meta_kubernetes_pod_container_port_number"
	labelPortName         = "__meta_kubernetes_pod_container_port_name"
	labelPortProtocol     = "__meta_kubernetes_pod_container_port_protocol"
	labelInit             = "__meta_kubernetes_pod_container_init"
	annotationPort        = "__meta_kubernetes_pod_annotation_prometheus_io_port"
	annotationDefault     = "__meta_kubernetes_pod_annotation_kubectl_kubernetes_io_default_container"
	maxPort               = 1<<16 - 1
	protocolOtherThanHTTP = "UDP"
)

func init() { discovery.RegisterConfig(&SDConfig{}) }

// SDConfig has the fields and the defaults of kubernetes_sd_configs. The role has to be pod.
type SDConfig kubernetes.SDConfig

var _ discovery.Config = (*SDConfig)(nil)

// Name implements discovery.Config.
func (*SDConfig) Name() string { return "kof_pod" }

// SetDirectory makes paths relative to that of the configuration.
func (c *SDConfig) SetDirectory(dir string) { (*kubernetes.SDConfig)(c).SetDirectory(dir) }

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *SDConfig) UnmarshalYAML(unmarshal func(any) error) error {
	if err := (*kubernetes.SDConfig)(c).UnmarshalYAML(unmarshal); err != nil {
		return err
	}
	if c.Role != kubernetes.RolePod {
		return fmt.Errorf("kof_pod_sd_configs: role: found %q; allowed: %q", c.Role, kubernetes.RolePod)
	}
	return nil
}

// NewDiscovererMetrics implements discovery.Config. The prefix keeps them apart from those of kubernetes_sd_configs, which are there too.
func (c *SDConfig) NewDiscovererMetrics(reg prometheus.Registerer, rmi discovery.RefreshMetricsInstantiator) discovery.DiscovererMetrics {
	return (*kubernetes.SDConfig)(c).NewDiscovererMetrics(prometheus.WrapRegistererWithPrefix("kof_", reg), rmi)
}

// NewDiscoverer implements discovery.Config.
func (c *SDConfig) NewDiscoverer(options discovery.DiscovererOptions) (discovery.Discoverer, error) {
	pods, err := (*kubernetes.SDConfig)(c).NewDiscoverer(options)
	if err != nil {
		return nil, err
	}
	return &discoverer{pods}, nil
}

// discoverer passes on what another one finds, with one target per annotated port.
type discoverer struct{ pods discovery.Discoverer }

// Run implements discovery.Discoverer.
func (d *discoverer) Run(ctx context.Context, up chan<- []*targetgroup.Group) {
	found := make(chan []*targetgroup.Group)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.pods.Run(ctx, found)
	}()
	defer func() { <-done }() // it ends with ctx, and until then waits for ctx wherever it sends
	for {
		select {
		case <-ctx.Done():
			return
		case groups := <-found:
			for i, g := range groups {
				groups[i] = onePerPort(g)
			}
			select {
			case <-ctx.Done():
				return
			case up <- groups:
			}
		}
	}
}

// onePerPort returns a pod's group with the one target that its annotation names, or as it is where that names none.
func onePerPort(g *targetgroup.Group) *targetgroup.Group {
	if g == nil || len(g.Targets) == 0 {
		return g // a pod that is gone
	}
	port := string(g.Labels[annotationPort])
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > maxPort {
		return g
	}
	target := declaring(g.Targets, port)
	if target == nil {
		target = inDefault(g, port)
	}
	return &targetgroup.Group{Source: g.Source, Labels: g.Labels, Targets: []model.LabelSet{target}}
}

// declaring returns the target of the container that declares a port, and says that it is no init container, as that is done with its work
// where it isn't a sidecar. Nil: none does.
func declaring(targets []model.LabelSet, port string) model.LabelSet {
	i := slices.IndexFunc(targets, func(t model.LabelSet) bool {
		return string(t[labelPort]) == port && t[labelPortProtocol] != protocolOtherThanHTTP
	})
	if i < 0 {
		return nil
	}
	target := targets[i].Clone()
	target[labelInit] = "false"
	return target
}

// inDefault returns a target of the pod's default container at a port that no container declares.
func inDefault(g *targetgroup.Group, port string) model.LabelSet {
	i := slices.IndexFunc(g.Targets, func(t model.LabelSet) bool { return t[labelContainer] == g.Labels[annotationDefault] })
	// The first is of the first container: those that aren't init containers come first.
	target := g.Targets[max(i, 0)].Clone()
	target[model.AddressLabel] = model.LabelValue(net.JoinHostPort(string(g.Labels[labelPodIP]), port))
	target[labelPort] = model.LabelValue(port)
	delete(target, labelPortName)
	delete(target, labelPortProtocol)
	return target
}
