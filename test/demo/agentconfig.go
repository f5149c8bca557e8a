// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/k0rdent/kof/test/demo/agent"
)

const (
	hostConfig = "distributions/kof-otelcol/host.yaml"
	demoConfig = "test/demo/agent.yaml"
)

// findRoot returns the folder of the repository that the working directory is in.
func findRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, hostConfig)); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the KOF repository: no %s here or above", start, hostConfig)
		}
	}
}

// endpoints are the loopback ports of one agent.
type endpoints struct{ otlpGRPC, otlpHTTP, health, metrics, status int }

// freePorts finds ports for an agent. Something else may take one before the agent does; then its start fails and is
// tried again with others.
func freePorts() (endpoints, error) {
	var e endpoints
	var err error
	for _, port := range []*int{&e.otlpGRPC, &e.otlpHTTP, &e.health, &e.metrics, &e.status} {
		l, listenErr := net.Listen("tcp", "127.0.0.1:0")
		if listenErr != nil {
			return endpoints{}, errors.Join(err, listenErr)
		}
		defer func() { _ = l.Close() }() // after all are chosen, so that they differ
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return e, err
}

// agentConfig describes an agent with the shipped host.yaml and the given further configuration, whose files are below
// the folder state. Of this machine's own log files it reads none: how many there are is not known.
func agentConfig(root, binary, directory, state string, e endpoints, log io.Writer, more ...string) agent.Config {
	loopback := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return agent.Config{
		Binary:  binary,
		Configs: append([]string{filepath.Join(root, hostConfig)}, more...),
		Env: []string{
			"KOF_REGION=" + homeRegion,
			"KOF_CLUSTER_NAME=" + clusterName,
			"KOF_HOST_NAME=" + host,
			"KOF_DIRECTORY=" + directory,
			"KOF_STATE_DIR=" + state,
			fmt.Sprintf("KOF_LOG_FILES=[%q]", filepath.Join(state, "none", "*.log")),
			"KOF_OTLP_GRPC_ENDPOINT=" + loopback(e.otlpGRPC),
			"KOF_OTLP_HTTP_ENDPOINT=" + loopback(e.otlpHTTP),
			"KOF_HEALTH_ENDPOINT=" + loopback(e.health),
			"KOF_METRICS_PORT=" + strconv.Itoa(e.metrics),
			"KOF_STATUS_ENDPOINT=" + loopback(e.status),
		},
		HealthURL:  "http://" + loopback(e.health) + "/",
		MetricsURL: "http://" + loopback(e.metrics) + "/metrics",
		Log:        log,
	}
}

// fileTail returns the last lines of a log file.
func fileTail(path string) string {
	const lines, maxBytes = 20, 8 << 10
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	content = content[max(0, len(content)-maxBytes):]
	all := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
