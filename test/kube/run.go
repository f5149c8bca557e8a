// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// stepTimeout bounds the wait for one program. Two cores that others use too may take a minute.
	stepTimeout = 3 * time.Minute
	stepPoll    = 100 * time.Millisecond
)

// run starts the programs, each when what it needs is there.
func (c *Cluster) run(ctx context.Context) error {
	pki := func(name string) string { return filepath.Join(c.dir, "pki", name) }
	kubeconfig := func(name string) string { return "--kubeconfig=" + pki(name+".kubeconfig") }
	const etcdURL = "http://127.0.0.1:2379"
	err := errors.Join(
		c.start("etcd", "--data-dir="+filepath.Join(c.dir, "etcd"), "--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
			"--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync", "--log-level=warn"),
		c.start("containerd", "--config="+filepath.Join(c.dir, "containerd.toml")),
		c.start("kube-apiserver", "--etcd-servers="+etcdURL, "--secure-port=6443", "--advertise-address="+NodeAddress,
			"--service-cluster-ip-range="+serviceNetwork, "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true", "--client-ca-file="+pki("ca.crt"),
			"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"),
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file="+pki("sa.key"), "--service-account-signing-key-file="+pki("sa.key"),
			"--kubelet-client-certificate="+pki("apiserver-kubelet.crt"), "--kubelet-client-key="+pki("apiserver-kubelet.key"),
			"--kubelet-certificate-authority="+pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
			"--audit-policy-file="+filepath.Join(c.dir, "audit.yaml"), "--audit-log-path="+c.AuditLog()))
	if err != nil {
		return err
	}
	err = c.wait(ctx, "containerd", func(ctx context.Context) error {
		_, err := c.Exec(ctx, nil, "ctr", "version")
		return err
	})
	if err != nil {
		return err
	}
	if err := c.loadOwnImages(ctx); err != nil {
		return err
	}
	c.tell("containerd with its images")
	err = c.wait(ctx, "kube-apiserver", func(ctx context.Context) error {
		_, err := c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	})
	if err != nil {
		return err
	}
	c.tell("API server ready")
	err = errors.Join(
		c.start("kube-controller-manager", kubeconfig("kube-controller-manager"), "--service-account-private-key-file="+pki("sa.key"),
			"--root-ca-file="+pki("ca.crt"), "--use-service-account-credentials", "--cluster-signing-cert-file="+pki("ca.crt"),
			"--cluster-signing-key-file="+pki("ca.key"), "--leader-elect=false", "--bind-address=127.0.0.1"),
		c.start("kube-scheduler", kubeconfig("kube-scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1"),
		c.start("kubelet", kubeconfig("kubelet"), "--config="+filepath.Join(c.dir, "kubelet.yaml"), "--node-ip="+NodeAddress,
			"--hostname-override="+NodeName, "--v=2"),
		c.start("kube-proxy", "--config="+filepath.Join(c.dir, "kube-proxy.yaml"), "--hostname-override="+NodeName))
	if err != nil {
		return err
	}
	manifest, err := os.Open(filepath.Join(c.dir, coreDNSManifest))
	if err != nil {
		return err
	}
	defer manifest.Close()
	if _, err := c.Exec(ctx, manifest, "kubectl", "apply", "-f", "-"); err != nil {
		return err
	}
	if err := c.wait(ctx, "kubelet", c.nodeReady); err != nil {
		return err
	}
	c.tell("node ready")
	if err := c.wait(ctx, "kubelet", c.dnsReady); err != nil {
		return err
	}
	c.tell("DNS ready; programs log to %s", filepath.Join(c.dir, "log"))
	return nil
}

func (c *Cluster) nodeReady(ctx context.Context) error {
	node, err := c.Client.CoreV1().Nodes().Get(ctx, NodeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			if condition.Status == corev1.ConditionTrue {
				return nil
			}
			return fmt.Errorf("the node isn't ready: %s", condition.Message)
		}
	}
	return errors.New("the node has no condition Ready")
}

func (c *Cluster) dnsReady(ctx context.Context) error {
	d, err := c.Client.AppsV1().Deployments("kube-system").Get(ctx, "coredns", metav1.GetOptions{})
	if err == nil && d.Status.AvailableReplicas == 0 {
		err = errors.New("CoreDNS isn't available")
	}
	return err
}

// wait polls until try gives no error. The error of a wait that took too long has the end of the program's log.
func (c *Cluster) wait(ctx context.Context, program string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("not after %s", stepTimeout))
	defer cancel()
	var last error
	for {
		if err := try(ctx); err == nil {
			return nil
		} else if ctx.Err() == nil {
			last = err // and not that the wait ended
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w: %w\nits log ends with:\n%s", program, context.Cause(ctx), last, c.logTail(program))
		case <-time.After(stepPoll):
		}
	}
}

// Logs returns the end of what each of the cluster's programs printed.
func (c *Cluster) Logs() string {
	files, err := filepath.Glob(filepath.Join(c.dir, "log", "*.log"))
	if err != nil {
		return err.Error()
	}
	var out string
	for _, f := range files {
		out += fmt.Sprintf("--- %s\n%s\n", filepath.Base(f), tail(f))
	}
	return out
}

func (c *Cluster) logTail(program string) string {
	return tail(filepath.Join(c.dir, "log", program+".log"))
}

func tail(path string) string {
	const limit = 3000
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-limit):])
}
