// SPDX-License-Identifier: Apache-2.0

package simnode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// rendered is the chart with its default values, below the repository's root. Tests of the chart hold it against what helm renders.
const rendered = "deploy/charts/kof-collectors/examples/minimal/rendered.yaml"

// The agent's objects there.
const (
	configMap   = "kof-collectors-agent"
	clusterRole = "kof-collectors-agent.kof"
)

// User is the agent's ServiceAccount, as an API server names it.
const User = "system:serviceaccount:kof:kof-collectors-agent"

// Chart is what the chart renders for the agent.
type Chart struct {
	Config Config
	Role   *rbacv1.ClusterRole
	// Env is what the chart sets of Go's runtime, GOMEMLIMIT and GOGC, as NAME=VALUE.
	Env []string
}

// FromChart reads what the chart renders with its default values; root is the repository's.
func FromChart(root string) (*Chart, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(rendered)))
	if err != nil {
		return nil, err
	}
	c := &Chart{}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var kind metav1.PartialObjectMetadata
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			return nil, fmt.Errorf("%s: %w", rendered, err)
		}
		switch kind.Kind + "/" + kind.Name {
		case "ConfigMap/" + configMap:
			var m corev1.ConfigMap
			err = errors.Join(yaml.Unmarshal([]byte(document), &m), yaml.Unmarshal([]byte(m.Data["config.yaml"]), &c.Config))
		case "ClusterRole/" + clusterRole:
			err = yaml.Unmarshal([]byte(document), &c.Role)
		case "DaemonSet/" + configMap:
			err = c.readEnv(document)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rendered, err)
		}
	}
	if c.Config == nil || c.Role == nil || len(c.Env) == 0 {
		return nil, fmt.Errorf("%s: the agent's configuration, role or environment is not there", rendered)
	}
	return c, nil
}

func (c *Chart) readEnv(daemonSet string) error {
	var d struct {
		Spec struct{ Template corev1.PodTemplateSpec }
	}
	err := yaml.Unmarshal([]byte(daemonSet), &d)
	for _, container := range d.Spec.Template.Spec.Containers {
		for _, env := range container.Env {
			if strings.HasPrefix(env.Name, "GO") {
				c.Env = append(c.Env, env.Name+"="+env.Value)
			}
		}
	}
	return err
}

// Config is a collector's configuration, with the types of JSON.
type Config map[string]any

// Map returns the map at a path.
func (c Config) Map(path ...string) (map[string]any, error) {
	at := map[string]any(c)
	for i, key := range path {
		next, ok := at[key].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("configuration: %s is not a map", strings.Join(path[:i+1], "::"))
		}
		at = next
	}
	return at, nil
}

// Set sets a value whose parent is there.
func (c Config) Set(value any, path ...string) error {
	parent, err := c.Map(path[:len(path)-1]...)
	if err == nil {
		parent[path[len(path)-1]] = value
	}
	return err
}

// Scrape returns the one scrape configuration of a prometheus receiver.
func (c Config) Scrape(receiver string) (Config, error) {
	m, err := c.Map("receivers", receiver, "config")
	if err != nil {
		return nil, err
	}
	if list, ok := m["scrape_configs"].([]any); ok && len(list) == 1 {
		if scrape, ok := list[0].(map[string]any); ok {
			return scrape, nil
		}
	}
	return nil, fmt.Errorf("configuration: receivers::%s::config::scrape_configs is not a list of one", receiver)
}

// Write writes the configuration as YAML.
func (c Config) Write(path string) error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
