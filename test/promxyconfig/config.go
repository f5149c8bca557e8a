// SPDX-License-Identifier: Apache-2.0

// Package promxyconfig reads Promxy's configuration strictly. Promxy itself can't be built here, and takes no notice of keys that it
// doesn't know: one that is misspelt, or newer than the image, would only show in what is missing.
//
// The format is that of Promxy v0.0.95: https://github.com/jacksontj/promxy/blob/v0.0.95/cmd/promxy/config.yaml and
// pkg/servergroup/config.go beside it, as far as KOF writes it. Targets, HTTP clients and global settings are Prometheus' own there, so they
// are read with Prometheus' own types here.
package promxyconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	httpconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"go.yaml.in/yaml/v3"
)

// Version is the version of Promxy whose format this is, as its image is tagged.
const Version = "v0.0.95"

// Config is a whole file.
type Config struct {
	Global config.GlobalConfig `yaml:"global"`
	Promxy struct {
		ServerGroups []*ServerGroup `yaml:"server_groups"`
	} `yaml:"promxy"`
}

// ServerGroup is one region.
type ServerGroup struct {
	Name             string            `yaml:"name"`
	Labels           model.LabelSet    `yaml:"labels"`
	Scheme           string            `yaml:"scheme"`
	PathPrefix       string            `yaml:"path_prefix"`
	QueryParams      map[string]string `yaml:"query_params"`
	HTTPClient       HTTPClient        `yaml:"http_client"`
	HTTPHeaders      map[string]string `yaml:"http_headers"`
	Timeout          time.Duration     `yaml:"timeout"`
	AntiAffinity     time.Duration     `yaml:"anti_affinity"`
	IgnoreError      bool              `yaml:"ignore_error"`
	DowngradeError   bool              `yaml:"downgrade_error"`
	PreferMax        bool              `yaml:"prefer_max"`
	RemoteRead       bool              `yaml:"remote_read"`
	RemoteReadPath   string            `yaml:"remote_read_path"`
	ServiceDiscovery discovery.Configs `yaml:"-"` // static_configs and the like
}

// HTTPClient is Prometheus' with a time limit for connecting.
type HTTPClient struct {
	DialTimeout      time.Duration               `yaml:"dial_timeout"`
	HTTPClientConfig httpconfig.HTTPClientConfig `yaml:",inline"`
}

// UnmarshalYAML reads static_configs as Prometheus does.
func (g *ServerGroup) UnmarshalYAML(unmarshal func(any) error) error {
	return discovery.UnmarshalYAMLWithInlineConfigs(g, unmarshal)
}

// Parse refuses what Promxy would refuse, keys that it doesn't know, and groups without an address to ask.
func Parse(text []byte) (*Config, error) {
	c := &Config{Global: config.DefaultGlobalConfig}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	for i, g := range c.Promxy.ServerGroups {
		if err := g.validate(); err != nil {
			return nil, fmt.Errorf("server_groups[%d]: %w", i, err)
		}
	}
	return c, nil
}

func (g *ServerGroup) validate() error {
	if len(g.Targets()) == 0 {
		return errors.New("no targets")
	}
	if g.Scheme != "" && g.Scheme != "http" && g.Scheme != "https" {
		return fmt.Errorf("scheme %q", g.Scheme)
	}
	// Inlining bypasses the check that Prometheus' type does by itself.
	return g.HTTPClient.HTTPClientConfig.Validate()
}

// Targets are the addresses of static_configs, as host:port.
func (g *ServerGroup) Targets() []string {
	var out []string
	for _, c := range g.ServiceDiscovery {
		static, ok := c.(discovery.StaticConfig)
		if !ok {
			continue
		}
		for _, group := range static {
			for _, t := range group.Targets {
				out = append(out, string(t[model.AddressLabel]))
			}
		}
	}
	return out
}
