// SPDX-License-Identifier: Apache-2.0

// Command charts brings what charts repeat into line with its source: the role configurations of the collector, which a chart can
// only read from its own folder, the alerts that regions can compute as well, the helpers that all charts but kof-collectors share, the CRDs of kof-operator, and the table of values in its README, which comes from the comments of values.yaml. With -check it
// changes nothing and fails when a run would change something. To be started in the repository's root.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/k0rdent/kof/hack/internal/generated"
)

const (
	chartsDir = "deploy/charts"
	rolesDir  = "distributions/kof-otelcol"
	crdsDir   = "deploy/crds"
)

// roles are the configurations that each chart has copies of.
var roles = map[string][]string{
	"kof-collectors": {"agent.yaml", "cluster.yaml"},
}

// alerts are those of kof-mothership that kof-storage has copies of, so that a region can compute them itself: those that are urgent and need
// nothing but the region's data.
var alerts = []string{"nodes.yaml", "workloads.yaml", "storage.yaml", "control-plane.yaml", "kof-agents.yaml", "kof-stores.yaml"}

// common are the helpers that charts have a copy of, so that each can be installed by itself.
//
//go:embed common.tpl
var common []byte

// withCommon are the charts that have one.
var withCommon = []string{"kof-storage", "kof-mothership", "kof-regional", "kof-child", "kof-dashboards", "kof"}

func main() {
	check := flag.Bool("check", false, "change nothing, fail when something is stale")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
}

// run does it for the repository in root.
func run(root string, check bool) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	changed, err := generated.Write(files, check)
	if err != nil {
		return err
	}
	if !check {
		fmt.Printf("%s: %d files, %d changed\n", chartsDir, len(files), changed)
	}
	return nil
}

// generate returns what the files have to hold, by path.
func generate(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for chart, names := range roles {
		for _, name := range names {
			content, err := os.ReadFile(filepath.Join(root, rolesDir, name))
			if err != nil {
				return nil, err
			}
			files[filepath.Join(root, chartsDir, chart, "files", name)] = content
		}
	}
	for _, name := range alerts {
		content, err := os.ReadFile(filepath.Join(root, chartsDir, "kof-mothership", "files", "alerts", name))
		if err != nil {
			return nil, err
		}
		files[filepath.Join(root, chartsDir, "kof-storage", "files", "alerts", name)] = content
	}
	// The kinds of kof-operator come with the chart that installs it.
	crds, err := filepath.Glob(filepath.Join(root, crdsDir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, c := range crds {
		content, err := os.ReadFile(c)
		if err != nil {
			return nil, err
		}
		files[filepath.Join(root, chartsDir, "kof-mothership", "crds", filepath.Base(c))] = content
	}
	charts, err := filepath.Glob(filepath.Join(root, chartsDir, "*", "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	for _, c := range charts {
		dir := filepath.Dir(c)
		if slices.Contains(withCommon, filepath.Base(dir)) {
			files[filepath.Join(dir, "templates", "_common.tpl")] = common
		}
		readme := filepath.Join(dir, "README.md")
		values, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(readme)
		if err != nil {
			return nil, err
		}
		if files[readme], err = withTable(text, values); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	return files, nil
}
