// SPDX-License-Identifier: Apache-2.0

package kubeapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/k0rdent/kof/test/kubeapi/pki"
	"github.com/k0rdent/kof/test/toolcache"
)

// startTries is how often a start is tried: another process may take a port between its choice and its use.
const startTries = 3

// startTimeout bounds one try. Two cores that others use too take a minute.
const startTimeout = 3 * time.Minute

// ControlPlane is a running etcd and kube-apiserver.
type ControlPlane struct {
	Config     *rest.Config // of a cluster admin
	Kubeconfig string       // path of the same
	CAFile     string

	ca        *pki.Authority
	dir       string
	processes []*process
}

// StartT starts a control plane that ends with the test; flags are further ones of kube-apiserver.
func StartT(t testing.TB, flags ...string) *ControlPlane {
	t.Helper()
	cp, err := Start(t.Context(), t.TempDir(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cp.Stop()
		if t.Failed() {
			t.Logf("log of kube-apiserver ends with:\n%s", cp.processes[1].tail())
		}
	})
	return cp
}

// Start starts a control plane whose files are in dir, with further flags of kube-apiserver; Stop ends it.
func Start(ctx context.Context, dir string, flags ...string) (*ControlPlane, error) {
	var failed error
	for try := range startTries {
		own := filepath.Join(dir, fmt.Sprintf("control-plane-%d", try))
		if err := os.MkdirAll(own, 0o700); err != nil {
			return nil, err
		}
		cp, err := start(ctx, own, flags)
		if err == nil {
			return cp, nil
		}
		if failed = err; ctx.Err() != nil {
			break
		}
	}
	return nil, failed
}

func start(ctx context.Context, dir string, flags []string) (cp *ControlPlane, err error) {
	etcd, err := toolcache.Binary(ctx, "etcd", os.Stderr)
	if err != nil {
		return nil, err
	}
	apiserver, err := toolcache.Binary(ctx, "kube-apiserver", os.Stderr)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	cp = &ControlPlane{dir: dir, CAFile: filepath.Join(dir, "ca.crt")}
	defer func() {
		if err != nil {
			cp.Stop()
		}
	}()
	if err := cp.writePKI(); err != nil {
		return nil, err
	}
	client, peer := "http://"+loopback(ports[0]), "http://"+loopback(ports[1])
	err = cp.run("etcd", etcd, "--data-dir="+filepath.Join(dir, "etcd"), "--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer, "--unsafe-no-fsync", "--log-level=warn")
	if err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	err = cp.run("kube-apiserver", apiserver, append([]string{"--etcd-servers=" + client, fmt.Sprintf("--secure-port=%d", ports[2]),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
		"--allow-privileged=true", "--client-ca-file=" + cp.CAFile, "--tls-cert-file=" + file("server.crt"), "--tls-private-key-file=" + file("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-account-key-file=" + file("sa.key"),
		"--service-account-signing-key-file=" + file("sa.key"), "--cert-dir=" + dir, "--v=1"}, flags...)...)
	if err != nil {
		return nil, err
	}
	return cp, cp.connect(ctx, "https://"+loopback(ports[2]))
}

func (c *ControlPlane) run(name, path string, args ...string) error {
	p, err := startProcess(name, filepath.Join(c.dir, name+".log"), path, args...)
	if err == nil {
		c.processes = append(c.processes, p)
	}
	return err
}

func (c *ControlPlane) writePKI() (err error) {
	if c.ca, err = pki.NewAuthority(); err != nil {
		return err
	}
	cert, key, err := c.ca.Issue(pki.Certificate{Name: "kube-apiserver", Hosts: []string{"localhost", "127.0.0.1", "kubernetes.default.svc", "10.96.0.1"}})
	if err != nil {
		return err
	}
	sa, err := c.ca.KeyPEM()
	if err != nil {
		return err
	}
	return pki.WriteFiles(c.dir, map[string][]byte{"ca.crt": c.ca.PEM, "server.crt": cert, "server.key": key, "sa.key": sa})
}

// connect waits until the API server is ready.
func (c *ControlPlane) connect(ctx context.Context, url string) error {
	config, kubeconfig, err := c.user(url, "admin", "system:masters")
	if err != nil {
		return err
	}
	c.Config, c.Kubeconfig = config, kubeconfig
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if _, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err == nil {
			return nil
		}
		for _, p := range c.processes {
			select {
			case <-p.done:
				return fmt.Errorf("%s ended while starting:\n%s", p.name, p.tail())
			case <-ctx.Done():
				return errors.Join(ctx.Err(), errors.New(c.processes[len(c.processes)-1].tail()))
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// User returns a kubeconfig and configuration for a user with a certificate: RBAC decides what it may.
func (c *ControlPlane) User(name string, groups ...string) (*rest.Config, string, error) {
	return c.user(c.Config.Host, name, groups...)
}

func (c *ControlPlane) user(url, name string, groups ...string) (*rest.Config, string, error) {
	cert, key, err := c.ca.Issue(pki.Certificate{Name: name, Groups: groups})
	if err != nil {
		return nil, "", err
	}
	k := clientcmdapi.NewConfig()
	k.Clusters["c"] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: c.ca.PEM}
	k.AuthInfos["u"] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
	k.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	k.CurrentContext = "x"
	// A colon would make it two paths in KUBECONFIG.
	path := filepath.Join(c.dir, strings.ReplaceAll(name, ":", "-")+".kubeconfig")
	if err := clientcmd.WriteToFile(*k, path); err != nil {
		return nil, "", err
	}
	config, err := clientcmd.NewDefaultClientConfig(*k, nil).ClientConfig()
	return config, path, err
}

// Stop ends it at once; nothing of it is worth an orderly end.
func (c *ControlPlane) Stop() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		c.processes[i].kill()
	}
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// freePorts returns ports that are free now.
func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // held until all are chosen, so that they differ
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}
