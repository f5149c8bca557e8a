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
	"strings"
	"sync"
	"time"

	"github.com/k0rdent/kof/test/faultproxy"
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
	jobFleet    = "fleet"
)

var allTargets = []string{jobNode, jobKubelet, jobCadvisor, jobFleet}

// fleetSize is how many targets the job fleet has: pages of one kind, as those of a deployment's pods are.
const fleetSize = 20

// target is something to scrape at one or several addresses.
type target struct {
	Job, Path string
	Addresses []string
}

// targets are what a node agent scrapes on a full node: 110 pods is a kubelet's default limit.
type targets struct {
	Interval time.Duration
	Targets  []target
	series   int
	largest  int // series of the largest page
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
	nodeExporter := sync.OnceValues(func() (string, error) { return b.startNodeExporter(ctx) })
	for _, job := range b.options.targets {
		one := target{Job: job, Path: "/metrics", Addresses: []string{server.Address()}}
		switch job {
		case jobCadvisor:
			one.Path = "/metrics/cadvisor"
		case jobNode, jobFleet:
			if one.Addresses, err = b.nodeExporters(ctx, nodeExporter, job); err != nil {
				return nil, err
			}
		}
		page, err := readFigures(ctx, "http://"+one.Addresses[0]+one.Path)
		if err != nil {
			return nil, err
		}
		t.series += len(page) * len(one.Addresses)
		t.largest = max(t.largest, len(page))
		t.Targets = append(t.Targets, one)
	}
	return t, nil
}

// nodeExporters returns the addresses of the jobs that scrape a node_exporter: its own, or those of a fleet of proxies in front of it.
func (b *bench) nodeExporters(ctx context.Context, start func() (string, error), job string) ([]string, error) {
	address, err := start()
	if err != nil || job == jobNode {
		return []string{address}, err
	}
	var fleet []string
	for range fleetSize {
		proxy, err := faultproxy.Start("http://" + address)
		if err != nil {
			return nil, err
		}
		b.atEnd(proxy.Close)
		fleet = append(fleet, strings.TrimPrefix(proxy.URL(), "http://"))
	}
	return fleet, nil
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
	root, err := repository(ctx)
	if err != nil {
		return "", err
	}
	cmd.Dir = filepath.Join(root, filepath.FromSlash(nodeExporterModule))
	// As the flags of whoever builds KOF must not change it.
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath -mod=readonly -buildvcs=false", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building node_exporter: %w\n%s", err, output)
	}
	return path, nil
}

// repository returns the root of the repository that the working directory is in.
func repository(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/k0rdent/kof").Output()
	if err != nil {
		return "", fmt.Errorf("the repository has to be the working directory: %w", err)
	}
	return string(bytes.TrimSpace(root)), nil
}
