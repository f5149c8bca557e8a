// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/management"
)

const collector = "../../bin/kof-otelcol"

// node is the child cluster's one node: an agent, and the files that are mounted into it.
type node struct {
	m                     *management.Cluster
	dir                   string
	otlp, health, metrics string // addresses
	log                   *os.File

	mu       sync.Mutex
	running  string // home of the agent
	process  *agent.Process
	logins   map[string]credential.Login // by region; those of regions that are gone stay
	refusals int64                       // of agents that have ended
}

func startNode(t *testing.T, m *management.Cluster) *node {
	t.Helper()
	_, err := os.Stat(collector)
	require.NoError(t, err, "`make build` makes it")
	n := &node{m: m, dir: t.TempDir(), logins: map[string]credential.Login{}}
	var listeners []net.Listener
	for _, address := range []*string{&n.otlp, &n.health, &n.metrics} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		listeners = append(listeners, l) // held until all are chosen, so that they differ
		*address = l.Addr().String()
	}
	for _, l := range listeners {
		require.NoError(t, l.Close())
	}
	n.log, err = os.Create(filepath.Join(n.dir, "agent.log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		if n.process != nil {
			require.NoError(t, n.process.Stop())
		}
		if text, _ := os.ReadFile(n.log.Name()); t.Failed() {
			t.Logf("the agent's log ends with:\n%s", text[max(0, len(text)-8000):])
		}
		require.NoError(t, n.log.Close())
	})
	repeat(t, n.deliver)
	eventually(t, "an agent", func() bool { return n.home() != "" })
	return n
}

// deliver does what Sveltos and the kubelet do: it brings the bundle's objects and the values to the node.
func (n *node) deliver(ctx context.Context) error {
	bundle, err := secret(ctx, n.m, team, "kof-bundle-"+shop)
	if err != nil {
		return err
	}
	var config corev1.ConfigMap
	if err := n.m.Get(ctx, client.ObjectKey{Namespace: team, Name: "kof-values-" + shop}, &config); err != nil {
		return client.IgnoreNotFound(err)
	}
	var values struct {
		Region          string
		Cluster         struct{ Name, Namespace string }
		RegionDirectory struct {
			ConfigMap, Key string
			Credentials    map[string]struct{ Secret string }
		}
	}
	if err := yaml.Unmarshal([]byte(config.Data[output.ValuesKey]), &values); err != nil {
		return err
	}
	objects := map[string]object{}
	for _, text := range strings.Split(string(bundle.Data["objects.yaml"]), "---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(text), &o); err != nil {
			return err
		}
		objects[o.Kind+"/"+o.Metadata.Name] = o
	}
	directory := objects["ConfigMap/"+values.RegionDirectory.ConfigMap].Data[values.RegionDirectory.Key]
	if directory == "" {
		return nil // not written yet
	}
	for region, c := range values.RegionDirectory.Credentials {
		if s, found := objects["Secret/"+c.Secret]; found {
			if err := n.mount(region, s.Data); err != nil {
				return err
			}
		}
	}
	// Where the chart mounts them.
	directory = strings.ReplaceAll(directory, "/etc/kof/credentials/", filepath.Join(n.dir, "credentials")+"/")
	if err := replace(filepath.Join(n.dir, "regions.yaml"), []byte(directory)); err != nil {
		return err
	}
	return n.rollOut(ctx, values.Region, values.Cluster.Name, values.Cluster.Namespace)
}

type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
}

// mount changes a credential's files at once, as the kubelet does.
func (n *node) mount(region string, content map[string]string) error {
	decoded := corev1.Secret{}
	text, err := yaml.Marshal(map[string]any{"data": content})
	if err == nil {
		err = yaml.Unmarshal(text, &decoded)
	}
	if err != nil {
		return err
	}
	login := credential.Login{Username: string(decoded.Data["username"]), Password: string(decoded.Data["password"])}
	if n.login(region) == login {
		return nil
	}
	version := filepath.Join(n.dir, "versions", strconv.FormatInt(time.Now().UnixNano(), 10))
	link := filepath.Join(n.dir, "credentials", region)
	err = errors.Join(
		os.MkdirAll(version, 0o700), os.MkdirAll(filepath.Dir(link), 0o700),
		os.WriteFile(filepath.Join(version, "username"), []byte(login.Username), 0o600),
		os.WriteFile(filepath.Join(version, "password"), []byte(login.Password), 0o600),
		os.Symlink(version, link+".new"), os.Rename(link+".new", link),
	)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.logins[region] = login
	return err
}

// rollOut restarts the agent when its environment changes, as a DaemonSet does.
func (n *node) rollOut(ctx context.Context, home, cluster, namespace string) error {
	if n.home() == home {
		return nil
	}
	if n.process != nil {
		refused, err := n.count(ctx)
		if err == nil {
			err = n.process.Stop()
		}
		if err != nil {
			return err
		}
		n.mu.Lock()
		n.refusals += refused
		n.mu.Unlock()
	}
	_, port, err := net.SplitHostPort(n.metrics)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	p, err := agent.Start(ctx, agent.Config{
		Binary: collector, Configs: []string{"testdata/agent.yaml"}, HealthURL: "http://" + n.health, MetricsURL: "http://" + n.metrics + "/metrics", Log: n.log,
		Env: []string{
			"KOF_REGION=" + home, "KOF_CLUSTER_NAME=" + cluster, "KOF_CLUSTER_NAMESPACE=" + namespace,
			"TEST_DIR=" + n.dir, "TEST_OTLP=" + n.otlp, "TEST_HEALTH=" + n.health, "TEST_METRICS_PORT=" + port,
		},
	})
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process, n.running = p, home
	return nil
}

func (n *node) home() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running
}

// login is the last credential for a region that the node got.
func (n *node) login(region string) credential.Login {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.logins[region]
}
