// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// The cluster's addresses; those of the node are set by tools/kubernetes-node.
const (
	NodeName    = "node1"
	NodeAddress = "10.99.0.1"

	outsideAddress    = "10.98.0.1"
	apiServiceAddress = "10.96.0.1"
	dnsAddress        = "10.96.0.10"
	serviceNetwork    = "10.96.0.0/16"
	apiURL            = "https://127.0.0.1:6443"
	containerdSocket  = "/run/containerd/containerd.sock"
	pauseImage        = "localhost/kof/pause:test"
	coreDNSImage      = "localhost/kof/coredns:test"
)

// Cluster is a running Kubernetes of one node.
type Cluster struct {
	// Config is of a cluster administrator, for use by this process: connections are made inside the cluster's network.
	Config *rest.Config
	// Client uses Config.
	Client kubernetes.Interface
	// Kubeconfig is the path of the same, for programs that run inside.
	Kubeconfig string

	dir         string
	progress    io.Writer
	programs    programs
	environ     []string // of what runs inside
	machine     *machine
	network     *network
	connections *connections
	started     time.Time
}

// Start starts a cluster and waits until its node is ready and its DNS answers. ctx bounds the start, not the cluster's life.
// What clusters left whose processes were killed is removed first. When the start fails, nothing is left of it. The error
// is ErrUnsupported on a machine that can't run one.
func Start(ctx context.Context, options Options) (_ *Cluster, err error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	if err := Supported(); err != nil {
		return nil, err
	}
	c := &Cluster{progress: options.Progress, connections: newConnections()}
	if c.progress == nil {
		c.progress = os.Stderr
	}
	if c.programs, err = findPrograms(ctx, c.progress); err != nil {
		return nil, err
	}
	c.started = time.Now()
	if c.machine, err = startMachine(ctx, options, c.programs.Tools[nodeTool], c.progress); err != nil {
		return nil, err
	}
	c.dir = c.machine.dir
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("one-node Kubernetes: %w", err), c.Stop())
		}
	}()
	if err := c.prepare(options); err != nil {
		return nil, err
	}
	return c, c.run(ctx)
}

// Open returns a cluster that another process has started in that folder and that stays. Stop doesn't end it; Down does.
func Open(dir string) (*Cluster, error) {
	c := &Cluster{dir: dir, progress: io.Discard, connections: newConnections()}
	var err error
	if c.machine, err = openMachine(dir); err != nil {
		return nil, err
	}
	if c.programs, err = readPrograms(filepath.Join(dir, programsFile)); err != nil {
		return nil, err
	}
	return c, c.connect()
}

// prepare writes everything that the programs read.
func (c *Cluster) prepare(options Options) error {
	if err := writePKI(filepath.Join(c.dir, "pki")); err != nil {
		return err
	}
	err := errors.Join(c.programs.link(filepath.Join(c.dir, "bin")), c.programs.write(filepath.Join(c.dir, programsFile)))
	if err != nil {
		return err
	}
	for _, folder := range []string{"cni", "etcd", "home", "images", "log", "tmp", "volume-plugins"} {
		if err := os.Mkdir(filepath.Join(c.dir, folder), 0o755); err != nil {
			return err
		}
	}
	if err := c.writeConfig(options.Kubelet); err != nil {
		return err
	}
	return c.connect()
}

// connect sets what is needed to use the cluster.
func (c *Cluster) connect() (err error) {
	libraries, err := c.programs.libraries()
	if err != nil {
		return err
	}
	if c.network, err = openNetwork(c.machine.pid); err != nil {
		return err
	}
	c.Kubeconfig = filepath.Join(c.dir, "pki", adminUser+".kubeconfig")
	home := filepath.Join(c.dir, "home")
	c.environ = []string{
		"PATH=" + filepath.Join(c.dir, "bin") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"KUBECONFIG=" + c.Kubeconfig,
		"HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
		"TMPDIR=" + filepath.Join(c.dir, "tmp"),
		"LD_LIBRARY_PATH=" + libraries,
		"XTABLES_LIBDIR=" + filepath.Join(libraries, "xtables"),
		"CONTAINERD_ADDRESS=" + containerdSocket,
	}
	if c.Config, err = adminConfig(filepath.Join(c.dir, "pki")); err != nil {
		return err
	}
	c.Config.Dial = c.Dial
	c.Config.QPS, c.Config.Burst = 100, 200
	c.Client, err = kubernetes.NewForConfig(c.Config)
	return err
}

// Stop ends the cluster, unless it was opened, and removes everything of it. Further calls do nothing.
func (c *Cluster) Stop() error {
	c.connections.close()
	var err error
	if c.network != nil {
		err = c.network.close()
	}
	return errors.Join(err, c.machine.stop())
}

// Dir is the folder with what the cluster writes; log holds a file for each program.
func (c *Cluster) Dir() string { return c.dir }

// AuditLog is the path of the API server's audit log: one JSON object of audit.k8s.io/v1 for each request.
func (c *Cluster) AuditLog() string { return filepath.Join(c.dir, "log", "audit.json") }

func (c *Cluster) tell(format string, args ...any) {
	fmt.Fprintf(c.progress, "kubernetes: %5.1f s  %s\n", time.Since(c.started).Seconds(), fmt.Sprintf(format, args...))
}
