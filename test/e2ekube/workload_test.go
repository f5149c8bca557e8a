// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// podTimeout bounds what Kubernetes does with a pod, workTimeout what a workload does.
	podTimeout, workTimeout = time.Minute, 2 * time.Minute
	poll                    = 200 * time.Millisecond
	// container is the name of a workload's container.
	container = "app"
)

// state is that of test/e2ekube/workload.
type state struct {
	Run                  string
	Lines, Spans, Points int64
	Errors               int64
}

// app is a workload that runs as a Deployment of one pod.
type app struct {
	w               *world
	namespace, name string
}

// start starts a workload and waits until it runs.
func (w *world) start(t *testing.T, ns, name string, args ...string) *app {
	t.Helper()
	return w.startPod(t, ns, name, func(*corev1.PodSpec) {}, args...)
}

// startPod does the same with a pod that was changed.
func (w *world) startPod(t *testing.T, ns, name string, change func(*corev1.PodSpec), args ...string) *app {
	t.Helper()
	labels := map[string]string{"app": name}
	grace := int64(20)
	replicas := int32(1)
	pod := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{
			"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
		}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{
				Name: container, Image: workloadImage + ":" + imageTag, ImagePullPolicy: corev1.PullNever,
				Args: append([]string{"-otlp=$(HOST_IP):4317"}, args...),
				Env: []corev1.EnvVar{{Name: "HOST_IP", ValueFrom: &corev1.EnvVarSource{
					FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.hostIP"},
				}}},
				Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
			}},
		},
	}
	change(&pod.Spec)
	_, err := w.cluster.Client.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: pod},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	a := &app{w, ns, name}
	a.waitState(t, func(state) bool { return true })
	return a
}

// pod returns the one pod that isn't about to end.
func (a *app) pod(t *testing.T) (*corev1.Pod, bool) {
	t.Helper()
	list, err := a.w.cluster.Client.CoreV1().Pods(a.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + a.name})
	require.NoError(t, err)
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			return &p, true
		}
	}
	return nil, false
}

// get asks the workload's process.
func (a *app) get(t *testing.T, path string, into any) bool {
	t.Helper()
	pod, ok := a.pod(t)
	if !ok || pod.Status.PodIP == "" {
		return false
	}
	transport := &http.Transport{DialContext: a.w.cluster.Dial, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	response, err := client.Get("http://" + pod.Status.PodIP + ":8080" + path)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return into == nil || json.NewDecoder(response.Body).Decode(into) == nil
}

// waitState waits until the workload has come so far, and returns how far.
func (a *app) waitState(t *testing.T, far func(state) bool) state {
	t.Helper()
	var s state
	ok := eventually(t, workTimeout, func() bool {
		s = state{}
		return a.get(t, "/state", &s) && far(s)
	})
	if !ok {
		t.Log(a.w.state())
	}
	require.True(t, ok, "workload %s/%s is at %+v", a.namespace, a.name, s)
	return s
}

// done waits until the workload has written and sent all that it was told to.
func (a *app) done(t *testing.T, lines, spans, points int64) state {
	t.Helper()
	return a.waitState(t, func(s state) bool { return s.Lines >= lines && s.Spans >= spans && s.Points >= points })
}

// withProxy puts a container before the workload's, with a port of its own: not the one that the pod's annotation names.
func withProxy(pod *corev1.PodSpec) {
	proxy := pod.Containers[0]
	proxy.Name, proxy.Args, proxy.Ports = "proxy", []string{"-listen=:8081"}, []corev1.ContainerPort{{ContainerPort: 8081}}
	pod.Containers = []corev1.Container{proxy, pod.Containers[0]}
}

func (a *app) delete(t *testing.T) {
	t.Helper()
	require.NoError(t, a.w.cluster.Client.AppsV1().Deployments(a.namespace).Delete(t.Context(), a.name, metav1.DeleteOptions{}))
}

// eventually polls on this goroutine, so that what is polled may end the test.
func eventually(t *testing.T, timeout time.Duration, what func() bool) bool {
	t.Helper()
	for deadline := time.Now().Add(timeout); ; time.Sleep(poll) {
		if what() {
			return true
		}
		if time.Now().After(deadline) || t.Context().Err() != nil {
			return false
		}
	}
}
