// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/k0rdent/kof/test/toolcache"
)

// nodeTool is the program that makes the machine and starts programs in it.
const nodeTool = "kubernetes-node"

// tools are built from Go modules.
var tools = []string{
	nodeTool, "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl",
	"coredns", "helm",
}

// debian are the Debian packages with the rest.
var debian = []string{"containerd", "runc", "containernetworking-plugins", "nftables", "iptables"}

// programs is where everything is that a cluster runs.
type programs struct {
	Tools  map[string]string // path by name
	Debian string            // root of the unpacked packages
}

func findPrograms(ctx context.Context, progress io.Writer) (programs, error) {
	p := programs{Tools: map[string]string{}}
	for _, name := range tools {
		path, err := toolcache.Binary(ctx, name, progress)
		if err != nil {
			return p, err
		}
		p.Tools[name] = path
	}
	var err error
	p.Debian, err = toolcache.DebianPackages(ctx, debian, progress)
	return p, err
}

// write notes for Open what the cluster runs.
func (p programs) write(path string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func readPrograms(path string) (p programs, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(text, &p)
}

// link makes a folder with everything by its usual name.
func (p programs) link(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	var errs []error
	link := func(target, name string) {
		// Some are in both folders.
		if err := os.Symlink(target, filepath.Join(dir, name)); !errors.Is(err, os.ErrExist) {
			errs = append(errs, err)
		}
	}
	for name, path := range p.Tools {
		link(path, name)
	}
	for _, folder := range []string{"bin", "sbin"} {
		files, err := os.ReadDir(filepath.Join(p.Debian, "usr", folder))
		errs = append(errs, err)
		for _, f := range files {
			link(filepath.Join(p.Debian, "usr", folder, f.Name()), f.Name())
		}
	}
	// An installed package has these by update-alternatives.
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		link(filepath.Join(p.Debian, "usr", "sbin", "xtables-nft-multi"), name)
	}
	return errors.Join(errs...)
}

// libraries returns the folder of the unpacked packages' shared libraries, whose name has the machine's architecture.
func (p programs) libraries() (string, error) {
	found, err := filepath.Glob(filepath.Join(p.Debian, "usr", "lib", "*-linux-gnu*"))
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("the Debian packages have %d folders of libraries instead of 1", len(found))
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}
