// SPDX-License-Identifier: Apache-2.0

// Package kubeapi runs a real control plane for tests: etcd and kube-apiserver on loopback, without a scheduler, controllers
// or nodes. Objects are stored, validated, listed and watched as in a cluster; nothing acts on them.
//
//	cp := kubeapi.StartT(t)
//	client := kubernetes.NewForConfigOrDie(cp.Config)
//
// The programs are built from Go modules into the user's cache by package toolcache, once per version: about 13 minutes of
// CPU the first time. Ready after some ten seconds; both end with the test, and with the test's process.
package kubeapi
