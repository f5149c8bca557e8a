// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Node is what the price of a node depends on.
type Node struct {
	Name        string
	UID         string
	ProviderID  string
	Labels      map[string]string
	Annotations map[string]string
	Cores       float64            // status.capacity.cpu
	MemoryBytes float64            // status.capacity.memory
	Extended    map[string]float64 // the rest of status.capacity, by resource name
}

// InstanceType, Region and Arch read the labels in OpenCost's order: the beta instance type wins over the stable one,
// the stable region and architecture win over the beta ones.
func (n *Node) InstanceType() string {
	return first(n.Labels, "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type")
}

// Region returns the cloud region of the node, "" if no label tells it.
func (n *Node) Region() string {
	return first(n.Labels, "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
}

// Zone returns the availability zone of the node, "" if no label tells it.
func (n *Node) Zone() string {
	return first(n.Labels, "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
}

// Arch returns the CPU architecture of the node, "" if no label tells it.
func (n *Node) Arch() string {
	return first(n.Labels, "kubernetes.io/arch", "beta.kubernetes.io/arch")
}

func first(labels map[string]string, keys ...string) string {
	for _, k := range keys {
		if v, ok := labels[k]; ok {
			return v
		}
	}
	return ""
}

// spotLabels are the labels by which provisioners and clouds mark nodes that can be taken away.
var spotLabels = map[string]string{
	"karpenter.sh/capacity-type":            "spot",
	"eks.amazonaws.com/capacitytype":        "spot",
	"cloud.google.com/gke-spot":             "true",
	"cloud.google.com/gke-preemptible":      "true",
	"kubernetes.azure.com/scalesetpriority": "spot",
	"node.kubernetes.io/lifecycle":          "spot",
}

// Spot tells whether a well-known label, or the given one if it isn't empty, marks the node as spot or preemptible.
func (n *Node) Spot(label, value string) bool {
	if label != "" && has(n.Labels, label) && n.Labels[label] == value {
		return true
	}
	for k, v := range n.Labels {
		if want, ok := spotLabels[strings.ToLower(k)]; ok && strings.EqualFold(v, want) {
			return true
		}
	}
	return false
}

const (
	resourceGPU       = "nvidia.com/gpu"
	resourceSharedGPU = "nvidia.com/gpu.shared"
	resourceVGPU      = "k8s.amazonaws.com/vgpu"
	labelReplicas     = "nvidia.com/gpu.replicas"
	labelGPUCount     = "nvidia.com/gpu.count"
)

// GPUs says how many GPUs a node has and as how many schedulable units they are offered.
type GPUs struct {
	Physical    float64
	Schedulable float64
}

// PerUnit is the part of a GPU that one schedulable unit is.
func (g GPUs) PerUnit() float64 {
	if g.Schedulable <= 0 {
		return 1
	}
	return g.Physical / g.Schedulable
}

// CountGPUs counts by OpenCost's rules: whole NVIDIA GPUs; time-sliced ones, which the label nvidia.com/gpu.replicas
// tells; AWS virtual GPUs, vgpusPerGPU of which make one GPU (0 means the device plugin's default of 10).
// MIG slices, AMD and Intel devices aren't counted: they are extended resources with prices of their own.
func CountGPUs(n *Node, vgpusPerGPU float64) GPUs {
	whole := n.Extended[resourceGPU]
	if has(n.Labels, labelReplicas) {
		count, err := strconv.ParseFloat(n.Labels[labelGPUCount], 64)
		if err != nil || math.IsNaN(count) || math.IsInf(count, 0) || count < 0 {
			count = 0
		}
		if shared, ok := n.Extended[resourceSharedGPU]; ok {
			return GPUs{count, shared}
		}
		if _, ok := n.Extended[resourceGPU]; ok {
			return GPUs{count, whole}
		}
		return GPUs{count, count}
	}
	if whole > 0 {
		return GPUs{whole, whole}
	}
	if v := n.Extended[resourceVGPU]; v > 0 {
		if vgpusPerGPU <= 0 {
			vgpusPerGPU = 10
		}
		return GPUs{v / vgpusPerGPU, v}
	}
	return GPUs{}
}

// IsGPU tells whether the resource is already counted by [CountGPUs].
func IsGPU(resource string) bool {
	return resource == resourceGPU || resource == resourceSharedGPU || resource == resourceVGPU
}

// migSlice matches NVIDIA's MIG profiles, such as nvidia.com/mig-1g.5gb and nvidia.com/mig-1c.3g.20gb.
var migSlice = regexp.MustCompile(`^nvidia\.com/mig-(?:[0-9]+c\.)?([0-9]+)g\.`)

// migSlices is how many compute slices a GPU that supports MIG has.
const migSlices = 7

// MIGShare returns the part of a GPU that a MIG resource is (its compute slices of seven), 0 for any other resource.
func MIGShare(resource string) float64 {
	m := migSlice.FindStringSubmatch(resource)
	if m == nil {
		return 0
	}
	g, err := strconv.Atoi(m[1])
	if err != nil || g > migSlices {
		return 0
	}
	return float64(g) / migSlices
}

// Amounts looks up how much of a resource a container requests or is limited to; 0 where nothing is said.
type Amounts interface{ Get(resource string) float64 }

// GPURequest returns how many schedulable GPU units a container asks for, by OpenCost's rule: requests before limits,
// NVIDIA's GPUs before AWS's virtual ones. The units of time-sliced GPUs come under either of NVIDIA's two names.
// Multiply by [GPUs.PerUnit] to get GPUs; OpenCost doesn't, since its guard of that line never holds.
func GPURequest(requests, limits Amounts) float64 {
	for _, resource := range []string{resourceGPU, resourceSharedGPU, resourceVGPU} {
		for _, a := range []Amounts{requests, limits} {
			if v := a.Get(resource); v > 0 {
				return v
			}
		}
	}
	return 0
}
