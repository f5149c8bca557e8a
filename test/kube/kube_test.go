// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	testImage = "localhost/kof/testpod:test"
	// podTimeout bounds the time until a pod has done what it should.
	podTimeout = 60 * time.Second
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole Kubernetes")
	}
	before := devices(t)
	var dir string
	t.Run("up", func(t *testing.T) {
		c := StartT(t, Options{Kubelet: KubeletOptions{
			ContainerLogMaxSize: "16Ki", ContainerLogMaxFiles: 3, ContainerLogMonitorInterval: 3 * time.Second,
		}})
		dir = c.Dir()
		require.NotEmpty(t, cgroupsOf(t, dir), "else the check at the end finds nothing")
		require.NoError(t, c.LoadImage(t.Context(), testImage, Image{
			Files: map[string]string{"/bin/testpod": buildTestpod(t)}, Entrypoint: []string{"/bin/testpod"}, User: "65532:65532",
		}))
		t.Run("pods", func(t *testing.T) { testPods(t, c) })
		t.Run("log rotation", func(t *testing.T) { testRotation(t, c) })
		t.Run("exec", func(t *testing.T) { testExec(t, c) })
		t.Run("audit", func(t *testing.T) {
			log, err := os.ReadFile(c.AuditLog())
			require.NoError(t, err)
			require.Contains(t, string(log), `"username":"system:node:node1"`)
		})
	})
	if dir == "" {
		t.Skip("no cluster ran")
	}
	requireGone(t, dir)
	require.Equal(t, before, devices(t))
}

// testPods has a pod resolve a Service's name, ask another pod by it, and ask a server of this test's process.
func testPods(t *testing.T, c *Cluster) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "backend ", r.URL.Path) }))
	defer backend.Close()
	exposed, err := c.Expose(backend.Listener.Addr().String())
	require.NoError(t, err)
	require.Equal(t, port(t, backend.Listener.Addr().String()), port(t, exposed))

	run(t, c, "server", "serve", ":8080")
	service, err := c.Client.CoreV1().Services("default").Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "server"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "server"}, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intOrString(8080)}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	run(t, c, "asker", "lookup", "server.default.svc.cluster.local", "get", "http://server/", "get", "http://"+exposed+"/x")
	requireLog(t, c, "asker",
		"lookup server.default.svc.cluster.local "+service.Spec.ClusterIP+" <nil>", "get http://server/ served <nil>",
		"get http://"+exposed+"/x backend /x <nil>")

	client := &http.Client{Transport: &http.Transport{DialContext: c.Dial, DisableKeepAlives: true}}
	response, err := client.Get("http://" + service.Spec.ClusterIP + "/")
	require.NoError(t, err, "from outside, by Dial")
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "served", string(body))
}

func testRotation(t *testing.T, c *Cluster) {
	run(t, c, "talker", "lines", "400")
	require.Eventually(t, func() bool {
		files, err := c.Exec(t.Context(), nil, "sh", "-c", "ls /var/log/pods/default_talker_*/testpod")
		return err == nil && len(strings.Fields(files)) > 1
	}, podTimeout, 500*time.Millisecond, "the kubelet rotates")
}

func testExec(t *testing.T, c *Cluster) {
	out, err := c.Exec(t.Context(), strings.NewReader("in"), "sh", "-c", "cat; hostname")
	require.NoError(t, err)
	require.Equal(t, "in"+NodeName+"\n", out)
	_, err = c.Exec(t.Context(), nil, "sh", "-c", "echo why >&2; exit 3")
	require.ErrorContains(t, err, "why")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 3, exit.ExitCode())
	out, err = c.Exec(t.Context(), nil, "helm", "list", "--all-namespaces", "--output=json")
	require.NoError(t, err)
	require.JSONEq(t, "[]", out)
	version, err := c.Client.Discovery().ServerVersion()
	require.NoError(t, err)
	require.Regexp(t, `^v1\.\d+\.\d+$`, version.GitVersion)
}

// run starts a pod that does what args say.
func run(t *testing.T, c *Cluster, name string, args ...string) {
	t.Helper()
	_, err := c.Client.CoreV1().Pods("default").Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name: "testpod", Image: testImage, ImagePullPolicy: corev1.PullNever, Args: args,
			}},
		},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		pod, err := c.Client.CoreV1().Pods("default").Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && pod.Status.Phase == corev1.PodRunning
	}, podTimeout, 100*time.Millisecond, name)
}

func requireLog(t *testing.T, c *Cluster, pod string, lines ...string) {
	t.Helper()
	var log string
	require.Eventually(t, func() bool {
		raw, err := c.Client.CoreV1().Pods("default").GetLogs(pod, &corev1.PodLogOptions{}).DoRaw(t.Context())
		log = string(raw)
		return err == nil && strings.Count(log, "\n") >= len(lines)
	}, podTimeout, 200*time.Millisecond)
	require.Equal(t, strings.Join(lines, "\n")+"\n", log)
}

func buildTestpod(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "testpod")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./testpod")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // static, also in a test with the race detector
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return p
}
