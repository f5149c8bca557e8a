// SPDX-License-Identifier: Apache-2.0

// Package kube runs a real Kubernetes of one node for tests: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
// kubelet, kube-proxy, containerd, runc, CNI plugins and CoreDNS, with kubectl and Helm to use it.
//
//	c := kube.StartT(t, kube.Options{})
//	err := c.LoadImage(ctx, "localhost/workload:test", kube.Image{…})
//	out, err := c.Exec(ctx, nil, "helm", "install", …)
//	pods, err := c.Client.CoreV1().Pods("default").List(ctx, …)
//	address, err := c.Expose("127.0.0.1:8428") // for pods
//
// It runs in namespaces and cgroups of its own, without a way out or in: nothing of it listens on the machine, and nothing
// stays, also when the test's process is killed. README.md says what it needs, how it is built and where its limits are.
package kube
