// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/backends"
)

type endpoint struct {
	Endpoint string `yaml:"endpoint"`
}

type directoryRegion struct {
	Zone    string   `yaml:"zone"`
	Metrics endpoint `yaml:"metrics"`
	Logs    endpoint `yaml:"logs"`
	Traces  endpoint `yaml:"traces"`
}

type directoryTenant struct {
	Region string `yaml:"region"`
}

type directory struct {
	Regions map[string]directoryRegion `yaml:"regions"`
	Tenants map[string]directoryTenant `yaml:"tenants"`
}

// writeDirectory writes the region directory of the started backends.
func writeDirectory(path string, started map[string]*backends.Region) error {
	d := directory{Regions: map[string]directoryRegion{}, Tenants: map[string]directoryTenant{}}
	for _, r := range regions {
		servers := started[r.name]
		d.Regions[r.name] = directoryRegion{
			Zone:    r.zone,
			Metrics: endpoint{servers.Metrics.URL + "/api/v1/write"},
			Logs:    endpoint{servers.Logs.URL + "/insert/opentelemetry/v1/logs"},
			Traces:  endpoint{servers.Traces.OTLPURL + "/v1/traces"},
		}
	}
	for _, t := range tenants {
		d.Tenants[t.name] = directoryTenant{Region: t.region}
	}
	content, err := yaml.Marshal(d)
	if err != nil {
		return fmt.Errorf("region directory: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("region directory: %w", err)
	}
	return nil
}
