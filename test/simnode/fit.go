// SPDX-License-Identifier: Apache-2.0

package simnode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Token is what the kubelet wants to see.
const Token = "secret"

// PodDiscovery is the key of a scrape configuration under which the agent finds pods.
const PodDiscovery = "kof_pod_sd_configs"

// Node is where an agent is to run.
type Node struct {
	Name       string
	Kubeconfig string // path
	Kubelet    string // host:port
	Dir        string // of the agent's state; there already
	Logs       string // folder of container logs, in the place of /var/log/pods
	OTLP       string // host:port, over HTTP
	OTLPGRPC   string
	Health     string // host:port
	Profiles   string // host:port
	Metrics    int    // port on 127.0.0.1
}

// Fit makes the agent's configuration fit for a node on loopback. Nothing of what it does is changed but for where: paths, addresses,
// and how it shows who it is.
func (c Config) Fit(n Node) error {
	token := filepath.Join(n.Dir, "token")
	errs := []error{
		os.WriteFile(token, []byte(Token), 0o600),
		c.Set("kubeConfig", "processors", "k8s_attributes", "auth_type"),
		c.Set(map[string]any{"kubeconfig": n.Kubeconfig}, "receivers", "opencost", "kubernetes"),
		c.Set("https://"+n.Kubelet, "receivers", "opencost", "kubelet", "endpoint"),
		c.Set(token, "receivers", "opencost", "kubelet", "token_file"),
		c.Set("", "receivers", "opencost", "kubelet", "ca_file"),
		c.Set(n.Logs, "receivers", "pod_logs", "directory"),
		c.Set(n.OTLP, "receivers", "otlp", "protocols", "http", "endpoint"),
		c.Set(n.OTLPGRPC, "receivers", "otlp", "protocols", "grpc", "endpoint"),
		c.Set(n.Health, "extensions", "health_check", "endpoint"),
		c.Set(map[string]any{"endpoint": n.Profiles}, "extensions", "pprof"),
	}
	service, err := c.Map("service")
	if err == nil {
		extensions, ok := service["extensions"].([]any)
		if !ok {
			err = errors.New("configuration: service::extensions is not a list")
		}
		service["extensions"] = append(extensions, "pprof")
	}
	return errors.Join(append(errs, err, c.fitPods(n), c.fitKubelet(n))...)
}

func (c Config) fitPods(n Node) error {
	pods, err := c.Scrape("prometheus")
	if err != nil {
		return err
	}
	if list, ok := pods[PodDiscovery].([]any); ok && len(list) == 1 {
		if discovery, ok := list[0].(map[string]any); ok {
			discovery["kubeconfig_file"] = n.Kubeconfig
			return nil
		}
	}
	return fmt.Errorf("configuration: receivers::prometheus: %s is not a list of one", PodDiscovery)
}

func (c Config) fitKubelet(n Node) error {
	kubelet, err := c.Scrape("prometheus/kubelet")
	if err != nil {
		return err
	}
	pages, ok := kubelet["static_configs"].([]any)
	for _, page := range pages {
		m, isMap := page.(map[string]any)
		if ok = ok && isMap; ok {
			m["targets"] = []any{n.Kubelet}
		}
	}
	if !ok {
		return errors.New("configuration: receivers::prometheus/kubelet: static_configs is not a list of maps")
	}
	tls, err := kubelet.Map("tls_config")
	delete(tls, "ca_file")
	return err
}

// Env is what the agent takes from its environment there, but for the region and its directory.
func (n Node) Env() []string {
	return []string{
		"KUBECONFIG=" + n.Kubeconfig, "KOF_CLUSTER_NAME=eu-prod-7", "KOF_NODE_NAME=" + n.Name, "KOF_POD_NAMESPACE=kof", "KOF_POD_NAME=kof-collectors-agent-0",
		"KOF_STATE_DIR=" + n.Dir, "KOF_SERVICE_ACCOUNT_DIR=" + n.Dir, "KOF_HOST_ROOT=/", "KOF_KUBELET_INSECURE=true",
		fmt.Sprintf("KOF_METRICS_PORT=%d", n.Metrics), "KOF_STATUS_ENDPOINT=127.0.0.1:0",
	}
}
