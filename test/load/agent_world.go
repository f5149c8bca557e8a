// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/k0rdent/kof/test/kubeapi"
	"github.com/k0rdent/kof/test/load/exposition"
	"github.com/k0rdent/kof/test/simnode"
)

// agentNode is the node that the agents run on.
const agentNode = "ip-10-42-3-17.eu-west-1.compute.internal"

// agentWorld is what is around an agent: an API server with the node and its pods, the kubelet, and the pods' pages.
type agentWorld struct {
	*bench
	chart      *simnode.Chart
	kubeconfig string
	kubelet    *simnode.Kubelet
	pods       []agentPod
	loaded     atomic.Bool // pages are those of a full node
	served     atomic.Int64
	series     int // of a pod's page
}

// agentPod is a pod of the node; the machine answers on its address.
type agentPod struct{ namespace, name, uid, ip string }

func (b *bench) startAgentWorld(ctx context.Context) (*agentWorld, error) {
	w := &agentWorld{bench: b}
	root, err := repository(ctx)
	if err != nil {
		return nil, err
	}
	if w.chart, err = simnode.FromChart(root); err != nil {
		return nil, err
	}
	b.note("starting a control plane")
	plane, err := kubeapi.Start(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	b.atEnd(func() error { plane.Stop(); return nil })
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1 // the API server's own limit counts
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	if err := w.chart.Allow(ctx, client); err != nil {
		return nil, err
	}
	if _, w.kubeconfig, err = plane.User(simnode.User); err != nil {
		return nil, err
	}
	idle, full := kubeletPages(7, 8, b.interval), kubeletPages(agentPods, 250, b.interval)
	w.kubelet = simnode.StartKubelet(client, agentNode, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.loaded.Load() {
			full.handler.ServeHTTP(rw, r)
			return
		}
		idle.handler.ServeHTTP(rw, r)
	}))
	b.atEnd(func() error { w.kubelet.Close(); return nil })
	// Together with the kubelet's, the pods' pages have so many series that agentSampleRate are scraped in a second.
	w.series = (agentSampleRate*int(b.interval/time.Second) - full.series) / agentPods
	if w.series <= 0 {
		return nil, fmt.Errorf("-interval %s: the kubelet's pages alone exceed %d samples a second", b.interval, agentSampleRate)
	}
	return w, w.makePods(ctx, client)
}

type pagesOf struct {
	handler http.Handler
	series  int
}

func kubeletPages(pods, containers int, interval time.Duration) pagesOf {
	load := exposition.Load{Pods: pods, Containers: containers, Spread: interval / 2}
	kubelet, cadvisor := exposition.Kubelet(2, load), exposition.Cadvisor(1, load)
	return pagesOf{
		handler: exposition.Handler(map[string]*exposition.Page{"/metrics": kubelet, "/metrics/cadvisor": cadvisor}, interval/4),
		series:  kubelet.Series() + cadvisor.Series(),
	}
}

// makePods makes the node and its pods, which ask to be scraped.
func (w *agentWorld) makePods(ctx context.Context, client kubernetes.Interface) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: agentNode, Labels: map[string]string{"kubernetes.io/os": "linux"}}}, metav1.CreateOptions{})
	for i := 0; i < 4 && err == nil; i++ {
		_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("team-%d", i)}}, metav1.CreateOptions{})
	}
	for i := 0; i < agentPods && err == nil; i++ {
		var pod agentPod
		if pod, err = makePod(ctx, client, i, port); err == nil {
			w.pods = append(w.pods, pod)
			err = w.servePod(i, net.JoinHostPort(pod.ip, strconv.Itoa(port)))
		}
	}
	return err
}

func makePod(ctx context.Context, client kubernetes.Interface, i, port int) (agentPod, error) {
	yes := true
	pod := agentPod{namespace: fmt.Sprintf("team-%d", i%4), name: fmt.Sprintf("checkout-5d9f7c6b8f-%05d", i*79), ip: fmt.Sprintf("127.0.1.%d", i+1)}
	pods := client.CoreV1().Pods(pod.namespace)
	made, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.name, Labels: map[string]string{"app.kubernetes.io/name": "checkout", "pod-template-hash": "5d9f7c6b8f"},
			Annotations: map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": strconv.Itoa(port)},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "checkout-5d9f7c6b8f", UID: "6b1f2a34-0000-4000-8000-000000000000", Controller: &yes},
			},
		},
		Spec: corev1.PodSpec{NodeName: agentNode, Containers: []corev1.Container{{
			Name: "checkout", Image: "registry.example/shop/checkout:1.2.3", Ports: []corev1.ContainerPort{{ContainerPort: int32(port)}},
		}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return pod, err
	}
	pod.uid = string(made.UID)
	made.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: pod.ip, PodIPs: []corev1.PodIP{{IP: pod.ip}}}
	_, err = pods.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return pod, err
}

// servePod serves a pod's page on its address: nothing before the load, and after it the answer is that there is nothing.
func (w *agentWorld) servePod(i int, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	page := exposition.Handler(map[string]*exposition.Page{"/metrics": exposition.Service(uint64(i), w.series)}, w.interval/4)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.loaded.Load() {
			return // an empty page
		}
		page.ServeHTTP(rw, r)
		w.served.Add(int64(w.series))
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	w.atEnd(func() error {
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
	return nil
}
