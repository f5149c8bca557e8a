// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bytes"
	"embed"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed config
var configs embed.FS

// configFiles are the files below config by where they go in the cluster's folder.
var configFiles = map[string]string{
	"containerd.toml": "containerd.toml",
	"cni.conflist":    "cni/10-pods.conflist",
	"kubelet.yaml":    "kubelet.yaml",
	"kube-proxy.yaml": "kube-proxy.yaml",
	"audit.yaml":      "audit.yaml",
	coreDNSManifest:   coreDNSManifest,
}

const coreDNSManifest = "coredns.yaml"

func (c *Cluster) writeConfig(kubelet KubeletOptions) error {
	data := map[string]any{
		"Dir": c.dir, "Debian": c.programs.Debian, "ContainerdSocket": containerdSocket, "PauseImage": pauseImage,
		"CoreDNSImage": coreDNSImage, "DNSAddress": dnsAddress, "Kubelet": kubelet,
	}
	for name, target := range configFiles {
		t, err := template.ParseFS(configs, "config/"+name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, data); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(c.dir, target), b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	// Of pods with the node's DNS, and of CoreDNS, which has no one to ask.
	return os.WriteFile(filepath.Join(c.dir, "resolv.conf"), []byte("nameserver "+dnsAddress+"\n"), 0o644)
}
