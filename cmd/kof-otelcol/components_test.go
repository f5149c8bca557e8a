// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.yaml.in/yaml/v3"
)

const ownModule = "github.com/k0rdent/kof"

// entry is one component of builder-config.yaml.
type entry struct {
	GoMod  string `yaml:"gomod"`
	Import string `yaml:"import"`
}

// TestComponentsAreThoseOfTheManifest compares what is registered with builder-config.yaml in both directions, so that
// neither a component of the list is missing in the binary nor one is in the binary that nobody listed.
func TestComponentsAreThoseOfTheManifest(t *testing.T) {
	content, err := os.ReadFile("../../builder-config.yaml")
	require.NoError(t, err)
	var manifest struct {
		Collector  string
		Extensions []entry
		Receivers  []entry
		Processors []entry
		Exporters  []entry
		Connectors []entry
	}
	require.NoError(t, yaml.Unmarshal(content, &manifest))
	factories, err := components()
	require.NoError(t, err)

	for _, kind := range []struct {
		name       string
		listed     []entry
		registered []string
	}{
		{"extensions", manifest.Extensions, identities(factories.Extensions, factories.ExtensionModules)},
		{"receivers", manifest.Receivers, identities(factories.Receivers, factories.ReceiverModules)},
		{"processors", manifest.Processors, identities(factories.Processors, factories.ProcessorModules)},
		{"exporters", manifest.Exporters, identities(factories.Exporters, factories.ExporterModules)},
		{"connectors", manifest.Connectors, identities(factories.Connectors, factories.ConnectorModules)},
	} {
		t.Run(kind.name, func(t *testing.T) {
			require.NotEmpty(t, kind.listed)
			var listed []string
			for _, e := range kind.listed {
				if strings.HasPrefix(e.GoMod, ownModule+" ") {
					listed = append(listed, e.Import)
				} else {
					listed = append(listed, strings.ReplaceAll(e.GoMod, "${beta}", manifest.Collector))
				}
			}
			require.ElementsMatch(t, listed, kind.registered, "listed in builder-config.yaml (A), registered in the binary (B)")
		})
	}
}

// TestModuleVersionsAreThoseLinked checks that the versions that `kof-otelcol components` prints are those that the binary
// is built from, which go.mod decides and not the manifest.
func TestModuleVersionsAreThoseLinked(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	require.True(t, ok)
	linked := map[string]string{}
	for _, dep := range info.Deps {
		linked[dep.Path] = dep.Version
	}
	require.NotEmpty(t, linked)
	factories, err := components()
	require.NoError(t, err)
	for _, modules := range []map[component.Type]string{
		factories.ExtensionModules, factories.ReceiverModules, factories.ProcessorModules, factories.ExporterModules, factories.ConnectorModules,
	} {
		for typ, module := range modules {
			path, version, _ := strings.Cut(module, " ")
			if path != ownModule {
				require.Equal(t, linked[path], version, "%s: %s", typ, path)
			}
		}
	}
}

// identities returns what tells the registered components apart: the module and its version or, for KOF's own, which share
// one module, the package. Deprecated aliases are second names of a factory, not components.
func identities[F component.Factory](factories map[component.Type]F, modules map[component.Type]string) []string {
	var ids []string
	for typ, factory := range factories {
		if typ != factory.Type() {
			continue
		}
		id := modules[typ]
		if strings.HasPrefix(id, ownModule+" ") {
			// A factory hides where it is from; its configuration is a type of the component's package.
			id = reflect.TypeOf(factory.CreateDefaultConfig()).Elem().PkgPath()
		}
		ids = append(ids, id)
	}
	return ids
}
