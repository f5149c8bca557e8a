// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// otelcolModule moves with every release of the collector: its version is the beta version in use.
	otelcolModule = "go.opentelemetry.io/collector/otelcol"
	// componentModule is one of the collector's 1.x modules, which all have the same version.
	componentModule = "go.opentelemetry.io/collector/component"
)

// goMod is the part of `go mod edit -json` that is needed here.
type goMod struct {
	Require []struct{ Path, Version string }
}

func (g goMod) version(path string) string {
	for _, r := range g.Require {
		if r.Path == path {
			return r.Version
		}
	}
	return ""
}

// modulePlan is what has to change for the modules to be those of the manifest, as arguments of `go mod edit`.
type modulePlan struct {
	stable   string
	edits    []string
	ocbEdits []string
}

// planModules compares go.mod and ocb's go.mod with the manifest. For a check it stays with the local files.
func planModules(m *manifest, check bool) (*modulePlan, error) {
	mod, err := readGoMod("go.mod")
	if err != nil {
		return nil, err
	}
	ocb, err := readGoMod(ocbDir + "/go.mod")
	if err != nil {
		return nil, err
	}
	plan := &modulePlan{stable: mod.version(componentModule)}
	if !check && mod.version(otelcolModule) != m.Collector {
		if plan.stable, err = stableOf(m.Collector); err != nil {
			return nil, err
		}
	}
	plan.edits = moduleEdits(mod, m, plan.stable)
	if ocb.version(ocbModule) != m.Collector {
		plan.ocbEdits = []string{"-require=" + ocbModule + "@" + m.Collector}
	}
	return plan, nil
}

// stale returns an error that names what is to change, or nil.
func (p *modulePlan) stale() error {
	return errors.Join(differs("go.mod", p.edits), differs(ocbDir+"/go.mod", p.ocbEdits))
}

func (p *modulePlan) applyOCB() error {
	if len(p.ocbEdits) == 0 {
		return nil
	}
	return editAndTidy(ocbDir, p.ocbEdits)
}

func (p *modulePlan) apply(sourcesChanged bool) error {
	if len(p.edits) == 0 && !sourcesChanged {
		return nil
	}
	return editAndTidy(".", p.edits)
}

// moduleEdits returns the arguments of `go mod edit` that are missing: the manifest's modules at their versions and, when
// the collector moves, all its other modules along, so that none stays behind.
func moduleEdits(mod goMod, m *manifest, stable string) []string {
	wanted := m.requirements(stable)
	moved := map[string]string{mod.version(otelcolModule): m.Collector, mod.version(componentModule): stable}
	for _, r := range mod.Require {
		to, collector := moved[r.Version]
		if _, named := wanted[r.Path]; !named && collector && isCollectorModule(r.Path) {
			wanted[r.Path] = to
		}
	}
	var edits []string
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		if mod.version(path) != wanted[path] {
			edits = append(edits, "-require="+path+"@"+wanted[path])
		}
	}
	return edits
}

func editAndTidy(dir string, edits []string) error {
	fmt.Printf("%s: %d requirements to change, tidying\n", filepath.Join(dir, "go.mod"), len(edits))
	if len(edits) > 0 {
		if _, err := output(dir, "go", append([]string{"mod", "edit"}, edits...)...); err != nil {
			return err
		}
	}
	_, err := output(dir, "go", "mod", "tidy")
	return err
}

// isCollectorModule tells the collector's modules, which move together, from others of the same version.
func isCollectorModule(path string) bool {
	return strings.HasPrefix(path, "go.opentelemetry.io/collector/") ||
		strings.HasPrefix(path, "github.com/open-telemetry/opentelemetry-collector-contrib/")
}

func differs(file string, edits []string) error {
	if len(edits) == 0 {
		return nil
	}
	return fmt.Errorf("%s differs from %s in %d requirements, the first: %s", file, manifestFile, len(edits), edits[0])
}

func readGoMod(path string) (goMod, error) {
	var mod goMod
	out, err := output(".", "go", "mod", "edit", "-json", path)
	if err != nil {
		return mod, err
	}
	if err := json.Unmarshal([]byte(out), &mod); err != nil {
		return mod, fmt.Errorf("%s: %w", path, err)
	}
	return mod, nil
}

// stableOf returns the version of the 1.x modules that a release of the collector goes with, from that release's go.mod.
func stableOf(collector string) (string, error) {
	// Outside any module, so that looking changes no go.sum.
	out, err := output(os.TempDir(), "go", "mod", "download", "-json", otelcolModule+"@"+collector)
	if err != nil {
		return "", err
	}
	var downloaded struct{ GoMod string }
	if err := json.Unmarshal([]byte(out), &downloaded); err != nil {
		return "", err
	}
	mod, err := readGoMod(downloaded.GoMod)
	if err != nil {
		return "", err
	}
	stable := mod.version(componentModule)
	if stable == "" {
		return "", fmt.Errorf("%s %s does not require %s", otelcolModule, collector, componentModule)
	}
	return stable, nil
}
