// SPDX-License-Identifier: Apache-2.0

// Command generate turns builder-config.yaml into the sources of kof-otelcol: it runs ocb in a temporary folder, puts the
// result into cmd/kof-otelcol/ and the requirements into go.mod. With -check it changes nothing and fails when a run
// would change something. To be started in the folder that holds builder-config.yaml.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	manifestFile = "builder-config.yaml"
	sourcesDir   = "cmd/kof-otelcol"
	ocbDir       = "tools/ocb"
	ocbModule    = "go.opentelemetry.io/collector/cmd/builder"

	remedy = "run `make generate` and commit what it changes"
)

func main() {
	check := flag.Bool("check", false, "change nothing, fail when something is stale")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	m, err := loadManifest(manifestFile)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "kof-generate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	modules, err := planModules(m, check)
	if err != nil {
		return err
	}
	if check {
		return checkOnly(m, modules, tmp)
	}
	if err := modules.applyOCB(); err != nil {
		return err
	}
	sources, err := runOCB(m, modules.stable, tmp)
	if err != nil {
		return err
	}
	changed, err := syncSources(sources, sourcesDir, check)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d files from %s, %d changed\n", sourcesDir, len(sources), manifestFile, len(changed))
	// After the sources, since tidying drops what nothing imports.
	return modules.apply(len(changed) > 0)
}

func checkOnly(m *manifest, modules *modulePlan, tmp string) error {
	if err := modules.stale(); err != nil {
		return fmt.Errorf("%w\n%s", err, remedy)
	}
	sources, err := runOCB(m, modules.stable, tmp)
	if err != nil {
		return err
	}
	stale, err := syncSources(sources, sourcesDir, true)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		return fmt.Errorf("stale in %s: %s\n%s", sourcesDir, strings.Join(stale, ", "), remedy)
	}
	fmt.Printf("%s and go.mod are what %s asks for\n", sourcesDir, manifestFile)
	return nil
}

// runOCB returns the sources that ocb gives for the manifest, by file name, made ready for the project.
func runOCB(m *manifest, stable, tmp string) (map[string][]byte, error) {
	out := filepath.Join(tmp, "out")
	config, err := m.forOCB(stable, out)
	if err != nil {
		return nil, err
	}
	configFile := filepath.Join(tmp, manifestFile)
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		return nil, err
	}
	ocb, err := output(".", "go", "run", "./test/cmd/tools", "-path", "ocb")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(strings.TrimSpace(ocb), "--skip-compilation", "--skip-get-modules", "--config", configFile)
	// ocb makes a temporary folder that it never removes: let it go with ours.
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	if log, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ocb: %w\n%s", err, log)
	}
	return readSources(out)
}

// output runs a command in dir and returns what it prints; its messages go to the user.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}
