// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func read(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return raw
}

func TestDecodePods(t *testing.T) {
	d := NewPodDecoder()
	for range 2 { // memory is used again
		pods, err := d.Decode(read(t, "pods.json"))
		require.NoError(t, err)
		require.Len(t, pods, 3)
		web := pods[0]
		require.Equal(t, "web-7d4b9c6f5d-abcde", web.Name)
		require.Equal(t, "shop", web.Namespace)
		require.Equal(t, "0c9f", web.UID)
		require.Equal(t, "Running", web.Phase)
		require.Equal(t, []string{"ReplicaSet", "web-7d4b9c6f5d", "7d4b9c6f5d"}, []string{web.OwnerKind, web.OwnerName, web.TemplateHash})
		require.Equal(t, []string{"data", "web-7d4b9c6f5d-abcde-scratch"}, web.Claims)
		require.Equal(t, []Container{
			{Name: "init", Kind: Init, Requests: []Quantity{{"cpu", 0.1}}, Started: at, Finished: at.Add(5 * time.Second)},
			{Name: "proxy", Kind: Sidecar, Requests: []Quantity{{"cpu", 0.05}, {"memory", 64 << 20}}, Running: true, Started: at.Add(6 * time.Second)},
			{
				Name: "main", Requests: []Quantity{{"cpu", 1.5}, {"memory", 1 << 30}}, Limits: []Quantity{{"memory", 2 << 30}, {"nvidia.com/gpu", 1}},
				Running: true, Started: at.Add(time.Minute), Earlier: at.Add(10 * time.Second),
			},
		}, sortedByKind(web.Containers))
		crash := pods[1]
		require.Equal(t, []string{"DaemonSet", "agent"}, []string{crash.OwnerKind, crash.OwnerName})
		require.Equal(t, []Container{{Name: "c", Started: at, Finished: at.Add(3 * time.Second), Earlier: at}}, sortedByKind(crash.Containers))
		require.Equal(t, "Pending", pods[2].Phase)
		require.True(t, pods[2].Containers[0].Started.IsZero())
	}
}

// sortedByKind puts init containers and sidecars first, as they start, and makes empty lists nil.
func sortedByKind(in []Container) []Container {
	var first, rest []Container
	for _, c := range in {
		if len(c.Requests) == 0 {
			c.Requests = nil
		}
		if len(c.Limits) == 0 {
			c.Limits = nil
		}
		if c.Kind == Regular {
			rest = append(rest, c)
		} else {
			first = append(first, c)
		}
	}
	return append(first, rest...)
}

// TestDecodeAgreesWithKubernetesTypes decodes what encoding/json makes of Kubernetes' own types.
func TestDecodeAgreesWithKubernetesTypes(t *testing.T) {
	var list corev1.PodList
	require.NoError(t, json.Unmarshal(read(t, "pods.json"), &list))
	raw, err := json.Marshal(list)
	require.NoError(t, err)
	a, err := NewPodDecoder().Decode(raw)
	require.NoError(t, err)
	b, err := NewPodDecoder().Decode(read(t, "pods.json"))
	require.NoError(t, err)
	require.Equal(t, len(b), len(a))
	for i := range a {
		require.ElementsMatch(t, sortedByKind(b[i].Containers), sortedByKind(a[i].Containers))
		for _, c := range list.Items[i].Spec.Containers {
			got := 0.0
			for _, k := range a[i].Containers {
				for _, q := range k.Requests {
					if k.Name == c.Name && q.Resource == "cpu" {
						got = q.Value
					}
				}
			}
			require.Equal(t, c.Resources.Requests.Cpu().AsApproximateFloat64(), got)
		}
	}
}

func TestDecodePodsBad(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "cut off": `{"items":[{"metadata":{"name":"a"`, "a list": `[]`, "wrong type": `{"items":[{"metadata":{"name":5}}]}`,
		"quantity": `{"items":[{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"lots"}}}]}}]}`,
		"time":     `{"items":[{"status":{"containerStatuses":[{"name":"c","state":{"running":{"startedAt":"yesterday"}}}]}}]}`,
		"pods":     `{"items":[` + strings.Repeat(`{},`, MaxPods) + `{}]}`,
		"containers": `{"items":[{"spec":{"containers":[` + strings.TrimSuffix(strings.Join(func() (out []string) {
			for i := range MaxContainers + 1 {
				out = append(out, fmt.Sprintf(`{"name":"c%d"}`, i))
			}
			return
		}(), ","), ",") + `]}}]}`,
	} {
		_, err := NewPodDecoder().Decode([]byte(body))
		require.ErrorContains(t, err, "list of pods", name)
	}
	pods, err := NewPodDecoder().Decode([]byte(`{"items":null}`))
	require.NoError(t, err)
	require.Empty(t, pods)
	pods, err = NewPodDecoder().Decode([]byte(`{"items":[{"spec":{"containers":[{"resources":{"requests":{"cpu":2}},"name":"late"}]}}]}`))
	require.NoError(t, err)
	require.Equal(t, []Quantity{{"cpu", 2}}, pods[0].Containers[0].Requests, "a number, before the name")
}

func TestDecodeUsage(t *testing.T) {
	d := NewUsageDecoder()
	id := ContainerID{"shop", "web", "main"}
	for range 2 {
		got, err := d.Decode(read(t, "resource.txt"), at)
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, Usage{CPUSeconds: 12.5, CPUAt: time.UnixMilli(1763892000123), Memory: 1 << 20}, *got[id])
		require.Equal(t, at, got[ContainerID{"shop", "web", "proxy"}].CPUAt, "no timestamp")
	}
	got, err := d.Decode([]byte("container_cpu_usage_seconds_total{container=\"main\",namespace=\"shop\",pod=\"web\"} 13\n"), at)
	require.NoError(t, err)
	require.Len(t, got, 1, "what is gone is forgotten")
	require.Zero(t, got[id].Memory)
	for _, bad := range []string{"container_cpu_usage_seconds_total{", "a b c d\n", "x{y=\"z\"} one\n"} {
		_, err := d.Decode([]byte(bad), at)
		require.ErrorContains(t, err, "resource metrics")
	}
	got, err = d.Decode([]byte("container_memory_working_set_bytes{container=\"main\",namespace=\"shop\",pod=\"web\"} NaN\n"), at)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestInternerIsBounded(t *testing.T) {
	in := newInterner()
	for i := range 3 * maxInterned {
		in.string(fmt.Append(nil, i))
		_, err := in.quantity(fmt.Append(nil, i))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, len(in.strings), maxInterned)
	require.LessOrEqual(t, len(in.quantities), maxInterned)
	q := resource.MustParse("1500m")
	v, err := in.quantity([]byte("1500m"))
	require.NoError(t, err)
	require.Equal(t, q.AsApproximateFloat64(), v)
}

func options(t *testing.T, s *httptest.Server) Options {
	t.Helper()
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	require.NoError(t, os.WriteFile(token, []byte("one"), 0o600))
	return Options{Endpoint: s.URL, CAFile: ca, TokenFile: token, Timeout: 5 * time.Second}
}

func TestClientVerifiesTheServer(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"items":[]}`)) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	ask := func(o Options) error {
		c, err := NewClient(o)
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Pods(context.Background())
		return err
	}
	o := options(t, s)
	require.NoError(t, ask(o))
	o.CAFile = ""
	require.ErrorContains(t, ask(o), "x509", "verification is on by default")
	o.InsecureSkipVerify = true
	require.NoError(t, ask(o))
	o.TokenFile = "/nonexistent"
	require.ErrorContains(t, ask(o), "/nonexistent")
}

func TestClientReadsTheTokenAgain(t *testing.T) {
	want := "one"
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+want {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"items":[]}`))
	}))
	defer s.Close()
	o := options(t, s)
	c, err := NewClient(o)
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Pods(context.Background())
	require.NoError(t, err)
	want = "two"
	require.NoError(t, os.WriteFile(o.TokenFile, []byte("two"), 0o600))
	_, err = c.Pods(context.Background())
	require.NoError(t, err)
	want = "three"
	_, err = c.Pods(context.Background())
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "two", "no token in errors")
}

func TestClientBoundsAndErrors(t *testing.T) {
	body := []byte("x")
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics/resource" {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	}))
	defer s.Close()
	c, err := NewClient(options(t, s))
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Usage(context.Background(), at)
	require.ErrorContains(t, err, "GET /metrics/resource: 500")
	body = bytes.Repeat([]byte(" "), MaxBody+1)
	_, err = c.Pods(context.Background())
	require.ErrorContains(t, err, "too long")
	require.Equal(t, 0, sizeHint("-1"))
	require.Equal(t, 5, sizeHint("5"))
	require.Equal(t, 0, sizeHint("many"))
}

func FuzzDecodePods(f *testing.F) {
	raw, err := os.ReadFile(filepath.Join("testdata", "pods.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, body []byte) {
		pods, err := NewPodDecoder().Decode(body)
		if err == nil {
			require.LessOrEqual(t, len(pods), MaxPods)
		}
	})
}

// TestDecodeDamagedPods flips and cuts bytes: any document gives pods or an error, and never a panic.
func TestDecodeDamagedPods(t *testing.T) {
	raw := read(t, "pods.json")
	d := NewPodDecoder()
	good := 0
	for seed := range uint64(5000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		body := bytes.Clone(raw)
		for range 1 + rnd.IntN(3) {
			body[rnd.IntN(len(body))] = byte(rnd.IntN(256))
		}
		if rnd.IntN(4) == 0 {
			body = body[:rnd.IntN(len(body))]
		}
		if _, err := d.Decode(body); err == nil {
			good++
		}
	}
	require.NotZero(t, good)
	pods, err := d.Decode(raw)
	require.NoError(t, err)
	require.Len(t, pods, 3, "nothing of the damaged ones stays")
}
