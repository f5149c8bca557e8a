// SPDX-License-Identifier: Apache-2.0

package toolcache

import (
	"fmt"
	"slices"
	"strings"
)

// Tool describes one program and how it is built.
type Tool struct {
	// Name is the name of the program and of its binary.
	Name string
	// Module is the folder with the tool's go.mod, below the repository root. The Go files there, if any, are the program.
	Module string
	// Package is the import path of the program's main package.
	Package string
	// Tags are Go build tags.
	Tags []string
	// LDFlags are added to those of the linker.
	LDFlags string
	// Cgo says that the program can't be built with CGO_ENABLED=0.
	Cgo bool
	// ColdCPU is about how many CPU seconds the build takes with an empty Go
	// build cache; shown to whoever waits for it.
	ColdCPU int
	// Default says that tests and the demo can't run without it.
	Default bool
}

const victoriaMetricsApp = "github.com/VictoriaMetrics/VictoriaMetrics/app/"

// collectorTags are those of kof-otelcol in the Makefile, so that a collector of other components shares its build cache.
var collectorTags = []string{"remove_all_sd", "enable_kubernetes_sd", "grpcnotrace"}

// kubernetesVersion is that of tools/kubernetes/go.mod. Kubernetes' own builds stamp it in; without it every program says v0.0.0.
const kubernetesVersion = "v1.37.2"

// kubernetesTool is a command of Kubernetes; coldCPU is with what the others share in the build cache, but for kube-apiserver.
func kubernetesTool(name string, coldCPU int) Tool {
	major, minor, _ := strings.Cut(strings.TrimPrefix(kubernetesVersion, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	var flags []string
	for _, p := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, stamp := range []string{
			"gitVersion=" + kubernetesVersion, "gitMajor=" + major, "gitMinor=" + minor, "gitTreeState=clean",
			"buildDate=2026-01-01T00:00:00Z", // any that can be parsed
		} {
			flags = append(flags, "-X "+p+"."+stamp)
		}
	}
	return Tool{
		Name: name, Module: "tools/kubernetes", Package: "k8s.io/kubernetes/cmd/" + name,
		LDFlags: strings.Join(flags, " "), ColdCPU: coldCPU,
	}
}

var known = []Tool{
	{Name: "victoria-metrics", Module: "tools/victoriametrics", Package: victoriaMetricsApp + "victoria-metrics", ColdCPU: 80, Default: true},
	{Name: "vmagent", Module: "tools/victoriametrics", Package: victoriaMetricsApp + "vmagent", ColdCPU: 90},
	{Name: "vmalert", Module: "tools/victoriametrics", Package: victoriaMetricsApp + "vmalert", ColdCPU: 90},
	{Name: "vmauth", Module: "tools/victoriametrics", Package: victoriaMetricsApp + "vmauth", ColdCPU: 60},
	{Name: "victoria-logs", Module: "tools/victorialogs", Package: "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs", ColdCPU: 70, Default: true},
	{Name: "vlagent", Module: "tools/victorialogs", Package: "github.com/VictoriaMetrics/VictoriaLogs/app/vlagent", ColdCPU: 70},
	{Name: "jaeger", Module: "tools/jaeger", Package: "github.com/jaegertracing/jaeger/cmd/jaeger", ColdCPU: 300, Default: true},
	{Name: "opencost", Module: "tools/opencost", Package: "github.com/opencost/opencost/cmd/costmodel", ColdCPU: 600},
	{Name: "etcd", Module: "tools/etcd", Package: "go.etcd.io/etcd/server/v3", ColdCPU: 75},
	kubernetesTool("kube-apiserver", 720),
	kubernetesTool("kube-controller-manager", 240),
	kubernetesTool("kube-proxy", 25),
	kubernetesTool("kube-scheduler", 20),
	kubernetesTool("kubectl", 50),
	kubernetesTool("kubelet", 60),
	{Name: "node_exporter", Module: "tools/nodeexporter", Package: "github.com/prometheus/node_exporter", ColdCPU: 45},
	{Name: "amtool", Module: "tools/alertmanager", Package: "github.com/prometheus/alertmanager/cmd/amtool", ColdCPU: 100},
	{Name: "promtool", Module: "tools/prometheus", Package: "github.com/prometheus/prometheus/cmd/promtool", Tags: []string{"remove_all_sd"}, ColdCPU: 200},
	{Name: "kube-state-metrics", Module: "tools/kube-state-metrics", Package: "k8s.io/kube-state-metrics/v2", ColdCPU: 120},
	{Name: "opentelemetry-operator", Module: "tools/opentelemetry-operator", Package: "github.com/open-telemetry/opentelemetry-operator", ColdCPU: 290},
	{Name: "coredns", Module: "tools/coredns", Package: "github.com/k0rdent/kof/tools/coredns", ColdCPU: 140},
	{Name: "kubernetes-node", Module: "tools/kubernetes-node", Package: "github.com/k0rdent/kof/tools/kubernetes-node", ColdCPU: 15},
	{Name: "kwok", Module: "tools/kwok", Package: "sigs.k8s.io/kwok/cmd/kwok", ColdCPU: 175},
	{Name: "helm", Module: "tools/helm", Package: "helm.sh/helm/v4/cmd/helm", ColdCPU: 300},
	{Name: "controller-gen", Module: "tools/controller-gen", Package: "sigs.k8s.io/controller-tools/cmd/controller-gen", ColdCPU: 40},
	{Name: "dex", Module: "tools/dex", Package: "github.com/dexidp/dex/cmd/dex", Cgo: true, ColdCPU: 150},
	{Name: "ocb", Module: "tools/ocb", Package: "go.opentelemetry.io/collector/cmd/builder", ColdCPU: 45},
	{Name: "stock-otelcol", Module: "test/chaos/stock", Package: "github.com/k0rdent/kof/test/chaos/stock", Tags: collectorTags, ColdCPU: 900},
	{Name: "staticcheck", Module: "tools/staticcheck", Package: "honnef.co/go/tools/cmd/staticcheck", ColdCPU: 75},
	{Name: "govulncheck", Module: "tools/govulncheck", Package: "golang.org/x/vuln/cmd/govulncheck", ColdCPU: 60},
}

// Tools returns all known tools, in the order of the table.
func Tools() []Tool { return slices.Clone(known) }

// find returns the tool of that name; the error lists the known names.
func find(name string) (Tool, error) {
	names := make([]string, 0, len(known))
	for _, t := range known {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Tool{}, fmt.Errorf("unknown tool %q; known are %s", name, strings.Join(names, ", "))
}
