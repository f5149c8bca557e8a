// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"text/template"

	"github.com/k0rdent/kof/test/load/child"
)

// The configuration is that of the agent's role, but for Kubernetes and for shorter waits.
var config = template.Must(template.New("agent").Parse(`extensions:
  queue_storage: {directory: {{.Dir}}/queue, create_directory: true}
receivers:
  pod_logs:
    directory: {{.Dir}}/pods
    storage: queue_storage
    incomplete_timeout: 30s # a partial line waits for its rest while the agent is away
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 600, spike_limit_mib: 100}
  identity: {}
exporters:
  region: {directory: {file: {{.Dir}}/regions.yaml}, home_region: home, storage: queue_storage, retry: {initial_interval: 100ms, max_interval: 1s}}
service:
  extensions: [queue_storage]
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: {{.Port}}, without_scope_info: true, without_type_suffix: true, without_units: true}}}}]
  pipelines:
    logs: {receivers: [pod_logs], processors: [memory_limiter, identity], exporters: [region]}
`))

// Bounds of the configuration, which say what may be sent twice at each kill.
const (
	workers, batchBytes, turnBytes = 2, 1 << 20, 256 << 10
	senders, requestBytes          = 2, 1 << 20
)

// agent is kof-otelcol, which runs or not.
type agent struct {
	binary, dir string
	port        int
	process     *child.Process
}

func newAgent(dir, binary, store string) (*agent, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &agent{binary: binary, dir: dir, port: listener.Addr().(*net.TCPAddr).Port}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := config.Execute(&text, map[string]any{"Dir": dir, "Port": a.port}); err != nil {
		return nil, err
	}
	if err := os.WriteFile(a.config(), text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	regions := fmt.Sprintf("regions:\n  home: {zone: eu, logs: {endpoint: %q}}\n", store+"/insert/opentelemetry/v1/logs")
	return a, os.WriteFile(filepath.Join(dir, "regions.yaml"), []byte(regions), 0o600)
}

func (a *agent) config() string { return filepath.Join(a.dir, "config.yaml") }

func (a *agent) log() string { return filepath.Join(a.dir, "log") }

func (a *agent) metrics() string { return fmt.Sprintf("http://127.0.0.1:%d/metrics", a.port) }

func (a *agent) start(ctx context.Context) (err error) {
	a.process, err = child.Start(ctx, child.Command{
		Name: "kof-otelcol", Path: a.binary, Args: []string{"--config", a.config()}, Log: a.log(), Ready: a.metrics(),
		Env: []string{"KOF_CLUSTER_NAME=chaos"},
	})
	return err
}

func (a *agent) kill() {
	if a.process != nil {
		a.process.Kill()
		a.process = nil
	}
}
