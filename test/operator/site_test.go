// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/management"
	"github.com/k0rdent/kof/test/toolcache"
)

// late is how long what the operator wrote takes to get where it is read, as Sveltos and the kubelet take their time.
const late = 300 * time.Millisecond

// site is a region: its stores, and the door before them.
type site struct {
	name   string
	m      *management.Cluster
	stores *backends.Region
	door   string // address
	users  string // file of vmauth's configuration
	vmauth *exec.Cmd
}

func startRegion(t *testing.T, m *management.Cluster, name string) *site {
	t.Helper()
	stores, err := backends.StartRegion(t.Context(), name, backends.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stores.Stop()) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &site{name: name, m: m, stores: stores, door: l.Addr().String(), users: filepath.Join(t.TempDir(), "auth.yaml")}
	require.NoError(t, l.Close())
	require.NoError(t, os.WriteFile(r.users, []byte("users: [{username: nobody, password: nothing, url_prefix: \"http://127.0.0.1:1\"}]\n"), 0o600))
	r.open(t)
	t.Cleanup(r.close)
	repeat(t, func(ctx context.Context) error { return r.learn(ctx) })
	return r
}

// declare makes the regional cluster, in a zone of its own, whose Region gets the door's endpoints.
func (r *site) declare(t *testing.T) {
	t.Helper()
	deployment(t, r.m, system, r.name, kcm.RoleRegional, map[string]any{"region": "place-" + r.name, "clusterAnnotations": map[string]any{
		kcm.AnnotationDomain: r.name + ".example.com", kcm.AnnotationZone: "zone-" + r.name,
	}})
	region := &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: r.name}}
	eventually(t, "Region "+r.name, func() bool { return r.m.Get(t.Context(), client.ObjectKeyFromObject(region), region) == nil })
	patch(t, r.m, region, map[string]any{"spec": map[string]any{"endpoints": map[string]any{
		"metrics": "http://" + r.door + "/vm/insert/0/prometheus/api/v1/write", "logs": "http://" + r.door + "/vli/insert/opentelemetry/v1/logs",
		"traces": "http://" + r.door + "/jaeger/insert/v1/traces",
	}}})
}

// open starts vmauth, close kills it.
func (r *site) open(t *testing.T) {
	t.Helper()
	binary, err := toolcache.Binary(t.Context(), "vmauth", os.Stderr)
	require.NoError(t, err)
	r.vmauth = exec.Command(binary, "-httpListenAddr="+r.door, "-auth.config="+r.users, "-configCheckInterval=100ms", "-loggerLevel=ERROR")
	r.vmauth.SysProcAttr = endsWithParent()
	require.NoError(t, r.vmauth.Start())
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", r.door)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, wait, tick)
}

func (r *site) close() {
	_ = r.vmauth.Process.Kill()
	_ = r.vmauth.Wait()
}

// learn does what Sveltos and the VictoriaMetrics operator do with the bundles of the region's users.
func (r *site) learn(ctx context.Context) error {
	// The routes that the chart kof-storage defines under these names.
	routes := map[string]map[string]any{
		"metrics-insert": {"src_paths": []string{"/vm/insert/0/prometheus/api/v1/write"}, "drop_src_path_prefix_parts": 4, "url_prefix": r.stores.Metrics.URL},
		"logs-insert":    {"src_paths": []string{"/vli/insert/opentelemetry/v1/logs"}, "drop_src_path_prefix_parts": 1, "url_prefix": r.stores.Logs.URL},
		"traces-insert":  {"src_paths": []string{"/jaeger/insert/v1/traces"}, "drop_src_path_prefix_parts": 2, "url_prefix": r.stores.Traces.OTLPURL},
	}
	passwords, specs := map[string]string{}, []map[string]any{}
	for i := range output.UserShards {
		s, err := secret(ctx, r.m, system, fmt.Sprintf("kof-users-%d-%s", i, r.name))
		if err != nil {
			return err
		}
		for _, text := range strings.Split(string(s.Data["objects.yaml"]), "---\n") {
			var o struct {
				Kind     string
				Metadata struct{ Name string }
				Data     map[string][]byte
				Spec     map[string]any
			}
			if err := yaml.Unmarshal([]byte(text), &o); err != nil {
				return err
			}
			switch o.Kind {
			case "Secret":
				passwords[o.Metadata.Name] = string(o.Data["password"])
			case "VMUser":
				specs = append(specs, o.Spec)
			}
		}
	}
	var users []any
	for _, spec := range specs {
		var urls []any
		for _, ref := range spec["targetRefs"].([]any) {
			if route, known := routes[ref.(map[string]any)["name"].(string)]; known {
				urls = append(urls, route)
			}
		}
		if name := spec["passwordRef"].(map[string]any)["name"].(string); len(urls) > 0 {
			users = append(users, map[string]any{"username": spec["username"], "password": passwords[name], "url_map": urls})
		}
	}
	if len(users) == 0 {
		return nil // vmauth takes no empty list
	}
	text, err := json.Marshal(map[string]any{"users": users})
	if err != nil {
		return err
	}
	return replace(r.users, text)
}

// write asks the door with a credential, and returns the status; 0: it doesn't answer.
func (r *site) write(t *testing.T, l credential.Login) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.door+"/vm/insert/0/prometheus/api/v1/write", bytes.NewReader(snappy.Encode(nil, nil)))
	require.NoError(t, err)
	request.SetBasicAuth(l.Username, l.Password)
	response, err := webClient.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

var webClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// numbers of the records that a region has, one for each copy.
type numbers struct{ logs, metrics, traces []int }

func (n numbers) distinct() int {
	return len(unique(n.logs)) + len(unique(n.metrics)) + len(unique(n.traces))
}

func (r *site) numbers(t *testing.T) numbers {
	t.Helper()
	var out numbers
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		return n
	}
	logs, err := r.stores.Logs.LogsQuery(t.Context(), "* | fields n", 0)
	require.NoError(t, err)
	for _, l := range logs {
		out.logs = append(out.logs, number(l["n"]))
	}
	series, err := r.stores.Metrics.Export(t.Context(), `{__name__="e2e_number"}`)
	require.NoError(t, err)
	for _, s := range series {
		out.metrics = append(out.metrics, number(s.Labels["n"])) // copies are of one series
		require.Equal(t, shop, s.Labels["cluster"])
	}
	traces, err := r.stores.Traces.Traces(t.Context(), "e2e", 100_000, time.Time{}, time.Time{})
	require.NoError(t, err)
	for _, trace := range traces {
		for _, s := range trace.Spans {
			out.traces = append(out.traces, number(s.Tags["n"]))
		}
	}
	return out
}

// repeat calls f until the test ends, a little late each time.
func repeat(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(late):
			}
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
}

// replace changes a file in one step.
func replace(file string, text []byte) error {
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
