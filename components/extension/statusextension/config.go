// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
)

// defaultEndpoint is on loopback: the page names regions, endpoints and the words of servers.
const defaultEndpoint = "127.0.0.1:13134"

// Config is the configuration of the status extension: that of an HTTP server.
type Config struct {
	// ServerConfig has endpoint (default 127.0.0.1:13134), tls, auth and the time limits of the server.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
}

var _ component.Config = (*Config)(nil)

var transports = []confignet.TransportType{confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6}

// Validate returns all problems joined, each with the path of the key.
func (cfg *Config) Validate() error {
	var errs []error
	const allowed = "allowed: host:port with a port of 0 to 65535"
	endpoint := cfg.ServerConfig.NetAddr.Endpoint
	if _, port, err := net.SplitHostPort(endpoint); err != nil {
		errs = append(errs, fmt.Errorf("endpoint: found %q; %s", endpoint, allowed))
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		errs = append(errs, fmt.Errorf("endpoint: found %q with port %q; %s", endpoint, port, allowed))
	}
	if transport := cfg.ServerConfig.NetAddr.Transport; !slices.Contains(transports, transport) {
		errs = append(errs, fmt.Errorf("transport: found %q; allowed: %q", transport, transports))
	}
	if cfg.ServerConfig.CORS.HasValue() {
		errs = append(errs, errors.New("cors: found settings; allowed: none, no other site may read the page"))
	}
	return errors.Join(errs...)
}
