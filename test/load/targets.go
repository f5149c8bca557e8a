// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/load/exposition"
)

const (
	// nodeExporterModule pins node_exporter's version; it is built from there, below the repository's root.
	nodeExporterModule  = "test/load/nodeexporter"
	nodeExporterPackage = "github.com/prometheus/node_exporter"
)

// The targets, by the names of their jobs.
const (
	jobNode     = "node-exporter"
	jobKubelet  = "kubelet"
	jobCadvisor = "cadvisor"
)

var allTargets = []string{jobNode, jobKubelet, jobCadvisor}

// target is something to scrape.
type target struct {
	Job, Address, Path string
}

// targets are what a node agent scrapes on a full node: 110 pods is a kubelet's default limit.
type targets struct {
	Interval time.Duration
	Targets  []target
	series   int
}

func (b *bench) startTargets(ctx context.Context, interval time.Duration) (*targets, error) {
	load := exposition.Load{Pods: 110, Containers: 250, Spread: interval / 2}
	pages := map[string]*exposition.Page{"/metrics": exposition.Kubelet(2, load), "/metrics/cadvisor": exposition.Cadvisor(1, load)}
	server, err := exposition.Serve(pages, interval/4)
	if err != nil {
		return nil, err
	}
	b.atEnd(server.Close)
	t := &targets{Interval: interval}
	for _, job := range b.options.targets {
		one := target{Job: job, Address: server.Address(), Path: "/metrics"}
		if job == jobCadvisor {
			one.Path = "/metrics/cadvisor"
		}
		if job == jobNode {
			if one.Address, err = b.startNodeExporter(ctx); err != nil {
				return nil, err
			}
			node, err := readFigures(ctx, "http://"+one.Address+one.Path)
			if err != nil {
				return nil, err
			}
			t.series += len(node)
		} else {
			t.series += pages[one.Path].Series()
		}
		t.Targets = append(t.Targets, one)
	}
	return t, nil
}

func (b *bench) startNodeExporter(ctx context.Context) (address string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	binary, err := b.buildNodeExporter(ctx)
	if err != nil {
		return "", err
	}
	address = fmt.Sprintf("127.0.0.1:%d", port)
	p, err := child.Start(ctx, child.Command{
		Name: "node_exporter", Path: binary, Args: []string{"--web.listen-address=" + address}, Log: b.join("node_exporter.log"),
		Ready: "http://" + address + "/",
	})
	if err != nil {
		return "", err
	}
	b.atEnd(p.Stop)
	return address, nil
}

// buildNodeExporter builds the pinned node_exporter; the Go build cache makes that a matter of a second after the first time.
func (b *bench) buildNodeExporter(ctx context.Context) (string, error) {
	path := b.join("node_exporter")
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", path, nodeExporterPackage)
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/k0rdent/kof").Output()
	if err != nil {
		return "", fmt.Errorf("the repository has to be the working directory: %w", err)
	}
	cmd.Dir = filepath.Join(string(bytes.TrimSpace(root)), filepath.FromSlash(nodeExporterModule))
	// As the flags of whoever builds KOF must not change it.
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath -mod=readonly -buildvcs=false", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building node_exporter: %w\n%s", err, output)
	}
	return path, nil
}
