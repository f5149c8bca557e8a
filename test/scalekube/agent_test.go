// SPDX-License-Identifier: Apache-2.0

package scalekube

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k0rdent/kof/test/kubeapi/audit"
	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/load/countproxy"
	"github.com/k0rdent/kof/test/simnode"
)

const (
	root   = "../.."
	binary = root + "/bin/kof-otelcol"
)

// footprint is what an agent holds and asks for.
type footprint struct {
	nodes, pods, namespaces int
	memory                  child.Memory // after a collection of garbage
	heap                    int64        // live, in bytes
	atStart                 map[string]int
	watches                 int     // that go on
	others                  float64 // requests in an hour that renew no watch
	renewals                float64 // requests in an hour that renew watches
	received                int64   // bytes from the API server to when it had settled
	later                   int64   // and from then to the end
}

// measure runs an agent on the first node and leaves it alone: first until it has settled, and then for as long again.
func (c *cluster) measure(t *testing.T, log string, settle time.Duration) footprint {
	t.Helper()
	began := time.Now()
	p, proxy, profiles := c.startAgent(t)
	defer proxy.Close()
	defer p.Kill()
	time.Sleep(settle) // a measurement over a time
	f := footprint{nodes: c.nodes, pods: c.pods, namespaces: c.namespaces, received: proxy.Received()}
	settled := time.Now()
	time.Sleep(settle)
	f.later = proxy.Received() - f.received
	f.heap = liveHeap(t, profiles)
	var err error
	f.memory, err = p.Memory()
	require.NoError(t, err)
	require.NoError(t, p.Alive())
	all, err := audit.Read(log, simnode.User)
	require.NoError(t, err)
	var own []audit.Request
	for _, r := range all {
		if r.Received.After(began) {
			own = append(own, r)
			if r.Open {
				f.watches++
			}
		}
	}
	require.NotEmpty(t, own)
	f.renewals, f.others = audit.PerHour(own, settled, time.Now())
	f.atStart = audit.Count(own)
	require.NoError(t, p.Stop())
	return f
}

// startAgent returns the agent, the proxy between it and the API server, and the base URL of its profiles.
func (c *cluster) startAgent(t *testing.T) (p *child.Process, proxy *countproxy.Proxy, profiles string) {
	t.Helper()
	dir := t.TempDir()
	proxy, kubeconfig := c.throughProxy(t, dir)
	kubelet := simnode.StartKubelet(c.client, nodeName(0), nil)
	t.Cleanup(kubelet.Close)
	ports := freePorts(t, 5)
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
	node := simnode.Node{
		Name: nodeName(0), Kubeconfig: kubeconfig, Kubelet: kubelet.Address(), Dir: dir, Logs: filepath.Join(dir, "pods"),
		OTLP: at(0), OTLPGRPC: at(1), Health: at(2), Profiles: at(3), Metrics: ports[4],
	}
	require.NoError(t, os.Mkdir(node.Logs, 0o700))
	chart, err := simnode.FromChart(root)
	require.NoError(t, err)
	require.NoError(t, chart.Config.Fit(node))
	config := filepath.Join(dir, "config.yaml")
	require.NoError(t, chart.Config.Write(config))
	// Takes everything and keeps nothing.
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the agent sends again what breaks off
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(store.Close)
	regions := filepath.Join(dir, "regions.yaml")
	require.NoError(t, os.WriteFile(regions, fmt.Appendf(nil, "regions:\n  home: {zone: eu, metrics: {endpoint: %q}, logs: {endpoint: %q}, traces: {endpoint: %q}}\n",
		store.URL, store.URL, store.URL), 0o600))
	p, err = child.Start(t.Context(), child.Command{
		Name: "agent", Path: binary, Args: []string{"--config", config}, Log: filepath.Join(dir, "log"), Ready: "http://" + node.Health,
		Env: append(append(node.Env(), chart.Env...), "KOF_REGION=home", "KOF_DIRECTORY="+regions,
			// All inputs have been read before the end.
			"KOF_SCRAPE_INTERVAL=5s"),
	})
	require.NoError(t, err)
	return p, proxy, "http://" + node.Profiles
}

// throughProxy returns a kubeconfig of the agent that leads through a proxy that counts.
func (c *cluster) throughProxy(t *testing.T, dir string) (*countproxy.Proxy, string) {
	t.Helper()
	_, path, err := c.plane.User(simnode.User)
	require.NoError(t, err)
	proxy, err := countproxy.Start(strings.TrimPrefix(c.plane.Config.Host, "https://"))
	require.NoError(t, err)
	config, err := clientcmd.LoadFromFile(path)
	require.NoError(t, err)
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + proxy.Address()
	}
	own := filepath.Join(dir, "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, own))
	return proxy, own
}

// liveHeap has the agent collect garbage and returns what is left.
func liveHeap(t *testing.T, profiles string) int64 {
	t.Helper()
	var page []byte
	for range 2 { // what has a finalizer goes in the second
		page = get(t, profiles+"/debug/pprof/heap?gc=1&debug=1")
	}
	// The runtime's MemStats stand at the end, as comments.
	_, rest, found := bytes.Cut(page, []byte("\n# HeapAlloc = "))
	require.True(t, found, "the heap profile has no HeapAlloc")
	text, _, _ := bytes.Cut(rest, []byte("\n"))
	n, err := strconv.ParseInt(string(text), 10, 64)
	require.NoError(t, err)
	return n
}

var webClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := webClient.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", url, body)
	return body
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // held until all are chosen, so that they differ
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}
