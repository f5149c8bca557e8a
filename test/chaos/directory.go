// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// The region directory, as far as the cells need it.
type (
	directory struct {
		Regions map[string]directoryRegion `yaml:"regions"`
	}
	directoryRegion struct {
		Zone     string   `yaml:"zone"`
		Metrics  endpoint `yaml:"metrics"`
		Logs     endpoint `yaml:"logs"`
		Traces   endpoint `yaml:"traces"`
		Failover []string `yaml:"failover,omitempty"`
	}
	endpoint struct {
		Endpoint string `yaml:"endpoint"`
	}
)

// directoryOf returns a directory of the named regions, without stand-ins.
func (w *world) directoryOf(names ...string) directory {
	d := directory{Regions: map[string]directoryRegion{}}
	for _, name := range names {
		at := w.places[name].endpoints()
		d.Regions[name] = directoryRegion{
			Zone:    zones[name],
			Metrics: endpoint{at.Metrics + "/api/v1/write"},
			Logs:    endpoint{at.Logs + "/insert/opentelemetry/v1/logs"},
			Traces:  endpoint{at.Traces + "/v1/traces"},
		}
	}
	return d
}

// change returns the directory with one region changed.
func (d directory) change(name string, change func(*directoryRegion)) directory {
	r := d.Regions[name]
	change(&r)
	d.Regions[name] = r
	return d
}

func (d directory) write(path string) error {
	content, err := yaml.Marshal(d)
	if err != nil {
		return fmt.Errorf("region directory: %w", err)
	}
	return replaceFile(path, content)
}

// replaceFile puts a whole file in the place of another, as a mounted ConfigMap changes.
func replaceFile(path string, content []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, content, 0o600); err != nil {
		return fmt.Errorf("region directory: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("region directory: %w", err)
	}
	return nil
}
