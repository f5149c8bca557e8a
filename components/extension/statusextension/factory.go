// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"

	"github.com/k0rdent/kof/components/extension/statusextension/internal/metadata"
)

// NewFactory returns the factory of the status extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	// Requests are a few hundred bytes and answers are ready at once, so that whoever is slow has no reason to be.
	server.ReadTimeout = 5 * time.Second
	server.ReadHeaderTimeout = 5 * time.Second
	server.WriteTimeout = 10 * time.Second
	server.IdleTimeout = 30 * time.Second
	return &Config{ServerConfig: server}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newStatusExtension(set, cfg.(*Config), time.Now)
}
