// SPDX-License-Identifier: Apache-2.0

package scalekube

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"

	"github.com/k0rdent/kof/test/kubeapi"
	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	podsPerNode      = 10
	podsPerNamespace = 100
	// makers is how many objects are made at a time.
	makers = 32
	// playTimeout is how long kwok may take to have all pods run.
	playTimeout = 5 * time.Minute
)

// kwokSettings has it play more than its four pods at a time.
const kwokSettings = `apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options: {podPlayStageParallelism: 32, nodePlayStageParallelism: 16}
`

// cluster is a control plane with nodes and pods that kwok plays.
type cluster struct {
	plane                   *kubeapi.ControlPlane
	client                  kubernetes.Interface
	nodes, pods, namespaces int
}

func startCluster(t *testing.T, flags ...string) *cluster {
	t.Helper()
	c := &cluster{plane: kubeapi.StartT(t, flags...)}
	config := rest.CopyConfig(c.plane.Config)
	config.QPS = -1 // the API server's own limit counts
	config.ContentType = runtime.ContentTypeProtobuf
	hc, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	c.client, err = kubernetes.NewForConfigAndClient(config, hc)
	require.NoError(t, err)

	kwok, err := toolcache.Binary(t.Context(), "kwok", os.Stderr)
	require.NoError(t, err)
	dir := t.TempDir()
	settings := filepath.Join(dir, "settings.yaml")
	require.NoError(t, os.WriteFile(settings, []byte(kwokSettings), 0o600))
	args := []string{"--kubeconfig=" + c.plane.Kubeconfig, "--manage-all-nodes=true", "--node-lease-duration-seconds=0", "--v=WARN", "--config=" + settings}
	for _, stage := range stages(t) {
		args = append(args, "--config="+stage)
	}
	p, err := child.Start(t.Context(), child.Command{Name: "kwok", Path: kwok, Args: args, Log: filepath.Join(dir, "log")})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of kwok ends with:\n%s", p.LogTail())
		}
		p.Kill()
	})
	return c
}

// stages returns the paths of what kwok is told to do, of its own module: nodes are ready and pods run as soon as they are there, and nodes
// send heartbeats.
func stages(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok")
	cmd.Dir = "../../tools/kwok"
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	dir, err := cmd.Output()
	require.NoError(t, err)
	var all []string
	for _, pattern := range []string{"node/fast/node-*.yaml", "node/heartbeat/node-*.yaml", "pod/fast/pod-*.yaml"} {
		paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "kustomize/stage", filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, paths, "stages of kwok: %s", pattern)
		all = append(all, paths...)
	}
	return all
}

func nodeName(i int) string {
	return fmt.Sprintf("ip-10-42-%d-%d.eu-west-1.compute.internal", i/250, i%250)
}
func namespaceName(i int) string { return fmt.Sprintf("team-%d", i) }

// grow adds nodes with their pods, and namespaces, until there are so many, and waits until all pods run.
func (c *cluster) grow(t *testing.T, nodes, namespaces int) {
	t.Helper()
	ctx, began := t.Context(), time.Now()
	firstNamespace, firstNode := c.namespaces, c.nodes
	c.namespaces, c.nodes, c.pods = max(c.namespaces, namespaces), max(c.nodes, nodes), max(c.nodes, nodes)*podsPerNode
	require.NoError(t, makeAll(ctx, firstNamespace, c.namespaces, c.makeNamespace))
	require.NoError(t, makeAll(ctx, firstNode, c.nodes, c.makeNode))
	// kwok asks for the pods of each node that it gets to know, which takes long once there are many.
	await(t, "nodes are ready", c.allReady)
	require.NoError(t, makeAll(ctx, firstNode*podsPerNode, c.pods, c.makePod))
	t.Logf("%d nodes, %d pods, %d namespaces made in %s", c.nodes, c.pods, c.namespaces, time.Since(began).Round(time.Second))
	await(t, "pods run", c.allRun)
}

func await(t *testing.T, what string, done func(*testing.T) bool) {
	t.Helper()
	for deadline := time.Now().Add(playTimeout); !done(t); time.Sleep(500 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "not all %s after %s", what, playTimeout)
	}
}

// makeAll makes the objects from first to before end, several at a time.
func makeAll(ctx context.Context, first, end int, make func(ctx context.Context, i int) error) error {
	var mu sync.Mutex
	var failed error
	workqueue.ParallelizeUntil(ctx, makers, end-first, func(i int) {
		if err := make(ctx, first+i); err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = err
		}
	})
	return failed
}

func (c *cluster) allReady(t *testing.T) bool {
	t.Helper()
	// From the API server's cache, whatever is in it.
	all, err := c.client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{ResourceVersion: "0"})
	require.NoError(t, err)
	for _, n := range all.Items {
		if n.Status.Phase != corev1.NodeRunning {
			return false
		}
	}
	return len(all.Items) == c.nodes
}

func (c *cluster) allRun(t *testing.T) bool {
	t.Helper()
	waiting, err := c.client.CoreV1().Pods(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{FieldSelector: "status.phase!=Running", Limit: 1})
	require.NoError(t, err)
	return len(waiting.Items) == 0
}

func (c *cluster) makeNamespace(ctx context.Context, i int) error {
	_, err := c.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   namespaceName(i),
		Labels: map[string]string{"k0rdent.mirantis.com/kof-tenant-id": fmt.Sprintf("tenant-%d", i%50), "app.kubernetes.io/part-of": "shop"},
	}}, metav1.CreateOptions{})
	return err
}

func (c *cluster) makeNode(ctx context.Context, i int) error {
	name := nodeName(i)
	_, err := c.client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "node.kubernetes.io/instance-type": "m5.large",
		"topology.kubernetes.io/region": "eu-west-1", "topology.kubernetes.io/zone": fmt.Sprintf("eu-west-1%c", 'a'+i%3),
	}}}, metav1.CreateOptions{})
	return err
}

func (c *cluster) makePod(ctx context.Context, i int) error {
	yes := true
	app := fmt.Sprintf("checkout-%d", i%40)
	set := fmt.Sprintf("%s-5d9f7c6b8f", app)
	_, err := c.client.CoreV1().Pods(namespaceName(i/podsPerNamespace)).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("%s-%05d", set, i),
			Labels: map[string]string{"app.kubernetes.io/name": app, "pod-template-hash": "5d9f7c6b8f"},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set, UID: "6b1f2a34-0000-4000-8000-000000000000", Controller: &yes},
			},
		},
		Spec: corev1.PodSpec{NodeName: nodeName(i / podsPerNode), Containers: []corev1.Container{
			{Name: "app", Image: "registry.example/shop/checkout:1.2.3"}, {Name: "proxy", Image: "registry.example/mesh/proxy:3.2.1"},
		}},
	}, metav1.CreateOptions{})
	return err
}
