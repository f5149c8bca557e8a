// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/kubelet"
)

// The bounds of a collection of a full node.
const (
	benchPods       = 110
	benchContainers = 250
	maxCPU          = 5 * time.Millisecond
	maxAllocated    = 1 << 20
	maxResident     = 10 << 20
)

// fullNode has as many pods as a kubelet takes by default, with all that a real one writes about them: about 7 kB each.
func fullNode(start, at time.Time, seconds float64) ([]corev1.Pod, []use) {
	var pods []corev1.Pod
	var usage []use
	for i := range benchPods {
		name := fmt.Sprintf("service-%d-6d4cf56db6-x%03d", i, i)
		p := pod(fmt.Sprintf("team-%d", i%20), name, start, "100m", "128Mi", ownedBy("ReplicaSet", fmt.Sprintf("service-%d-6d4cf56db6", i), "6d4cf56db6"))
		containers := 2
		if i < benchContainers-2*benchPods {
			containers = 3
		}
		for len(p.Spec.Containers) < containers {
			c := fmt.Sprintf("side-%d", len(p.Spec.Containers))
			p.Spec.Containers = append(p.Spec.Containers, container(c, "50m", "64Mi"))
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, runs(c, start))
		}
		furnish(&p)
		for _, c := range p.Spec.Containers {
			usage = append(usage, use{p.Namespace, p.Name, c.Name, seconds, 100 << 20, at})
		}
		pods = append(pods, p)
	}
	return pods, usage
}

// furnish adds what costs don't need and every real pod has.
func furnish(p *corev1.Pod) {
	p.Labels["app.kubernetes.io/name"], p.Labels["app.kubernetes.io/part-of"] = p.Name, "shop"
	p.Annotations = map[string]string{"prometheus.io/scrape": "true", "kubernetes.io/config.seen": "2026-11-23T00:00:00.000000000Z"}
	p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kube-controller-manager", Operation: "Update", APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(
		`{"f:metadata":{"f:generateName":{},"f:labels":{".":{},"f:app.kubernetes.io/name":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"0\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{".":{},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}`)}}}
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		c.Image = "registry.example.com/team/service:v1.2.3@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		c.TerminationMessagePath, c.TerminationMessagePolicy, c.ImagePullPolicy = "/dev/termination-log", "File", "IfNotPresent"
		for e := range 8 {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", e), Value: "some value of an environment variable"})
		}
		for v := range 3 {
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: fmt.Sprintf("volume-%d", v), MountPath: fmt.Sprintf("/mnt/volume-%d", v), ReadOnly: true})
		}
		s := &p.Status.ContainerStatuses[i]
		s.Image, s.ImageID, s.ContainerID, s.Ready = c.Image, c.Image, "containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true
	}
	for v := range 3 {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("volume-%d", v), VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}})
	}
	for _, c := range []corev1.PodConditionType{corev1.PodReady, corev1.PodInitialized, corev1.ContainersReady, corev1.PodScheduled} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(dayStart)})
	}
	for _, key := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{Key: key, Operator: "Exists", Effect: "NoExecute"})
	}
}

// childEnv makes the test binary the kubelet of a full node: measured is only the receiver's process.
const childEnv = "KOF_TEST_KUBELET"

func fullDocuments() (pods, usage []byte, err error) {
	list, used := fullNode(dayStart.Add(-time.Hour), dayStart, 100)
	pods, err = json.Marshal(corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: list})
	return pods, usageText(used), err
}

// serveFullNode serves until its standard input ends, which it does with the parent.
func serveFullNode() {
	pods, usage, err := fullDocuments()
	if err != nil {
		panic(err)
	}
	k := &fakeKubelet{token: "token-1", pods: pods, usage: usage}
	k.Server = httptest.NewTLSServer(http.HandlerFunc(k.serve))
	defer k.Close()
	_ = json.NewEncoder(os.Stdout).Encode(map[string]string{"url": k.URL, "ca": string(pemOf(k.Server))})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func fullBench(t testing.TB) *bench {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	var server struct{ URL, CA string }
	require.NoError(t, json.NewDecoder(out).Decode(&server))
	b := &bench{clock: &clock{at: dayStart}}
	b.restart(t, kubeletConfig(t, server.URL, []byte(server.CA)))
	b.next = consumertest.NewNop()
	for range 2 {
		b.collectAndSend(context.Background())
		b.step(time.Minute)
	}
	require.Len(t, b.samples, benchContainers)
	return b
}

// BenchmarkNodeDecode is the work of the decoders on the kubelet's documents.
func BenchmarkNodeDecode(b *testing.B) {
	podsText, usageText, err := fullDocuments()
	require.NoError(b, err)
	pods, usage := kubelet.NewPodDecoder(), kubelet.NewUsageDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pods.Decode(podsText); err != nil {
			b.Fatal(err)
		}
		if _, err := usage.Decode(usageText, dayStart); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNodeCollection is a collection with all of it: TLS, decoding, arithmetic, metrics. The kubelet runs in a
// process of its own.
func BenchmarkNodeCollection(b *testing.B) {
	bn := fullBench(b)
	b.ReportAllocs()
	for b.Loop() {
		bn.step(time.Minute)
		bn.collectAndSend(context.Background())
	}
}

// TestNodeCollectionBounds holds the bounds: CPU time of the process, bytes allocated, and what the receiver keeps.
func TestNodeCollectionBounds(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures time")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	bn := fullBench(t)
	runtime.GC()
	runtime.ReadMemStats(&after)
	resident := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	const rounds = 40
	// The lowest of at least eight runs, and of as many as it takes for up to a minute: other processes share the machine's cores and
	// caches, and what they add to this one's CPU time is not the receiver's.
	cpu, allocated := time.Hour, uint64(1<<62)
	for began, run := time.Now(), 0; run < 8 || cpu >= maxCPU && time.Since(began) < time.Minute; run++ {
		runtime.ReadMemStats(&before)
		start := processCPU()
		for range rounds {
			bn.step(time.Minute)
			bn.collectAndSend(context.Background())
		}
		cpu = min(cpu, (processCPU()-start)/rounds)
		runtime.ReadMemStats(&after)
		allocated = min(allocated, (after.TotalAlloc-before.TotalAlloc)/rounds)
	}
	t.Logf("%d pods, %d containers, %s CPU, %d kB allocated, %d kB kept",
		benchPods, benchContainers, cpu, allocated/1000, resident/1000)
	require.Less(t, cpu, maxCPU)
	require.Less(t, allocated, uint64(maxAllocated))
	require.Less(t, resident, int64(maxResident))
}

// processCPU is the CPU time that the process has taken: wall time would measure what else the machine does.
func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
