// SPDX-License-Identifier: Apache-2.0

package region

import (
	"fmt"
	"io"
	"os"
)

// Bounds of a directory. One that exceeds them is refused.
const (
	MaxBytes   = 16 << 20 // size of the YAML text, in bytes
	MaxRegions = 1_000
	MaxTenants = 100_000
)

// Directory is a checked region directory. It is not modified after [Parse] returned it, so it may be read
// by any number of goroutines.
type Directory struct {
	Regions map[string]*Region `yaml:"regions"`           // by name, 1..MaxRegions
	Tenants map[string]Tenant  `yaml:"tenants,omitempty"` // by name, 0..MaxTenants, nil if there are none
}

// Region is a place that stores telemetry.
type Region struct {
	Name string `yaml:"-"`
	// Zone is the residency zone: what is decided for this region is only ever sent to endpoints of this zone.
	Zone string `yaml:"zone"`

	// An Endpoint without URL means that the region takes no such signal; records of it are held. At least one has a URL.
	Metrics Endpoint `yaml:"metrics,omitempty"`
	Logs    Endpoint `yaml:"logs,omitempty"`
	Traces  Endpoint `yaml:"traces,omitempty"`

	Auth Auth `yaml:"auth,omitempty"`
	TLS  TLS  `yaml:"tls,omitempty"`

	// Failover names other regions of the same zone in order of preference, each once.
	Failover []string `yaml:"failover,omitempty"`
}

// Endpoint is where and how one signal is sent.
type Endpoint struct {
	// URL is absolute, http or https, with a host, without user info and fragment. For OTLPgRPC: scheme, host and port only.
	URL string `yaml:"endpoint"`
	// Protocol is never empty in an Endpoint that has a URL: Parse sets the signal's default.
	Protocol Protocol `yaml:"protocol,omitempty"`
	// Compression is "zstd" (not OTLPgRPC), "snappy" (RemoteWrite only), "gzip", "none" (OTLP only), or "": the exporter's choice.
	Compression string `yaml:"compression,omitempty"`
	// Headers are sent with every request. Values may be secrets: they belong in no log and no error.
	Headers map[string]string `yaml:"headers,omitempty"`
}

// Protocol is how an endpoint is spoken to.
type Protocol string

const (
	RemoteWrite Protocol = "remote_write" // Prometheus remote write, metrics only, their default
	OTLPHTTP    Protocol = "otlp_http"    // OTLP protobuf over HTTP, the default of logs and traces
	OTLPgRPC    Protocol = "otlp_grpc"
)

// Auth is how requests to all endpoints of a region authenticate: by at most one of the two, or not at all.
type Auth struct {
	Basic  *BasicAuth  `yaml:"basic,omitempty"`
	Bearer *BearerAuth `yaml:"bearer,omitempty"`
}

// BasicAuth is HTTP basic authentication (RFC 7617). Exactly one of Username and UsernameFile is set, PasswordFile always.
type BasicAuth struct {
	Username     string `yaml:"username,omitempty"`
	UsernameFile string `yaml:"username_file,omitempty"` // absolute path
	PasswordFile string `yaml:"password_file"`           // absolute path
}

// BearerAuth is a bearer token (RFC 6750).
type BearerAuth struct {
	TokenFile string `yaml:"token_file"` // absolute path
}

// TLS is the client side of TLS to all endpoints of a region. Paths are absolute; CertFile and KeyFile are set both or neither.
type TLS struct {
	CAFile             string `yaml:"ca_file,omitempty"` // "": the system's
	CertFile           string `yaml:"cert_file,omitempty"`
	KeyFile            string `yaml:"key_file,omitempty"`
	ServerName         string `yaml:"server_name,omitempty"` // "": the host of the endpoint
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify,omitempty"`
	MinVersion         string `yaml:"min_version,omitempty"` // "1.2" or "1.3", never empty after Parse
}

// Tenant is what the directory knows of a tenant.
type Tenant struct {
	Region string `yaml:"region"` // a key of Directory.Regions
}

// SameZone tells whether both regions are known and of the same residency zone. A nil Directory knows no region.
func (d *Directory) SameZone(a, b string) bool {
	if d == nil {
		return false
	}
	ra, rb := d.Regions[a], d.Regions[b]
	return ra != nil && rb != nil && ra.Zone != "" && ra.Zone == rb.Zone
}

// Load reads and checks the directory in a file of at most MaxBytes. The error names the file; see [Parse].
func Load(path string) (*Directory, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("region directory: %w", err) // *os.PathError names the file
	}
	defer f.Close()
	// One byte more than allowed, so that Parse sees that it is too large.
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("region directory: %w", err)
	}
	d, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("region directory %s is refused:\n%w", path, err)
	}
	return d, nil
}

// Parse checks a directory in the format described in the package's documentation and returns it with defaults set, or an
// error that joins every problem found, each with its path, its line, what was found and what is allowed, and none
// with a secret in it.
func Parse(data []byte) (*Directory, error) {
	c := &checker{}
	var d *Directory
	if root := c.document(data); root != nil {
		d = c.directory(root)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return d, nil
}
