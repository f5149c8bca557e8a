// SPDX-License-Identifier: Apache-2.0

package opencostdiff

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// usage is what the containers of a pod use all the time.
type usage struct{ cores, bytes float64 }

// scenario is a cluster that doesn't change.
type scenario struct {
	name  string
	csv   string // price list, "" for none
	nodes []corev1.Node
	pods  []corev1.Pod
	usage map[string]usage // by namespace/pod/container
}

const (
	mi = 1 << 20
	gi = 1 << 30
)

func scenarios() []scenario {
	base := scenario{
		nodes: []corev1.Node{
			node("small", "m5.xlarge", "4", "16Gi", ""), node("big", "m5.4xlarge", "16", "65536Mi", ""),
			node("fraction", "custom", "3920m", "15842368Ki", ""), node("gpu", "p3.2xlarge", "8", "32Gi", "2"),
		},
		usage: map[string]usage{},
	}
	base.add("shop", "web-1", "small", "500m", "1Gi", "", usage{0.2, 700 * mi})
	base.add("shop", "web-2", "big", "500m", "1Gi", "", usage{1.5, 3 * gi}) // uses more than it requests
	base.add("data", "db-0", "big", "4", "16Gi", "", usage{2.5, 20 * gi})
	base.add("data", "cache-0", "fraction", "", "", "", usage{0.25, 2 * gi}) // requests nothing
	base.add("ml", "train-0", "gpu", "6", "24Gi", "1", usage{5, 10 * gi})
	base.add("kube-system", "agent-s", "small", "100m", "64Mi", "", usage{0.02, 40 * mi})
	base.add("kube-system", "agent-f", "fraction", "100m", "64Mi", "", usage{0.3, 200 * mi})
	base.add("batch", "done-0", "big", "2", "2Gi", "", usage{})
	base.pods[len(base.pods)-1].Status.Phase = corev1.PodSucceeded
	start := metav1.NewTime(time.Now().Add(-3 * time.Hour))
	base.pods[len(base.pods)-1].Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		StartedAt: start, FinishedAt: metav1.NewTime(start.Add(time.Minute)),
	}}
	base.add("batch", "pending-0", "big", "2", "2Gi", "", usage{})
	base.pods[len(base.pods)-1].Status = corev1.PodStatus{Phase: corev1.PodPending}

	custom, list := base, base
	custom.name, list.name = "default prices", "price list"
	list.csv = "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version\n" +
		",big,,node,metadata.name,,0.768,\n,other,eu-1,node,metadata.name,m5.xlarge,0.192,\n,other2,eu-1,node,metadata.name,m5.xlarge,0.3,\n" +
		",gpu,,node,metadata.name,,3.06,\n"
	return []scenario{custom, list}
}

func node(name, instanceType, cpu, memory, gpus string) corev1.Node {
	n := corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{
			"node.kubernetes.io/instance-type": instanceType, "topology.kubernetes.io/region": "eu-1", "kubernetes.io/arch": "amd64",
			"kubernetes.io/hostname": name,
		}},
		Spec: corev1.NodeSpec{ProviderID: "onprem://" + name},
		Status: corev1.NodeStatus{Capacity: corev1.ResourceList{
			"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory), "pods": resource.MustParse("110"),
		}},
	}
	if gpus != "" {
		n.Status.Capacity["nvidia.com/gpu"] = resource.MustParse(gpus)
	}
	n.Status.Allocatable = n.Status.Capacity
	return n
}

func (s *scenario) add(namespace, name, node, cpu, memory, gpu string, u usage) {
	requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
	if cpu != "" {
		requests["cpu"], requests["memory"] = resource.MustParse(cpu), resource.MustParse(memory)
	}
	if gpu != "" {
		requests["nvidia.com/gpu"], limits["nvidia.com/gpu"] = resource.MustParse(gpu), resource.MustParse(gpu)
	}
	start := metav1.NewTime(time.Now().Add(-3 * time.Hour))
	s.pods = append(s.pods, corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-" + name)},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{
			Name: "main", Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits},
		}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &start, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "main", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: start}},
		}}},
	})
	if u != (usage{}) {
		s.usage[namespace+"/"+name+"/main"] = u
	}
}

// result is what one program says about a scenario.
type result struct {
	// Nodes holds node_*_hourly_cost and node_gpu_count by "metric node".
	Nodes map[string]float64 `json:"nodes"`
	// Allocations holds container_*_allocation by "metric namespace/pod/container".
	Allocations map[string]float64 `json:"allocations"`
	// Namespaces holds the cost of an hour by "namespace resource".
	Namespaces map[string]float64 `json:"namespaces"`
}

func newResult() result {
	return result{Nodes: map[string]float64{}, Allocations: map[string]float64{}, Namespaces: map[string]float64{}}
}

// Metrics that are compared.
var (
	nodeMetrics = []string{
		"node_cpu_hourly_cost", "node_ram_hourly_cost", "node_gpu_hourly_cost", "node_gpu_count", "node_total_hourly_cost", "kubecost_node_is_spot",
	}
	allocationMetrics = []string{"container_cpu_allocation", "container_memory_allocation_bytes", "container_gpu_allocation"}
)
