// SPDX-License-Identifier: Apache-2.0

package simnode

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// Kubelet answers in the place of a node's kubelet: /pods and /metrics/resource from the API server's pods, other pages as it is given
// them.
type Kubelet struct {
	client kubernetes.Interface
	node   string
	server *httptest.Server
	began  time.Time
}

// StartKubelet starts a kubelet on a free loopback port, over TLS, for whoever has the Token. pages answers other paths than its own; nil:
// there are none.
func StartKubelet(client kubernetes.Interface, node string, pages http.Handler) *Kubelet {
	k := &Kubelet{client: client, node: node, began: time.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pods", k.pods)
	mux.HandleFunc("GET /metrics/resource", k.resource)
	if pages != nil {
		mux.Handle("GET /", pages)
	}
	k.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+Token {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return k
}

// Address is its host:port.
func (k *Kubelet) Address() string { return k.server.Listener.Addr().String() }

// Close ends it and its connections.
func (k *Kubelet) Close() {
	k.server.CloseClientConnections()
	k.server.Close()
}

func (k *Kubelet) list(r *http.Request) (*corev1.PodList, error) {
	return k.client.CoreV1().Pods(metav1.NamespaceAll).List(r.Context(), metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", k.node).String(), ResourceVersion: "0",
	})
}

func (k *Kubelet) pods(w http.ResponseWriter, r *http.Request) {
	list, err := k.list(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	list.TypeMeta = metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list) // a client that has gone needs nothing
}

// resource says that each container has used a hundredth of a CPU since the kubelet's start, and 10 MiB.
func (k *Kubelet) resource(w http.ResponseWriter, r *http.Request) {
	list, err := k.list(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	used := time.Since(k.began).Seconds() / 100
	for _, pod := range list.Items {
		for _, container := range pod.Spec.Containers {
			labels := fmt.Sprintf("{container=%q,namespace=%q,pod=%q}", container.Name, pod.Namespace, pod.Name)
			fmt.Fprintf(w, "container_cpu_usage_seconds_total%s %.6f\ncontainer_memory_working_set_bytes%s %d\n", labels, used, labels, 10<<20)
		}
	}
}
