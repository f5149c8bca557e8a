// SPDX-License-Identifier: Apache-2.0

package region

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadFull(t *testing.T) {
	d, err := Load(filepath.Join("testdata", "good", "full.yaml"))
	require.NoError(t, err)
	require.Equal(t, &Directory{
		Regions: map[string]*Region{
			"eu-west-1": {
				Name: "eu-west-1",
				Zone: "eu",
				Metrics: Endpoint{
					URL:         "https://vmauth.eu-west-1.example/vm/insert/0/prometheus/api/v1/write",
					Protocol:    RemoteWrite,
					Compression: "zstd",
					Headers:     map[string]string{"X-Team": "platform", "X-Scope-OrgID": "42"},
				},
				Logs: Endpoint{
					URL:         "https://vmauth.eu-west-1.example/vli/insert/opentelemetry/v1/logs?debug=1",
					Protocol:    OTLPHTTP,
					Compression: "none",
				},
				Traces: Endpoint{URL: "https://jaeger.eu-west-1.example:4317", Protocol: OTLPgRPC, Compression: "gzip"},
				Auth: Auth{Basic: &BasicAuth{
					UsernameFile: "/etc/kof/eu-west-1/username",
					PasswordFile: "/etc/kof/eu-west-1/password",
				}},
				TLS: TLS{
					CAFile:             "/etc/kof/eu-west-1/ca.crt",
					CertFile:           "/etc/kof/eu-west-1/tls.crt",
					KeyFile:            "/etc/kof/eu-west-1/tls.key",
					ServerName:         "vmauth.eu-west-1.example",
					InsecureSkipVerify: true,
					MinVersion:         "1.3",
				},
				Failover: []string{"eu-central-1", "2"},
			},
			"eu-central-1": {
				Name:    "eu-central-1",
				Zone:    "eu",
				Metrics: Endpoint{URL: "http://[2001:DB8::1]:8428/api/v1/write", Protocol: RemoteWrite, Compression: "snappy"},
				Auth:    Auth{Bearer: &BearerAuth{TokenFile: "/etc/kof/eu-central-1/token"}},
				TLS:     TLS{MinVersion: "1.2"},
			},
			"2": {
				Name: "2",
				Zone: "eu",
				Logs: Endpoint{URL: "https://vmauth.eu-west-1.example:443/vli/insert/opentelemetry/v1/logs/", Protocol: OTLPHTTP},
				Auth: Auth{Basic: &BasicAuth{Username: "kof", PasswordFile: "/etc/kof/2/password"}},
				TLS:  TLS{MinVersion: "1.3", ServerName: "10.0.0.1"},
			},
			"us-east-1": {
				Name: "us-east-1",
				Zone: "us",
				Logs: Endpoint{URL: "https://vmauth.eu-west-1.example/us/v1/logs", Protocol: OTLPHTTP},
				TLS:  TLS{MinVersion: "1.2"},
			},
		},
		Tenants: map[string]Tenant{"acme": {Region: "eu-west-1"}, "1.20": {Region: "2"}},
	}, d)
}

func TestLoadJSON(t *testing.T) {
	d, err := Load(filepath.Join("testdata", "good", "minimal.json"))
	require.NoError(t, err)
	require.Equal(t, &Directory{Regions: map[string]*Region{"r": {
		Name:   "r",
		Zone:   "z",
		Traces: Endpoint{URL: "http://127.0.0.1:4318/v1/traces", Protocol: OTLPHTTP},
		TLS:    TLS{MinVersion: "1.2"},
	}}}, d)
}

func TestLoadErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yaml")
	_, err := Load(missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)

	_, err = Load(dir)
	require.ErrorContains(t, err, dir)

	bad := filepath.Join("testdata", "bad", "empty.yaml")
	_, err = Load(bad)
	require.ErrorContains(t, err, bad)
	require.ErrorContains(t, err, "document: empty")

	large := filepath.Join(dir, "large.yaml")
	require.NoError(t, os.WriteFile(large, []byte(strings.Repeat("#", MaxBytes+1)), 0o600))
	_, err = Load(large)
	require.ErrorContains(t, err, large)
	require.ErrorContains(t, err, "larger than 16777216 bytes")
}

// The example in the package's documentation is a directory.
func TestDocumentedExample(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(doc), "(JSON is YAML too):\n\n")
	require.True(t, found)
	example, _, found := strings.Cut(rest, "\n\n# Values")
	require.True(t, found)
	d, err := Parse([]byte(strings.ReplaceAll(example, "\n\t", "\n")[1:]))
	require.NoError(t, err)
	require.Len(t, d.Regions, 2)
	require.Equal(t, "eu-west-1", d.Tenants["acme"].Region)
}

func TestSameZone(t *testing.T) {
	d := &Directory{Regions: map[string]*Region{
		"a": {Zone: "eu"}, "b": {Zone: "eu"}, "c": {Zone: "us"}, "d": {}, "e": {}, "nil": nil,
	}}
	require.True(t, d.SameZone("a", "a"))
	require.True(t, d.SameZone("a", "b"))
	for _, pair := range [][2]string{{"a", "c"}, {"a", "x"}, {"x", "a"}, {"x", "x"}, {"d", "e"}, {"d", "d"}, {"a", "nil"}, {"", ""}} {
		require.False(t, d.SameZone(pair[0], pair[1]), pair)
	}
	require.False(t, (*Directory)(nil).SameZone("a", "a"))
}

// problemsOf returns the problems joined in err.
func problemsOf(t testing.TB, err error) []*problem {
	var joined interface{ Unwrap() []error }
	require.True(t, errors.As(err, &joined), "%T", err)
	var problems []*problem
	for _, e := range joined.Unwrap() {
		var p *problem
		require.True(t, errors.As(e, &p), e)
		problems = append(problems, p)
	}
	return problems
}
