// SPDX-License-Identifier: Apache-2.0

package simnode

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFit(t *testing.T) {
	chart, err := FromChart("../..")
	require.NoError(t, err)
	require.NotEmpty(t, chart.Role.Rules)
	require.Len(t, chart.Env, 2)
	require.Regexp(t, `^GOMEMLIMIT=\d+$`, chart.Env[0])
	require.Regexp(t, `^GOGC=\d+$`, chart.Env[1])
	dir := t.TempDir()
	require.NoError(t, chart.Config.Fit(Node{Name: "n", Kubeconfig: "/k", Kubelet: "127.0.0.1:1", Dir: dir, Logs: "/logs", OTLP: "127.0.0.1:2"}))
	require.FileExists(t, filepath.Join(dir, "token"))
	logs, err := chart.Config.Map("receivers", "pod_logs")
	require.NoError(t, err)
	require.Equal(t, "/logs", logs["directory"])
	service, err := chart.Config.Map("service")
	require.NoError(t, err)
	require.Contains(t, service["extensions"], "pprof")
	require.NoError(t, chart.Config.Write(filepath.Join(dir, "config.yaml")))
}

func TestFitRefuses(t *testing.T) {
	_, err := FromChart("nowhere")
	require.Error(t, err)
	require.ErrorContains(t, Config{}.Fit(Node{Dir: t.TempDir()}), "configuration: processors is not a map")
	_, err = Config{"receivers": map[string]any{"p": map[string]any{"config": map[string]any{"scrape_configs": []any{}}}}}.Scrape("p")
	require.ErrorContains(t, err, "scrape_configs is not a list of one")
}

func TestKubelet(t *testing.T) {
	client := fake.NewClientset(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "s"}, Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "c"}}},
	})
	k := StartKubelet(client, "n", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "own") }))
	defer k.Close()
	get := func(path, token string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+k.Address()+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := k.server.Client().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	code, _ := get("/pods", "other")
	require.Equal(t, http.StatusUnauthorized, code)
	_, body := get("/pods", Token)
	var list corev1.PodList
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Equal(t, "p", list.Items[0].Name)
	_, body = get("/metrics/resource", Token)
	require.Contains(t, body, `container_memory_working_set_bytes{container="c",namespace="s",pod="p"} 10485760`)
	_, body = get("/metrics/cadvisor", Token)
	require.Equal(t, "own", body)
}
