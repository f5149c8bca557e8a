// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k0rdent/kof/test/kubeapi"
)

func TestSelectionByAnnotationsAndLabels(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	api := kubeapi.StartT(t)
	client := kubernetes.NewForConfigOrDie(api.Config)
	n := newNode(t)
	n.cfg.Kubernetes = KubernetesConfig{Kubeconfig: api.Kubeconfig, Node: "node-1"}
	n.cfg.Include = []SelectorConfig{{PodAnnotations: map[string]string{"logs": "t*"}}, {NamespaceLabels: map[string]string{"team": "a"}}}
	n.cfg.Exclude = []SelectorConfig{{PodAnnotations: map[string]string{"secret": "*"}}}
	n.cfg.Workloads = []WorkloadConfig{{Match: SelectorConfig{PodAnnotations: map[string]string{"format": "json"}}, ParseJSON: true}}

	for name, labels := range map[string]map[string]string{"ns-a": {"team": "a"}, "ns-b": nil} {
		_, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = client.CoreV1().ServiceAccounts(name).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	pod := func(namespace, name string, annotations map[string]string) {
		created, err := client.CoreV1().Pods(namespace).Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations},
			Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "app", Image: "app"}}},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		dir := filepath.Join(n.root, fmt.Sprintf("%s_%s_%s", namespace, name, created.UID), "app")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		appendTo(t, filepath.Join(dir, "0.log"), cri(`{"msg":"`+name+`"}`))
	}
	pod("ns-a", "by-label", nil)
	pod("ns-a", "secret", map[string]string{"secret": "yes"})
	pod("ns-b", "by-annotation", map[string]string{"logs": "true", "format": "json"})
	pod("ns-b", "not-selected", map[string]string{"logs": "false"})
	n.start()
	n.sink.awaitBodies(t, `{"msg":"by-label"}`, "by-annotation")
	// One that comes later.
	pod("ns-b", "later", map[string]string{"logs": "t"})
	n.sink.awaitBodies(t, `{"msg":"by-label"}`, "by-annotation", `{"msg":"later"}`)
}

// answers is what a test has the API say.
type answers struct {
	annotations, labels map[string]string
	known               bool
}

func (a answers) lookup(podID) (annotations, namespaceLabels map[string]string, known bool) {
	return a.annotations, a.labels, a.known
}

func TestDecide(t *testing.T) {
	id := containerID{podID{"shop", "cart-0", "uid"}, "app"}
	yes := map[string]string{"logs": "yes"}
	annotated := []SelectorConfig{{PodAnnotations: yes}}
	for name, tt := range map[string]struct {
		include, exclude []SelectorConfig
		workloads        []WorkloadConfig
		api              answers
		want, final      verdict
		rule             bool
	}{
		"all":                          {want: included, final: included},
		"by annotation":                {include: annotated, api: answers{annotations: yes, known: true}, want: included, final: included},
		"not by annotation":            {include: annotated, api: answers{known: true}, want: excluded, final: excluded},
		"unknown include":              {include: annotated, want: undecided, final: excluded},
		"unknown exclude":              {exclude: annotated, want: undecided, final: included},
		"excluded by name first":       {exclude: []SelectorConfig{{Pod: "cart-?"}, annotated[0]}, want: excluded, final: excluded},
		"other pod's unknown include":  {include: []SelectorConfig{{Pod: "x", PodAnnotations: yes}}, want: excluded, final: excluded},
		"rule":                         {workloads: []WorkloadConfig{{Match: SelectorConfig{Container: "app"}}}, want: included, final: included, rule: true},
		"unknown rule":                 {workloads: []WorkloadConfig{{Match: annotated[0]}}, want: undecided, final: included},
		"unknown rule before a known":  {workloads: []WorkloadConfig{{Match: annotated[0]}, {}}, want: undecided, final: included, rule: true},
		"known rule before an unknown": {workloads: []WorkloadConfig{{}, {Match: annotated[0]}}, want: included, final: included, rule: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSelection(&Config{Include: tt.include, Exclude: tt.exclude, Workloads: tt.workloads}, tt.api)
			got, _ := s.decide(id, false)
			require.Equal(t, tt.want, got)
			got, rule := s.decide(id, true)
			require.Equal(t, tt.final, got)
			require.Equal(t, tt.rule, rule != nil)
		})
	}
}
