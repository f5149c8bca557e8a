// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
)

type corev1Pod = corev1.Pod

const containerRestartAlways = corev1.ContainerRestartPolicyAlways

var metadataID = component.NewID(metadata.Type)

type noHost struct{}

func (noHost) GetExtensions() map[component.ID]component.Component { return nil }

func phase(p corev1.PodPhase) podOption { return func(pod *corev1.Pod) { pod.Status.Phase = p } }

func statuses(s ...corev1.ContainerStatus) podOption {
	return func(p *corev1.Pod) { p.Status.ContainerStatuses = s }
}

func initContainer(name, cpu string, policy *corev1.ContainerRestartPolicy, status corev1.ContainerStatus) podOption {
	return func(p *corev1.Pod) {
		c := container(name, cpu, "")
		c.RestartPolicy = policy
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
		p.Status.InitContainerStatuses = append(p.Status.InitContainerStatuses, status)
	}
}

// waits is a container between two runs.
func waits(name string, start, end time.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: name, RestartCount: 1,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			StartedAt: metav1.NewTime(start), FinishedAt: metav1.NewTime(end), ExitCode: 1,
		}},
	}
}

func quantity(s string) *resource.Quantity {
	q := resource.MustParse(s)
	return &q
}

func quantityList(pairs ...string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		out[corev1.ResourceName(pairs[i])] = *quantity(pairs[i+1])
	}
	return out
}

// writeKubeconfig writes a kubeconfig without credentials.
func writeKubeconfig(t testing.TB, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(path, []byte(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "`+server+`"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
current-context: x
`), 0o600))
	return path
}
