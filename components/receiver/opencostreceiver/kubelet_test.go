// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// fakeKubelet serves /pods and /metrics/resource in the kubelet's shapes over TLS, to whoever has the token.
type fakeKubelet struct {
	*httptest.Server
	mu      sync.Mutex
	pods    []byte
	usage   []byte
	token   string
	status  int           // answered instead, if it isn't 0
	delay   time.Duration // before every answer
	noUsage bool
	hits    int
}

func startKubelet(t testing.TB) *fakeKubelet {
	t.Helper()
	k := &fakeKubelet{token: "token-1"}
	k.Server = httptest.NewTLSServer(http.HandlerFunc(k.serve))
	t.Cleanup(k.Close)
	return k
}

func (k *fakeKubelet) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	delay := k.delay
	k.mu.Unlock()
	time.Sleep(delay)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hits++
	switch {
	case r.Header.Get("Authorization") != "Bearer "+k.token:
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	case k.status != 0:
		http.Error(w, "no", k.status)
	case r.URL.Path == "/pods":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(k.pods)
	case r.URL.Path == "/metrics/resource" && !k.noUsage:
		_, _ = w.Write(k.usage)
	default:
		http.NotFound(w, r)
	}
}

func (k *fakeKubelet) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

// show sets the pods, and what the containers of usage have used.
func (k *fakeKubelet) show(t testing.TB, pods []corev1.Pod, usage ...use) {
	t.Helper()
	body, err := json.Marshal(corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: pods})
	require.NoError(t, err)
	text := usageText(usage)
	k.set(func() { k.pods, k.usage = body, text })
}

// use is one container's usage.
type use struct {
	namespace, pod, container string
	cpuSeconds, memory        float64
	at                        time.Time
}

func usageText(usage []use) []byte {
	var b strings.Builder
	b.WriteString("# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds\n# TYPE container_cpu_usage_seconds_total counter\n")
	for _, u := range usage {
		fmt.Fprintf(&b, "container_cpu_usage_seconds_total{container=%q,namespace=%q,pod=%q} %v %d\n", u.container, u.namespace, u.pod, u.cpuSeconds, u.at.UnixMilli())
	}
	b.WriteString("# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes\n# TYPE container_memory_working_set_bytes gauge\n")
	for _, u := range usage {
		fmt.Fprintf(&b, "container_memory_working_set_bytes{container=%q,namespace=%q,pod=%q} %v %d\n", u.container, u.namespace, u.pod, u.memory, u.at.UnixMilli())
	}
	b.WriteString("# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds\n# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total 12.5 1700000000000\n# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise\n# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n")
	return []byte(b.String())
}

// config is a configuration for the kubelet.
func (k *fakeKubelet) config(t testing.TB) *Config { return kubeletConfig(t, k.URL, pemOf(k.Server)) }

func kubeletConfig(t testing.TB, url string, caPEM []byte) *Config {
	t.Helper()
	dir := t.TempDir()
	token, ca := filepath.Join(dir, "token"), filepath.Join(dir, "ca.crt")
	require.NoError(t, os.WriteFile(token, []byte("token-1"), 0o600))
	require.NoError(t, os.WriteFile(ca, caPEM, 0o600))
	c := createDefaultConfig().(*Config)
	c.Node, c.Cluster = "node-1", "c1"
	c.Kubelet.Endpoint, c.Kubelet.CAFile, c.Kubelet.TokenFile = url, ca, token
	return c
}

type podOption func(*corev1.Pod)

// pod is a running pod of the node with one container "main" that requests cores and memory since start.
func pod(namespace, name string, start time.Time, cpu, memory string, options ...podOption) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-" + namespace + "-" + name)},
		Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{container("main", cpu, memory)}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{runs("main", start)}},
	}
	for _, o := range options {
		o(&p)
	}
	return p
}

func container(name, cpu, memory string) corev1.Container {
	c := corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{}}}
	if cpu != "" {
		c.Resources.Requests[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	if memory != "" {
		c.Resources.Requests[corev1.ResourceMemory] = resource.MustParse(memory)
	}
	return c
}

func runs(name string, start time.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(start)}}}
}

func ended(name string, start, end time.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		StartedAt: metav1.NewTime(start), FinishedAt: metav1.NewTime(end), Reason: "Completed",
	}}}
}

func ownedBy(kind, name, hash string) podOption {
	controller := true
	return func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name, Controller: &controller}}
		if hash != "" {
			p.Labels = map[string]string{"pod-template-hash": hash}
		}
	}
}

func claiming(claims ...string) podOption {
	return func(p *corev1.Pod) {
		for _, c := range claims {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: c, VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: c},
			}})
		}
	}
}
