// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"strings"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/kubelet"
)

// workload names what a pod belongs to; kind is in lower case as in the attribute k8s.<kind>.name.
type workload struct{ kind, name string }

// cronDigits is the least number of digits that the CronJob controller puts behind a Job's name: minutes since 1970.
const cronDigits = 8

// workloadOf follows the pod's controller to the object that people deploy, by the names that Kubernetes' controllers
// give: a ReplicaSet of a Deployment ends with the pod template's hash, a Job of a CronJob with its scheduled minute.
// A pod without a controller, or a static one, is its own workload.
func workloadOf(p *kubelet.Pod) workload {
	switch p.OwnerKind {
	case "ReplicaSet":
		if name, ok := strings.CutSuffix(p.OwnerName, "-"+p.TemplateHash); ok && p.TemplateHash != "" {
			return workload{"deployment", name}
		}
		return workload{"replicaset", p.OwnerName}
	case "Job":
		if i := strings.LastIndexByte(p.OwnerName, '-'); i > 0 && len(p.OwnerName)-i > cronDigits && digits(p.OwnerName[i+1:]) {
			return workload{"cronjob", p.OwnerName[:i]}
		}
		return workload{"job", p.OwnerName}
	case "", "Node":
		return workload{"pod", p.Name}
	}
	return workload{strings.ToLower(p.OwnerKind), p.OwnerName}
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
