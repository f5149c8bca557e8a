// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ownModule is the module of KOF's own components; it is this one, so go.mod never requires it.
const ownModule = "github.com/k0rdent/kof"

// manifest is builder-config.yaml: ocb's format and, above it, the collector's version. Only the keys that the project
// uses are known, since ocb itself passes over a misspelt one.
type manifest struct {
	Collector  string   `yaml:"collector,omitempty"`
	Dist       dist     `yaml:"dist"`
	Extensions []module `yaml:"extensions"`
	Receivers  []module `yaml:"receivers"`
	Processors []module `yaml:"processors"`
	Exporters  []module `yaml:"exporters"`
	Connectors []module `yaml:"connectors"`
	Telemetry  module   `yaml:"telemetry"`
	Providers  []module `yaml:"providers"`
}

type dist struct {
	Name        string `yaml:"name"`
	Module      string `yaml:"module"`
	Description string `yaml:"description"`
	OutputPath  string `yaml:"output_path,omitempty"`
}

type module struct {
	GoMod  string `yaml:"gomod"`
	Import string `yaml:"import,omitempty"`
}

var collectorVersion = regexp.MustCompile(`^v0\.\d+\.\d+$`)

func loadManifest(path string) (*manifest, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func parseManifest(content []byte) (*manifest, error) {
	var m manifest
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&m); err != nil {
		return nil, err
	}
	if !collectorVersion.MatchString(m.Collector) {
		return nil, fmt.Errorf("collector: %q is not a version of the collector such as v0.149.0", m.Collector)
	}
	for _, mod := range m.modules() {
		if path, version, ok := strings.Cut(mod.GoMod, " "); !ok || path == "" || version == "" {
			return nil, fmt.Errorf("gomod: %q is not a module and a version", mod.GoMod)
		}
	}
	return &m, nil
}

// modules returns every module that the manifest names, in its order.
func (m *manifest) modules() []module {
	return slices.Concat(m.Extensions, m.Receivers, m.Processors, m.Exporters, m.Connectors, []module{m.Telemetry}, m.Providers)
}

// requirements returns the versions, by module path, that go.mod has to name.
func (m *manifest) requirements(stable string) map[string]string {
	required := map[string]string{otelcolModule: m.Collector}
	for _, mod := range m.modules() {
		if path, version, _ := strings.Cut(mod.GoMod, " "); path != ownModule {
			required[path] = m.expand(version, stable)
		}
	}
	return required
}

func (m *manifest) expand(version, stable string) string {
	return strings.NewReplacer("${beta}", m.Collector, "${stable}", stable).Replace(version)
}

// forOCB returns the manifest as ocb reads it, its sources to be written into outputPath.
func (m *manifest) forOCB(stable, outputPath string) ([]byte, error) {
	expanded := *m
	expanded.Collector = ""
	expanded.Dist.OutputPath = outputPath
	content, err := yaml.Marshal(&expanded)
	if err != nil {
		return nil, err
	}
	return []byte(m.expand(string(content), stable)), nil
}
